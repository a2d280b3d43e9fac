/** What a control API is to the agent. Its wire shapes never leave its own folder. */

import type { Command, CommandState } from "../model/command.ts";
import type { ConditionDraft } from "../model/condition.ts";
import type { AgentEvent } from "../model/event.ts";
import type { Scalar } from "../model/facets.ts";
import type { Identity } from "../model/identity.ts";
import type { Logger } from "../model/log.ts";
import type { NodeStatus, Report, Section } from "../model/report.ts";
import type { Clock } from "../system/clock.ts";

/** One round: what the agent has to say. Everything is already redacted and freed of excluded fields. */
export interface SyncInput {
  readonly report: Report;
  readonly status: NodeStatus;
  /** Hash of every section as it stands now. */
  readonly hashes: Readonly<Record<string, string>>;
  /** Sections whose hash is not the one this API confirmed last. */
  readonly changed: Readonly<Record<string, Section>>;
  /** Volatile values that left their tolerance against the last delivered ones; section → flat path → value. */
  readonly volatile: Readonly<Record<string, Readonly<Record<string, Scalar>>>>;
  /** Oldest first, at most 100. */
  readonly events: readonly AgentEvent[];
  /** When the next round is due if nothing happens, seconds from now. */
  readonly nextDueS: number;
  /** How long the server may hold an empty round open, seconds; 0: not at all. */
  readonly waitS: number;
}

/** What came of a round that the server answered. */
export interface SyncOutcome {
  /** The baseline moves only when true: `hashes` and `volatile` of the input are what the server now has. */
  readonly confirmed: boolean;
  /** Where the API has no place for events: all of the input, else they are kept for it until the spool is full. */
  readonly ackedEvents: readonly string[];
  /** Sections the server wants in full next time. */
  readonly resync: readonly string[];
  /** One that is known already is answered again with its state, in a round of its own: none is sent for ever. */
  readonly commands: readonly Command[];
  /** Ids of commands to cancel. */
  readonly cancel: readonly string[];
  /** Server's clock in this answer (a Date header will do), milliseconds since the epoch, or null. */
  readonly serverNow: number | null;
  /** Another one than before: the server was restored from a backup. Left out where an API has none. */
  readonly epoch?: string;
  /** Wanted interval, seconds (bounded by the agent), or null for "as before". */
  readonly intervalS: number | null;
  /** Read-only: nothing was sent, only compared; events stay in the spool and are not waited for. */
  readonly readOnly: boolean;
  /**
   * What the server had open when this node registered: settled by the journal (`state_lost`, from_boot_id).
   * Handed over once; again after a crash, so whoever takes them goes by id.
   */
  readonly openCommands: readonly OpenCommand[];
  /** The first answer after a registration: `openCommands` is all that the server had open. */
  readonly registered?: boolean;
  /** Commands that could not be read: to be answered with `command.state` refused, never executed. */
  readonly rejected: readonly RejectedCommand[];
}

export interface OpenCommand {
  readonly id: string;
  readonly type: string;
  /** As the server last heard. */
  readonly state: CommandState;
  /** Boot id under which this node was told of it. */
  readonly fromBootId: string | null;
}

export interface RejectedCommand {
  readonly id: string;
  /** `malformed`. */
  readonly code: string;
  readonly message: string;
}

/** Durable small values of one control API: a write is committed and fsynced when `set` returns. */
export interface KeyValue {
  get(key: string): string | null;
  /** null deletes. */
  set(key: string, value: string | null): void;
}

export interface Conditions {
  raise(condition: ConditionDraft): void;
  clear(code: string, subject?: string): void;
  /** The server has this node under another id than before: what holds is told once more, as events. */
  tellAgain(): void;
}

/** What the agent lends to a control API. */
export interface ControlContext {
  readonly values: KeyValue;
  readonly conditions: Conditions;
  readonly log: Logger;
  readonly clock: Clock;
  /** Read anew at each use: it changes after a clone was found or an operator reset it. */
  identity(): Identity;
  /** This node is a copy of another: drop token and unfinished commands unexecuted, make a new machine_id salt. */
  renewIdentity(reason: string): void;
  /** Bytes on the wire, counted per month by the agent. */
  traffic(sentBytes: number, receivedBytes: number): void;
}

export interface ControlStatus {
  readonly enrolled: boolean;
  readonly nodeId: string | null;
  readonly mode: "live" | "test" | "read-only" | null;
  /** What this node is called there, where it was registered under a name; it may have a serial number in it. */
  readonly nodeName?: string | null;
  /** One sentence when something is to be known: "server has no agent API: read-only", … */
  readonly note: string | null;
}

export interface ControlApi {
  /** As its declaration has it. */
  readonly name: string;
  readonly status: () => ControlStatus;
  /**
   * One round; registers first when that is needed and possible.
   * @throws AgentError: `not_enrolled` (nothing to do until a key comes), `rate_limited` / `unavailable`
   *   (a RetryError with retryAfterMs), any code of the HTTP client, `bad_answer`.
   */
  sync(input: SyncInput, signal: AbortSignal): Promise<SyncOutcome>;
  /** The very bytes `sync` would send as body, uncompressed, for `report --as NAME`. */
  preview(input: SyncInput): string;
  /** Enrol (again) with a key that is used once and never kept. */
  enroll(key: string, options: { name?: string }, signal: AbortSignal): Promise<void>;
  /** DNS, proxy, TLS, clock, credential and permission, each with a verdict and a next step. */
  check(signal: AbortSignal): Promise<CheckResult[]>;
  /**
   * Give the server the diagnostics bundle that its command asked for; left out where an API has no place for one.
   * @param bytes size of the file at `path`, at most 5 MiB
   * @throws AgentError `upload_unsupported`, `upload_too_large`, `upload_refused`, `upload_metered`,
   *   `upload_unreadable`, or as `sync`
   */
  upload?(commandId: string, path: string, bytes: number, signal: AbortSignal): Promise<void>;
  /** Forget token and node id (leave). Tells the server where the API has a way to. */
  leave(signal: AbortSignal): Promise<void>;
}

export interface CheckResult {
  readonly what: string;
  readonly verdict: "ok" | "warning" | "failed" | "skipped";
  readonly text: string;
  readonly nextStep: string | null;
}
