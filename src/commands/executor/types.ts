/** What may be asked of the executor (what it stands on: ports.ts). */

import type { Command, CommandState } from "../../model/command.ts";
import type { ConditionDraft } from "../../model/condition.ts";
import type { GateVerdict, Hold, KnownTime } from "../gates/gate.ts";
import type { CommandRecord } from "../record.ts";
import type { AgentPort } from "./ports.ts";

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
  /** It is the first answer to a registration: `openCommands` is all that the server had open. */
  readonly registered?: boolean;
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
  /** An operator says that this node goes on from what it knows now. @returns whether there was something to settle */
  settleLost(): boolean;
  /** What is being carried out: running, rebooting, verifying. */
  active(): CommandRecord | null;
  /** Accepted and waiting, in their order, with the reason as of the last look. */
  waiting(): readonly CommandRecord[];
  record(id: string): CommandRecord | null;
  time(): KnownTime;
  /** `command_flood`, `journal_full`: as of now, so they end by themselves. */
  conditions(): ConditionDraft[];
  /** This node has another server now, or none: what the one before said of the time counts no more. */
  forgetTime(): void;
  /** Everything that was going on before this start is looked at, then commands are carried out. */
  start(agent: AgentPort): void;
  /** Look at the journal and the gates now: the configuration, the policy or the identity may have changed. */
  look(): void;
  /** Nothing more is begun; what is under way is left as the journal has it. */
  stop(): Promise<void>;
}
