/** Whether the journal takes one more of a source, and the condition that says when it does not. */
import type { Why } from "../../model/command.ts";
import type { ConditionDraft } from "../../model/condition.ts";
import type { JournalStore } from "../journal/store.ts";
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

/** Counting thousands of rows is dear, and of what is full nothing leaves but what is 30 days old: looked at so often. */
const LOOK_AGAIN_MS = 60_000;

/**
 * @param now wall clock, milliseconds
 * @param unfinished how many of its kind are not over
 */
export function openJournalRoom(
  store: Pick<JournalStore, "journalUse">,
  now: () => number,
  unfinished: (asked: Asked) => number,
): JournalRoom {
  /** As of the last look. */
  const full = new Map<string, { readonly at: number; readonly why: Why }>();

  function look(source: string): Why | null {
    const known = full.get(source);
    if (known !== undefined && Math.abs(now() - known.at) < LOOK_AGAIN_MS) return known.why;
    const use = store.journalUse(source, now());
    full.delete(source);
    if (!isFull(use)) return null;
    const why = journalFull(source, use);
    full.set(source, { at: now(), why });
    return why;
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
      [...full.keys()].flatMap((source): ConditionDraft[] => {
        const why = look(source);
        if (why === null) return [];
        const { text, nextStep } = why;
        return [{ code: "journal_full", subject: source, severity: "warning", text, nextStep }];
      }),
  };
}
