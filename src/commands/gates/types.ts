/** What the gates are told besides the command and the facts: policy and configuration. */
import type { Why } from "../../model/command.ts";
import type { Subject } from "./gate.ts";
import type { Window } from "./windows.ts";

/** As much of policy.toml as the gates need; `Policy` of the helper is one. */
export interface GatePolicy {
  readonly remote: "off" | "rehearse" | "on";
  /** Null: signatures are not asked for. */
  readonly publicKey: string | null;
  readonly allow: Readonly<Record<string, readonly string[]>>;
  readonly volatileState: boolean;
}

export interface GateOptions {
  /** `unusable`: missing, untrusted or wrong, with the sentence of `readPolicy`. */
  readonly policy: GatePolicy | { readonly unusable: Why };
  /** Path of policy.toml, for sentences. */
  readonly policyFile: string;
  /** Path of the agent's config.toml, for sentences. */
  readonly configFile: string;
  /** Whether the policy lets this command's source use `force`. */
  readonly forceAllowed: boolean;
  readonly windows: readonly Window[];
  /** IANA; null: the host's own. */
  readonly timeZone: string | null;
  readonly waitForSessions: boolean;
  readonly uptimeGuardMs: number;
}

/**
 * Whether a command that passes is only told what would be done: `remote = "rehearse"`. A test is carried through where
 * all it does is left out anyway.
 */
export function isRehearsal(
  subject: Pick<Subject, "source" | "mode" | "type" | "needs">,
  policy: GateOptions["policy"],
): boolean {
  if (subject.source === "local" || subject.type === "noop") return false;
  if (subject.mode !== "live" && subject.needs.hardware) return false;
  return !("unusable" in policy) && policy.remote === "rehearse";
}
