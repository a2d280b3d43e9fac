/** What one kind of command is: a literal in a file of its own, a line in the table index.ts. */
import type { GenericSchema } from "valibot";

/** As much of a command's type as the state machine needs. */
export interface Plan {
  /** Names of the steps in order, at least one. */
  readonly steps: readonly string[];
  isIdempotent(step: string | null): boolean;
}

/** What a step may use. Whatever touches hardware goes through `helper`, which a test command does not get. */
export interface StepContext<P> {
  readonly id: string;
  readonly source: string;
  readonly params: P;
  /** Fires when the command is cancelled, at its time-out, and when the agent stops. */
  readonly signal: AbortSignal;
  /** Ask root for one operation under this command's id: asked again it is not done twice. */
  helper(operation: string, args: object): Promise<unknown>;
  readonly acts: Acts;
  /** On the disk before a change is made that has to be taken back. @param ttlMs at the latest after so long */
  undo(kind: string, args: Readonly<Record<string, unknown>>, ttlMs: number): void;
}

/** What the agent lends to command types. */
export interface Acts {
  /** Collect sections now (all when null); names of those that are not ok afterwards. @throws AgentError `no_such_collector` */
  collect(
    sections: readonly string[] | null,
  ): Promise<{ collected: readonly string[]; failed: readonly string[] }>;
  /** How smartctl reaches the drive with this kernel name. @throws AgentError `no_such_drive`, `no_smart` */
  smartWay(device: string): { readonly device: string; readonly type: string };
  diagnostics(
    commandId: string,
    source: string,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, unknown>>>;
}

export interface Step<P> {
  readonly name: string;
  /** Doing it twice is as good as once. What goes through the helper is: it knows the id. */
  readonly idempotent: boolean;
  /** It changes something of this host, so in test mode it is left out and recorded as left out. */
  readonly hardware: boolean;
  /** @returns what is to be in the command's result */
  run(context: StepContext<P>): Promise<Readonly<Record<string, unknown>>>;
}

// biome-ignore lint/suspicious/noExplicitAny: a table holds types of commands with different params
export type AnyCommandType = CommandType<any>;

export interface CommandType<P = unknown> {
  readonly type: string;
  /** Unknown keys are refused: a misspelt one must not become a default. */
  readonly params: GenericSchema<unknown, P>;
  readonly needs: {
    /** Only root can do it. */
    readonly hardware: boolean;
    /** It takes the node out of service: grace, windows, inhibitors and holds are for these. */
    readonly disruptive: boolean;
  };
  /** Of each step, milliseconds. What it asks of root ends after 600 s at the latest (src/helper/link/request.ts). */
  readonly timeoutMs: number;
  /** What it would do, for a rehearsal: "reboot this host (graceful)". */
  says(params: P): string;
  /** The last of these is followed by the reboot, where there is one. */
  readonly steps: readonly Step<P>[];
  /** Ends in a reboot of the host by this method. */
  readonly reboot?: (params: P) => "graceful" | "hard";
}

export function planOf(type: Pick<AnyCommandType, "steps" | "reboot">): Plan {
  const steps = type.steps.map(({ name }) => name);
  return {
    steps: type.reboot === undefined ? steps : [...steps, REBOOT_STEP],
    isIdempotent: (name) =>
      name === REBOOT_STEP || (type.steps.find((step) => step.name === name)?.idempotent ?? false),
  };
}

/** The step in which everything is ready and the intent is about to be written; nothing has happened in it yet. */
export const REBOOT_STEP = "reboot";
