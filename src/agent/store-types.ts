/** What the rest of the daemon may ask of the state database (store.ts). One writer: this process. */
import type { KeyValue } from "../control/control-api.ts";
import type { CommandState } from "../model/command.ts";
import type { AgentEvent, EventDraft } from "../model/event.ts";

export interface StoredCommand {
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
}

export interface Traffic {
  readonly api: string;
  /** `2026-11`, UTC. */
  readonly month: string;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly requests: number;
}

export interface Store {
  /** ok: writable; read_only: nothing can be written; too_new: made by a newer version, reporting goes on, commands refused; memory: corrupt or unopenable was set aside or replaced, see `problem`. */
  readonly mode: "ok" | "read_only" | "too_new" | "memory";
  /** Why mode is not "ok", or what was set aside at opening, as code + sentence + next step. */
  readonly problem: { code: string; text: string; nextStep: string | null } | null;
  /** True when there was no state before (fresh, lost or set aside). */
  readonly fresh: boolean;

  /** Durable values by namespace: "identity", "api.nodefoundry", … `set` is committed and fsynced on return. */
  values(namespace: string): KeyValue;

  /** Append events in one transaction. From severity warning up and `command.state`: fsynced on return; info ones with the next flush. */
  appendEvents(drafts: readonly EventDraft[], now: number): AgentEvent[];
  /** Not yet acknowledged by `api`, oldest first. */
  pendingEvents(api: string, limit: number): AgentEvent[];
  /** Acknowledge exactly these for `api`; unknown ids are ignored. The cursor moves over what is contiguous. */
  acknowledgeEvents(api: string, ids: readonly string[]): void;
  /** After `sinceId` (exclusive; "" for all kept), oldest first: for the status socket. */
  eventsSince(sinceId: string, limit: number): AgentEvent[];
  /** The control APIs whose acknowledgement an event waits for; none: kept as history within the bounds. */
  setSubscribers(apis: readonly string[]): void;
  spool(): { events: number; bytes: number; dropped: number };

  /** Hash confirmed by `api` per section; written lazily (≤ every 15 min) and at close. */
  confirmedHashes(api: string): ReadonlyMap<string, string>;
  setConfirmedHashes(api: string, hashes: Readonly<Record<string, string>>): void;

  /** Collector memory, lazily written. */
  memory(collector: string): { get(): unknown; set(value: unknown): void };

  /** True when new; false when the id is known (then nothing changes). Fsynced. */
  insertCommand(command: StoredCommand): boolean;
  setCommandState(
    id: string,
    state: CommandState,
    error: { code: string; message: string } | null,
    event: EventDraft,
    now: number,
  ): AgentEvent;
  commands(limit: number): StoredCommand[];
  command(id: string): StoredCommand | null;

  addTraffic(api: string, month: string, sent: number, received: number): void;
  traffic(month: string): Traffic[];

  /** Write what is lazy when it is due (15 min) or `force`. One transaction; called once a tick. */
  flush(now: number, force?: boolean): void;
  /** Bytes and fsyncs written since opening, for status and the bench. */
  written(): { transactions: number; bytes: number };
  close(): void;
}
