/**
 * What the rest of the agent may ask of root, whoever carries it out: the helper behind its socket, this
 * very process (root with `hardware = true`), or nobody.
 */
export interface HelperPort {
  /** `socket`, `direct`, or `none` with the reason and what to type. */
  readonly how:
    | { readonly kind: "socket" | "direct" }
    | { readonly kind: "none"; readonly sentence: string; readonly nextStep: string };
  /**
   * Ask for one operation by name (`smart.read`) with arguments of its schema.
   * @returns what the operation gives, as its file documents it.
   * @throws AgentError `helper_absent`, `helper_refused` (policy, arguments), `helper_busy`, `helper_timeout`,
   * `helper_failed`, `helper_protocol` (garbage), or the operation's own code.
   */
  call(operation: string, args: object, signal: AbortSignal): Promise<unknown>;
}
