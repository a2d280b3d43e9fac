/**
 * A server that was restored from a backup has lost what became of commands since then, and believes them open. It is
 * told again what ended in the last 30 days: from the journal, a part with each round, and only when the part before
 * has arrived. How far it came is written down, so that a restart goes on there; what it tells twice does no harm.
 */
import { commandEvent } from "../../../commands/journal/event.ts";
import { parseRecord } from "../../../commands/record.ts";
import type { EventDraft } from "../../../model/event.ts";
import type { Logger } from "../../../model/log.ts";
import type { NumberedCommand, Store } from "../../../store/types.ts";
import type { Clock } from "../../../system/clock.ts";
import { heard, parseRetelling, type Retelling } from "./state.ts";

/** Of one round, which takes a hundred events: half of it is left for news. */
const EVENTS_A_ROUND = 50;
/** Rows looked at for one round: those of another node or another month are passed by. */
const ROWS_A_ROUND = 500;
const TOLD_MS = 30 * 86_400_000;
const KEY = "retelling";

export interface Retellings {
  /** An answer came. @param epoch of the server @param nodeId of this node with it */
  answered(source: string, epoch: string, nodeId: string | null): void;
}

export function openRetelling(store: Store, clock: Clock, log: Logger): Retellings {
  /** What is to be said of a row, or null. */
  function again({ row }: NumberedCommand, nodeId: string): EventDraft | null {
    const record = parseRecord(row.command, row.progress ?? null);
    // Another node's, or another server's, under the same name.
    if (record === null || record.asked.nodeId !== nodeId) return null;
    const { asked, progress } = record;
    if (clock.now() - progress.since > TOLD_MS || store.answerPending(asked.source, asked.id)) return null;
    const last = store.commandHistory(asked.id).at(-1)?.text ?? progress.why?.text ?? "Done.";
    const event = commandEvent(asked, progress, last, null);
    return { ...event, data: { ...event.data, repeated: true } };
  }

  function tellOn(source: string, state: Retelling, nodeId: string): Retelling {
    if (state.telling === null || store.pendingCount(source) > EVENTS_A_ROUND) return state;
    const { upTo } = state.telling;
    let { after } = state.telling;
    const events: EventDraft[] = [];
    const rows = store.endedCommands(source, after, upTo, ROWS_A_ROUND);
    for (const row of rows) {
      if (events.length === EVENTS_A_ROUND) break;
      const event = again(row, nodeId);
      if (event !== null) events.push(event);
      after = row.number;
    }
    // First: told twice is better than not told.
    if (events.length > 0) store.appendEvents(events, clock.now());
    const isOver = rows.length < ROWS_A_ROUND && after === (rows.at(-1)?.number ?? after);
    return { ...state, telling: isOver ? null : { after, upTo } };
  }

  return {
    answered(source, epoch, nodeId) {
      const values = store.values(`api.${source}`);
      const before = parseRetelling(values.get(KEY));
      const now = heard(before, epoch, store.newestCommand(), clock.now());
      if (now !== before && now.telling !== null)
        log.info(
          { api: source },
          "the server was restored from a backup: what ended in 30 days is told again",
        );
      const next = nodeId === null ? now : tellOn(source, now, nodeId);
      if (next !== before) values.set(KEY, JSON.stringify(next));
    },
  };
}
