/** What the executor stands on: it touches the disk, the host and the rest of the agent through these alone. */

import type { Policy } from "../../helper/policy/policy.ts";
import type { HelperPort } from "../../helper/port.ts";
import type { Command, Why } from "../../model/command.ts";
import type { ConditionDraft } from "../../model/condition.ts";
import type { Logger } from "../../model/log.ts";
import type { Clock } from "../../system/clock.ts";
import type { AfterBootPort } from "../after-boot/verify.ts";
import type { Acts, AnyCommandType } from "../command-type.ts";
import type { Facts, GateVerdict, Hold, KnownTime, Lost } from "../gates/gate.ts";
import type { JournalStore } from "../journal/store.ts";
import type { CommandRecord } from "../record.ts";

export interface ExecutorPorts {
  readonly types: readonly AnyCommandType[];
  readonly state: StatePort;
  readonly host: HostPort;
  readonly gates: GatePort;
  readonly hands: HandsPort;
  readonly afterBoot: AfterBootPort;
  readonly tell: TellPort;
}

/** What is kept over restarts and boots. */
export interface StatePort {
  readonly journal: JournalStore;
  /** Durable values; `set` is fsynced. */
  readonly values: { get(key: string): string | null; set(key: string, value: string | null): void };
  /** Whether what was set is on the disk. */
  durable(): boolean;
  /** Lazily kept: the last server time. */
  readonly memory: { get(): unknown; set(value: unknown): void };
  readonly holds: HoldPort;
  readonly lost: LostPort;
}

/** That what was known here is lost, until it is settled. */
export interface LostPort {
  get(): Lost | null;
  set(lost: Lost | null): void;
  /** Everybody who may have something open here. */
  sources(): readonly string[];
}

/** The hold in a place of its own, which outlives the rest of the state. */
export interface HoldPort {
  /** `unreadable`: why what is there says nothing; it holds all the same. */
  read(): { readonly hold: Hold | null; readonly unreadable: string | null };
  /** Fsynced on return. @throws AgentError `hold_not_durable` */
  write(hold: Hold): void;
  /** Fsynced on return, whatever is there. @throws AgentError `hold_not_released` */
  remove(): void;
}

/** The boot this process lives in, and its clocks. */
export interface HostPort {
  readonly bootId: string;
  /** Milliseconds since the kernel started, suspend included. */
  uptimeMs(): number;
  readonly clock: Clock;
  /** How the kernel was started; null: not known. */
  way(): "firmware" | "kexec" | null;
  /** Resolves after so many milliseconds of uptime, or when the agent stops; for tests whose uptime is not the kernel's. */
  readonly pause?: (ms: number) => Promise<void>;
}

/** Whether a command may be taken and begun, by the host's policy and by its facts; each asked anew at every use. */
export interface GatePort {
  settings(): CommandSettings;
  policy(): PolicyLook;
  /** This node's id with a source, or null. */
  nodeId(source: string): string | null;
  /** What is wrong with its signature, where the policy wants one; `no_trusted_time`: not yet known. */
  signature(command: Command, time: KnownTime): Why | null;
  /** The verdict of every gate. @param look ask the helper too; `signal` fires when the agent stops */
  verdicts(
    record: CommandRecord,
    own: OwnFacts,
    look: boolean,
    signal: AbortSignal,
  ): Promise<readonly GateVerdict[]>;
}

/** Who does what a step asks for. */
export interface HandsPort {
  /** Root's; another one after a reload. */
  helper(): HelperPort;
  /** How each kind of change is taken back. Doing it twice is as good as once. */
  readonly undo: Readonly<
    Record<string, (args: Readonly<Record<string, unknown>>, signal: AbortSignal) => Promise<void>>
  >;
}

/** Who is to know of it. */
export interface TellPort {
  readonly log: Logger;
  /** Tell the control API what is in the spool, as far as it can be done until the signal fires. */
  report(source: string, signal: AbortSignal): Promise<void>;
  conditions(conditions: readonly ConditionDraft[]): void;
}

/** The agent itself, which is all there when commands begin to be carried out. */
export interface AgentPort {
  readonly acts: Acts;
  /** Something that `systemctl status` shows has changed. */
  changed(): void;
}

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
  /** Where it was looked for. */
  readonly file: string;
}

/** What the executor itself knows of the facts. */
export type OwnFacts = Pick<Facts, "time" | "now" | "uptimeMs" | "hold" | "lost" | "busyWith" | "noRoom">;
