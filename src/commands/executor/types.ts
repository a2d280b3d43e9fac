/** What the executor is given and what may be asked of it. */

import type { Policy } from "../../helper/policy/policy.ts";
import type { HelperPort } from "../../helper/port.ts";
import type { Command, CommandState, Why } from "../../model/command.ts";
import type { ConditionDraft } from "../../model/condition.ts";
import type { Logger } from "../../model/log.ts";
import type { Clock } from "../../system/clock.ts";
import type { Acts, AnyCommandType } from "../command-type.ts";
import type { Facts, GateVerdict, Hold, KnownTime } from "../gates/gate.ts";
import type { JournalStore } from "../journal.ts";
import type { CommandRecord } from "../record.ts";

export interface CommandSettings {
  /** Seconds that a disruptive command from the network waits at least, so that it can be cancelled. */
  readonly graceS: number;
  /** Up to so many more, by a hash of node and command: not the whole fleet in one moment. */
  readonly splayS: number;
}

/** The host's policy as far as it can be read; both null: there is no such file. */
export interface PolicyLook {
  readonly policy: Policy | null;
  readonly problem: Why | null;
}

/** What the executor itself knows of the facts. */
export type OwnFacts = Pick<Facts, "time" | "now" | "uptimeMs" | "hold" | "busyWith">;

export interface ExecutorOptions {
  readonly store: JournalStore;
  /** Durable values; `set` is fsynced. */
  readonly values: { get(key: string): string | null; set(key: string, value: string | null): void };
  /** Whether what was set is on the disk. */
  readonly durable: () => boolean;
  /** Lazily kept: the last server time. */
  readonly memory: { get(): unknown; set(value: unknown): void };
  readonly types: readonly AnyCommandType[];
  readonly clock: Clock;
  readonly bootId: string;
  /** Milliseconds since the kernel started, suspend included. */
  readonly uptimeMs: () => number;
  readonly log: Logger;
  /** Anew at each use: a reload may change them. */
  readonly settings: () => CommandSettings;
  readonly helper: () => HelperPort;
  readonly policy: () => PolicyLook;
  /** This node's id with a source, or null. */
  readonly nodeId: (source: string) => string | null;
  /** What is wrong with its signature, where the policy wants one; `no_trusted_time`: not yet known. */
  readonly signature: (command: Command, time: KnownTime) => Why | null;
  /** The verdict of every gate. @param look ask the helper too; `signal` fires when the agent stops */
  readonly gates: (
    record: CommandRecord,
    own: OwnFacts,
    look: boolean,
    signal: AbortSignal,
  ) => Promise<readonly GateVerdict[]>;
  readonly acts: Acts;
  /** How each kind of change is taken back. Doing it twice is as good as once. */
  readonly undoActions: Readonly<
    Record<string, (args: Readonly<Record<string, unknown>>, signal: AbortSignal) => Promise<void>>
  >;
  /** Tell the control API what is in the spool, as far as it can be done until the signal fires. */
  readonly report: (source: string, signal: AbortSignal) => Promise<void>;
  readonly conditions: (conditions: readonly ConditionDraft[]) => void;
  /** Something that `systemctl status` shows has changed. */
  readonly changed: () => void;
  /** Resolves after so many milliseconds of uptime, or when the agent stops; for tests whose uptime is not the kernel's. */
  readonly pause?: (ms: number) => Promise<void>;
}

/** What came of a round with a control API that concerns commands. */
export interface Delivery {
  /** Name of the control API. */
  readonly source: string;
  readonly commands: readonly Command[];
  readonly cancel: readonly string[];
  readonly openCommands: readonly {
    readonly id: string;
    readonly type: string;
    readonly state: CommandState;
    readonly fromBootId: string | null;
  }[];
  readonly rejected: readonly { readonly id: string; readonly code: string; readonly message: string }[];
  /** Server time of the answer, milliseconds; null when it was not said. */
  readonly serverNow: number | null;
}

/** What somebody on this host asks for. */
export interface LocalRequest {
  readonly type: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly mode: "live" | "test";
  readonly reason: string | null;
  readonly by: { readonly uid: number; readonly name: string };
  /** A command that was signed elsewhere and brought here; its own id, type, params and mode count. */
  readonly signed: Command | null;
}

export interface Executor {
  /** @returns ids that were new */
  deliver(delivery: Delivery): string[];
  /** @throws AgentError the code it is refused with */
  submit(request: LocalRequest): CommandRecord;
  /** @returns as it is afterwards. @throws AgentError `no_such_command`, `too_late` */
  cancel(id: string, by: string): CommandRecord;
  /** Every gate with its verdict; nothing is written or done. @throws AgentError `unsupported`, `bad_params` */
  dryRun(request: LocalRequest): Promise<readonly GateVerdict[]>;
  hold(hold: Omit<Hold, "since">): Hold;
  /** @returns the hold that was, or null */
  release(by: string): Hold | null;
  held(): Hold | null;
  /** What is being carried out: running, rebooting, verifying. */
  active(): CommandRecord | null;
  /** Accepted and waiting, in their order, with the reason as of the last look. */
  waiting(): readonly CommandRecord[];
  record(id: string): CommandRecord | null;
  time(): KnownTime;
  /** Everything that was going on before this start is looked at, then commands are carried out. */
  start(): void;
  /** Look at the journal and the gates now: the configuration, the policy or the identity may have changed. */
  look(): void;
  /** Nothing more is begun; what is under way is left as the journal has it. */
  stop(): Promise<void>;
}
