import { AgentError } from "../model/errors.ts";
import { type Need, needText, type Unmet } from "../model/text/need.ts";

/**
 * What the rest of the agent may ask of root, whoever carries it out: the helper behind its socket, this
 * very process (root with `hardware = true`), or nobody.
 */
export interface HelperPort {
  /** `socket`, `direct`, or `none` with the reason and what to type. */
  readonly how: { readonly kind: "socket" | "direct" } | ({ readonly kind: "none" } & Unmet);
  /**
   * Ask for one operation by name (`smart.read`) with arguments of its schema.
   * @returns what the operation gives, as its file documents it.
   * @throws AgentError `helper_absent`, `helper_refused` (policy, limits, arguments), `helper_busy`,
   * `helper_timeout` (also when `signal` fires), `helper_failed`, `helper_protocol` (garbage),
   * `outcome_unknown` (an id that was begun before and never ended), or the operation's own code.
   */
  call(operation: string, args: object, signal: AbortSignal, options?: CallOptions): Promise<unknown>;
}

/** On whose behalf. What only reads needs none of it; what changes anything is refused without id and source. */
export interface CallOptions {
  /** The command's id: asked again under the same id, the recorded outcome is answered and nothing is done. */
  readonly id?: string;
  /** Where the command came from: `local`, or a control API's name. */
  readonly source?: string;
  /** As its sender signed it (`Command.signedText`, `Command.signature`); asked for where the policy names a key. */
  readonly signed?: { readonly text: string; readonly signature: string };
  /** Milliseconds from now after which it must not be begun any more; the operation's own time-out caps it. */
  readonly deadlineMs?: number;
}

/** The port where nobody is root: every call says so. @param nextStep what to type to have somebody */
export function noHelper(need: Need, nextStep: string): HelperPort {
  return {
    how: { kind: "none", need, nextStep },
    async call() {
      throw new AgentError("helper_absent", `this ${needText(need)}`, nextStep);
    },
  };
}
