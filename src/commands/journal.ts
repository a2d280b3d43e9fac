/**
 * The journal as commands see it: records in, records out, and an event with every change. What is written is on
 * the disk when a call returns (store/store.ts).
 */
import { type CommandState, isFinal, type Why } from "../model/command.ts";
import { errorCode, errorText } from "../model/errors.ts";
import type { AgentEvent, EventDraft } from "../model/event.ts";
import type { Logger } from "../model/log.ts";
import { sentence } from "../model/text/sentence.ts";
import type { Clock } from "../system/clock.ts";
import { planOf } from "./command-type.ts";
import { advance, type Input } from "./machine.ts";
import type { JournalUse } from "./quota/limits.ts";
import {
  type Asked,
  type CommandRecord,
  type HistoryEntry,
  type Progress,
  parseRecord,
  type Undo,
} from "./record.ts";

/** A row of the table `command`. */
export interface JournalRow {
  readonly id: string;
  readonly source: string;
  readonly epoch: string;
  readonly type: string;
  readonly state: CommandState;
  /** Wall clock, milliseconds. */
  readonly receivedAt: number;
  /** JSON of the command as parsed. */
  readonly command: string;
  /** Final answer's code and sentence, or null. */
  readonly error: { code: string; message: string } | null;
  /** Of its source and epoch; null where it has none. */
  readonly seq?: number | null;
  /** JSON of how far it came (record.ts); null for what was only answered. */
  readonly progress?: string | null;
}

/** Changes that have to be taken back. Fsynced when each returns. @throws AgentError `journal_not_writable`, `state_too_new` */
export interface UndoList {
  add(undo: Omit<Undo, "number" | "tries" | "lastError">): void;
  list(): Undo[];
  /** Tried and failed. */
  failed(number: number, error: string): void;
  remove(number: number): void;
}

/** What commands need of the agent's store. */
export interface JournalStore {
  /** Row, history and event in one transaction, fsynced; an id that is known (also one set aside) changes nothing. @throws AgentError `journal_not_writable`, `state_too_new` */
  insertCommand(
    row: JournalRow,
    event?: EventDraft | null,
    history?: HistoryEntry | null,
  ): { readonly isNew: boolean };
  /** State, history and event in one transaction, fsynced; `progress` left out stays. On a full disk the history is what is left out. @throws AgentError `unknown_command`, `journal_not_writable`, `state_too_new` */
  setCommandState(
    id: string,
    change: Pick<JournalRow, "state" | "error" | "progress">,
    event: EventDraft | null,
    history: HistoryEntry | null,
    now: number,
  ): AgentEvent | null;
  /** Out of the journal and never carried out; its id stays known. */
  setCommandAside(id: string, reason: string, now: number): void;
  /** In the order in which they came. */
  unfinishedCommands(): JournalRow[];
  command(id: string): JournalRow | null;
  /** Also when it was set aside. */
  isCommandKnown(id: string): boolean;
  /** What must be kept of this source. @param now wall clock, milliseconds: what is older than 30 days gives way where it is full */
  journalUse(source: string, now: number): JournalUse;
  /**
   * The highest sequence number of this source's epoch, up to `most`, among those issued within these bounds (wall
   * clock of the source, milliseconds, both included), or null.
   */
  lastCommandSeq(
    source: string,
    epoch: string,
    within: { from: number; until: number; most: number },
  ): number | null;
  /** Whether a `command.state` event of this command is not yet acknowledged by `api`. */
  answerPending(api: string, commandId: string): boolean;
  /** Append events in one transaction. From severity warning up and `command.state`: fsynced on return; info ones with the next flush. */
  appendEvents(drafts: readonly EventDraft[], now: number): AgentEvent[];
  /** Changes that have to be taken back. */
  readonly undo: UndoList;
}

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

const EVENT_RESULT_CHARACTERS = 8_000;

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

/** The event that tells a control API where a command stands (protocol: `command.state`). */
export function commandEvent(
  { id, type, operationId }: { id: string; type: string; operationId: string | null },
  { state, why, step, result }: Pick<Progress, "state" | "why" | "step" | "result">,
  say: string,
  error: Why | null,
): EventDraft {
  const told = error ?? (endedBadly(state) ? why : null);
  const given = isFinal(state) && Object.keys(result).length > 0 ? result : null;
  return {
    type: "command.state",
    severity: state === "failed" ? "error" : told === null && !isWorse(result) ? "info" : "warning",
    data: {
      command_id: id,
      type,
      state,
      ...(operationId !== null && { operation_id: operationId }),
      ...(step !== null && { step }),
      message: say,
      ...(why !== null &&
        !endedBadly(state) && { reason: { code: why.code, text: why.text, next_step: why.nextStep } }),
      ...(told !== null && {
        error: {
          code: told.code,
          message: told.text,
          ...(told.nextStep !== null && { next_step: told.nextStep }),
        },
      }),
      ...(given !== null && { result: short(given) }),
    },
  };
}

/** A rehearsal has its reason, as what waits has; an error is something else. */
export function endedBadly(state: CommandState): boolean {
  return isFinal(state) && state !== "rehearsed";
}

/** An error as a reason. */
export function whyOf(error: unknown): Why {
  const nextStep = error !== null && typeof error === "object" && "nextStep" in error ? error.nextStep : null;
  return {
    code: errorCode(error),
    text: sentence(errorText(error) || "no reason was given"),
    nextStep: typeof nextStep === "string" ? nextStep : null,
  };
}

/** It was done, and something that worked before does not any more. */
function isWorse({ regressed }: Progress["result"]): boolean {
  return Array.isArray(regressed) && regressed.length > 0;
}

function short(result: Progress["result"]): unknown {
  return JSON.stringify(result).length > EVENT_RESULT_CHARACTERS ? { too_long_for_an_event: true } : result;
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
