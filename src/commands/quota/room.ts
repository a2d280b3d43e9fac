/** Whether the journal takes one more of a source, and the condition that says when it does not. */
import type { Why } from "../../model/command.ts";
import type { ConditionDraft } from "../../model/condition.ts";
import type { JournalStore } from "../journal.ts";
import type { Asked } from "../record.ts";
import { isFull, journalFull, MAX_WAITING, tooManyWaiting } from "./limits.ts";

export interface JournalRoom {
  /** Why its source's part is used up, or null. Whoever stands on this host has room always: its older ones give way. */
  fullFor(asked: Pick<Asked, "source" | "signature">): Why | null;
  /** Why no more of its kind is taken, or null. */
  noRoom(asked: Asked): Why | null;
  /** `journal_full`, as of now. */
  conditions(): ConditionDraft[];
}

/** @param unfinished how many of its kind are not over */
export function openJournalRoom(
  store: Pick<JournalStore, "journalUse">,
  now: () => number,
  unfinished: (asked: Asked) => number,
): JournalRoom {
  /** As of the last look. */
  const full = new Set<string>();

  function look(source: string): Why | null {
    const use = store.journalUse(source, now());
    if (isFull(use)) full.add(source);
    else full.delete(source);
    return isFull(use) ? journalFull(source, use) : null;
  }

  // Ids of this host are made here and never come again, but for one that was signed elsewhere.
  const fullFor: JournalRoom["fullFor"] = ({ source, signature }) =>
    source === "local" && signature === null ? null : look(source);

  return {
    fullFor,
    noRoom(asked) {
      const waiting = unfinished(asked);
      return waiting >= MAX_WAITING ? tooManyWaiting(waiting) : fullFor(asked);
    },
    conditions: () =>
      [...full].flatMap((source): ConditionDraft[] => {
        const why = look(source);
        if (why === null) return [];
        const { text, nextStep } = why;
        return [{ code: "journal_full", subject: source, severity: "warning", text, nextStep }];
      }),
  };
}
