/**
 * Which nodes are armed, in one answer: whether a command from the network could change this host, and the four switches
 * that decide it. Read anew at each question, since root may turn the policy over at any moment.
 */
import type { PolicyLook } from "../../commands/executor/ports.ts";
import { whyOf } from "../../commands/journal/event.ts";
import type { ControlStatus } from "../../control/control-api.ts";
import { readPolicy } from "../../helper/policy/policy.ts";
import type { Armed } from "../../sockets/agent-view.ts";

/** @param uid whom the file may belong to besides root: this process' own. Never throws. */
export function lookAtPolicy(file: string, uid: number): PolicyLook {
  try {
    return { file, policy: readPolicy(file, uid), problem: null };
  } catch (error) {
    return { file, policy: null, problem: whyOf(error) };
  }
}

/** @param modes of the control APIs: one that is live is enough to be armed by */
export function armedBy(
  { policy }: PolicyLook,
  hardware: boolean,
  modes: readonly ControlStatus["mode"][],
): Armed {
  const remote = policy?.remote ?? "unusable";
  const mode = (["live", "test", "read-only"] as const).find((one) => modes.includes(one)) ?? null;
  return {
    armed: remote === "on" && hardware && mode === "live",
    remote,
    hardware,
    mode,
    signed: policy === null ? null : policy.publicKey !== null,
  };
}
