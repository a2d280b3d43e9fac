/** What the rest of the daemon may ask of the state database (store.ts). One writer: this process. */

import type { Lost } from "../commands/gates/gate.ts";
import type { JournalRow, JournalStore } from "../commands/journal/store.ts";
import type { HistoryEntry } from "../commands/record.ts";
import type { KeyValue } from "../control/control-api.ts";
import type { AgentEvent, EventDraft } from "../model/event.ts";
import type { SmartHistory } from "../model/smart.ts";

export type StoredCommand = JournalRow;

export interface NumberedCommand {
  /** Rises with each command that came. */
  readonly number: number;
  readonly row: StoredCommand;
}

export interface Traffic {
  readonly api: string;
  /** `2026-11`, UTC. */
  readonly month: string;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly requests: number;
}

/** What was taken out of use, for an operator to see. */
export interface SetAside {
  /** Wall clock, milliseconds. */
  readonly at: number;
  /** `identity_cloned`, `identity_adopted`, `identity_reset`, `damaged` */
  readonly reason: string;
  /** command: never executed; value: of the identity or a control API, its content is not shown; events: how many were left out. */
  readonly kind: "command" | "value" | "events";
  readonly name: string;
  readonly content: string | null;
}

/** Of identity and tokens when a state is abandoned. set_aside: `restore` brings them back; drop: these alone are deleted; forget: those set aside before are deleted too. */
export type ValuesFate = "set_aside" | "drop" | "forget";

export interface Abandoned {
  readonly unfinishedCommands: number;
  /** The time by which `restore` knows what was set aside, milliseconds. */
  readonly at: number;
}

export interface Store extends JournalStore {
  /** ok: writable (also after a damaged state was set aside: see `problem` and `fresh`); read_only: can't be written now, all is kept in memory and written when it can; too_new: made by a newer version, reporting goes on, commands refused; memory: there is no state to read and none can be made, or it was found damaged while running. Changes while running. */
  readonly mode: "ok" | "read_only" | "too_new" | "memory";
  /** Why mode is not "ok", or what was set aside at opening, as code + sentence + next step. */
  readonly problem: { code: string; text: string; nextStep: string | null } | null;
  /** True when there was no state before (fresh, lost or set aside). */
  readonly fresh: boolean;
  /** What was known here is gone or older than it should be, and nobody has settled it; kept over restarts. */
  readonly lost: Lost | null;
  keepLost(lost: Lost | null): void;
  /** Once a start, when there is time: a copy of the state that was made before it is known as older from then on. */
  markStart(): void;

  /** Durable values by namespace: "identity", "api.NAME", … `set` is committed and fsynced on return; while the state can't be written (`problem`) it holds in memory and is written as soon as it can be. */
  values(namespace: string): KeyValue;

  /** Not yet acknowledged by `api`, oldest first. */
  pendingEvents(api: string, limit: number): AgentEvent[];
  /** How many `pendingEvents` would give without a limit. */
  pendingCount(api: string): number;
  /** Acknowledge exactly these for `api`; unknown ids are ignored. The cursor moves over what is contiguous. On disk with the next transaction: after a crash an event may be sent again, which its id tells. */
  acknowledgeEvents(api: string, ids: readonly string[]): void;
  /** After `sinceId` (exclusive; "" for all kept), oldest first: for the status socket. */
  eventsSince(sinceId: string, limit: number): AgentEvent[];
  /** The control APIs whose acknowledgement an event waits for; none: kept as history within the bounds. */
  setSubscribers(apis: readonly string[]): void;
  spool(): { events: number; bytes: number; dropped: number };
  /** Called with what is appended, or comes with a command, when it is in the spool. @returns ends it */
  listen(listener: (events: readonly AgentEvent[]) => void): () => void;

  /** Hash confirmed by `api` per section; written lazily (≤ every 15 min) and at close. */
  confirmedHashes(api: string): ReadonlyMap<string, string>;
  setConfirmedHashes(api: string, hashes: Readonly<Record<string, string>>): void;

  /** Collector memory, lazily written; `canWait`: once an hour, with the traffic, where nothing else is to be written. */
  memory(collector: string, canWait?: boolean): { get(): unknown; set(value: unknown): void };
  /** One SMART sample a day and serial number, 90 days; lazily written. */
  readonly smart: SmartHistory;

  insertCommand(
    command: StoredCommand,
    event?: EventDraft | null,
    history?: HistoryEntry | null,
  ): { readonly isNew: boolean; readonly event: AgentEvent | null };
  /** Oldest first. */
  commandHistory(id: string): HistoryEntry[];
  /** Newest first. */
  commands(limit: number): StoredCommand[];
  /** What ended of one source, with numbers after `after` up to `upTo`, oldest first. */
  endedCommands(source: string, after: number, upTo: number, limit: number): NumberedCommand[];
  /** Number of the newest row of the journal; 0: there is none. */
  newestCommand(): number;
  /** Reboots that were under way on this boot, newest first. */
  rebootedFrom(bootId: string): StoredCommand[];

  /**
   * The state belonged to another node (a copied card): commands are set aside unexecuted, events are dropped
   * unsent and counted, what control APIs confirmed, collectors remember and was noted of a boot is forgotten.
   * @param values what becomes of identity and tokens; set aside when left out
   */
  abandon(reason: string, now: number, values?: ValuesFate): Abandoned;
  /**
   * Change identity and tokens for those set aside at `at` (never commands): those of now are set aside, and
   * the commands with them. Returns the time by which they are known then; null when there is nothing of `at`.
   */
  restore(at: number, now: number): number | null;
  /** Delete what was set aside too long ago: identities and tokens after 90 days. Also done at opening. */
  pruneSetAside(now: number): void;
  /** Some control API has given this identity something to keep: it was registered once. */
  registered(): boolean;
  setAside(): SetAside[];

  addTraffic(api: string, month: string, sent: number, received: number): void;
  traffic(month: string): Traffic[];

  /** Write what is lazy when it is due (15 min) or `force`. One transaction; called once a tick. */
  flush(now: number, force?: boolean): void;
  /** Committed (= fsynced) transactions, and bytes handed to the kernel for them and for checkpoints, since opening. */
  written(): { transactions: number; bytes: number };
  close(): void;
}
