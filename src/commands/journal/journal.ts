/**
 * The journal as commands see it: records in, records out, and an event with every change. What is written is on
 * the disk when a call returns (store/store.ts).
 */
import type { Why } from "../../model/command.ts";
import type { Logger } from "../../model/log.ts";
import type { Clock } from "../../system/clock.ts";
import { planOf } from "../command-type.ts";
import { advance, type Input } from "../machine.ts";
import { type Asked, type CommandRecord, type Progress, parseRecord } from "../record.ts";
import { commandEvent, endedBadly } from "./event.ts";
import type { JournalRow, JournalStore } from "./store.ts";

export interface Journal {
  /** A new command with its first state. @returns false when the id is known already: nothing is changed */
  take(asked: Asked, progress: Progress, say: string): boolean;
  /** What an input makes of it, written down. @returns the record as it is now */
  advance(record: CommandRecord, input: Input, type: Parameters<typeof planOf>[0]): CommandRecord;
  /** As it stands in the journal; null when there is none or it can't be read. */
  read(id: string): CommandRecord | null;
  /** Not at their end, in the order in which they came. What can't be read is set aside. */
  unfinished(): CommandRecord[];
}

export function openJournal(store: JournalStore, clock: Clock, log: Logger): Journal {
  return {
    take(asked, progress, say) {
      const row = {
        id: asked.id,
        source: asked.source,
        epoch: asked.epoch,
        type: asked.type,
        state: progress.state,
        receivedAt: asked.receivedAt,
        // Of what is not carried out only so much is kept as to know it again.
        command: JSON.stringify(
          progress.state === "accepted" ? asked : { ...asked, params: {}, signature: null, signedText: null },
        ),
        error: errorOf(progress),
        // Only what was taken counts for the order.
        seq: progress.state === "accepted" ? asked.seq : null,
        progress: JSON.stringify(progress),
      };
      const entry = { at: clock.now(), state: progress.state, step: progress.step, text: say };
      const { isNew } = store.insertCommand(row, commandEvent(asked, progress, say, null), entry);
      if (isNew) tell(log, asked, progress, say);
      return isNew;
    },
    advance(record, input, type) {
      const at = clock.now();
      const next = advance(record, input, planOf(type), at);
      if (next === null) return record;
      const { progress, say, error } = next;
      const { asked } = record;
      store.setCommandState(
        asked.id,
        { state: progress.state, error: errorOf(progress), progress: JSON.stringify(progress) },
        commandEvent(asked, progress, say, error),
        { at, state: progress.state, step: progress.step, text: say },
        at,
      );
      tell(log, asked, progress, say);
      return { asked, progress };
    },
    read(id) {
      const row = store.command(id);
      return row === null ? null : parseRecord(row.command, row.progress ?? null);
    },
    unfinished() {
      return store.unfinishedCommands().flatMap((row) => {
        const record = parseRecord(row.command, row.progress ?? null);
        if (record !== null && record.progress.state === row.state && record.asked.id === row.id)
          return [record];
        setAside(row);
        return [];
      });
    },
  };

  /** Never executed, and whoever asked is told. */
  function setAside(row: JournalRow): void {
    const why: Why = {
      code: "journal_damaged",
      text: `What the journal holds of ${row.type} ${row.id} can't be read, so it is not carried out.`,
      nextStep: "ask for it again if it is still wanted",
    };
    store.setCommandAside(row.id, "damaged", clock.now());
    store.appendEvents(
      [
        commandEvent(
          { id: row.id, type: row.type, operationId: null },
          { state: "failed", why, step: null, result: {} },
          why.text,
          null,
        ),
      ],
      clock.now(),
    );
    log.error({ command: row.id, code: why.code }, why.text);
  }
}

function errorOf({ state, why }: Progress): JournalRow["error"] {
  return why === null || !endedBadly(state) ? null : { code: why.code, message: why.text };
}

function tell(log: Logger, asked: Asked, { state, step, why }: Progress, say: string): void {
  const fields = {
    command: asked.id,
    type: asked.type,
    source: asked.source,
    state,
    ...(step !== null && { step }),
    ...(why !== null && { code: why.code }),
  };
  if (state === "failed") log.error(fields, say);
  else if (why === null || state === "rehearsed") log.info(fields, say);
  else log.warn(fields, say);
}
