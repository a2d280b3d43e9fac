/** What commands need of the agent's store: rows of the journal, and changes that have to be taken back. */
import type { CommandState } from "../../model/command.ts";
import type { AgentEvent, EventDraft } from "../../model/event.ts";
import type { JournalUse } from "../quota/limits.ts";
import type { HistoryEntry, Undo } from "../record.ts";

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
