/**
 * What is said of commands that are known already: a server that asks again has lost the answer, or has another one in
 * mind under the same id.
 */
import { type Command, isFinal } from "../../../model/command.ts";
import type { Logger } from "../../../model/log.ts";
import type { Clock } from "../../../system/clock.ts";
import { commandEvent } from "../../journal/event.ts";
import type { Journal } from "../../journal/journal.ts";
import type { JournalStore } from "../../journal/store.ts";
import type { Floods } from "../../quota/floods.ts";
import type { Asked, Progress } from "../../record.ts";
import { openSaid } from "../../said.ts";

export interface Answers {
  /** It could not be written down and its refusal is on the way: nobody is told "refused" and sees it done. */
  isToldOf(source: string, id: string): boolean;
  /** What came of it was told before. @returns whether it is told now */
  again(source: string, id: string): boolean;
  /** What came first counts; that another one came is said once. */
  compare(command: Command): void;
  say(
    asked: Pick<Asked, "id" | "type" | "operationId">,
    progress: Pick<Progress, "state" | "why" | "step" | "result">,
    text: string,
  ): void;
}

export function openAnswers({
  store,
  journal,
  floods,
  clock,
  log,
}: {
  readonly store: JournalStore;
  readonly journal: Journal;
  readonly floods: Floods;
  readonly clock: Clock;
  readonly log: Logger;
}): Answers {
  // Whatever became of it: the server that has another one in mind may go on to send that.
  const changed = openSaid(() => false);
  const isToldOf = (source: string, id: string): boolean => store.answerPending(source, id);

  function again(source: string, id: string): boolean {
    const row = store.command(id);
    if (row === null || store.answerPending(source, id)) return false;
    if (!floods.take(source, "repeat")) {
      floods.leftOut(source);
      return false;
    }
    const record = journal.read(id);
    if (!isFinal(row.state)) {
      // Not acknowledged yet, though nothing is on its way: its state once more is the acknowledgement.
      if (record !== null) say(record.asked, record.progress, record.progress.why?.text ?? "Known.");
      return true;
    }
    const why = row.error === null ? null : { code: row.error.code, text: row.error.message, nextStep: null };
    const progress = record?.progress ?? { state: row.state, why, step: null, result: {} };
    say(
      { id, type: row.type, operationId: record?.asked.operationId ?? null },
      progress,
      progress.why?.text ?? "Done.",
    );
    return true;
  }

  function say(
    asked: Pick<Asked, "id" | "type" | "operationId">,
    progress: Pick<Progress, "state" | "why" | "step" | "result">,
    text: string,
  ): void {
    store.appendEvents([commandEvent(asked, progress, text, null)], clock.now());
  }

  function compare(command: Command): void {
    // Of what was refused as it came, or that another version made, the content was not kept.
    if ((store.command(command.id)?.seq ?? null) === null) return;
    const known = journal.read(command.id);
    if (known === null || (known.asked.type === command.type && sameParams(known.asked, command))) return;
    if (!changed.isNew(command.id, "changed")) return;
    log.warn(
      { command: command.id, code: "command_changed" },
      "delivered again with other content: what came first counts",
    );
  }

  return { isToldOf, again, compare, say };
}

function sameParams(one: Command, other: Command): boolean {
  return JSON.stringify(one.params) === JSON.stringify(other.params);
}
