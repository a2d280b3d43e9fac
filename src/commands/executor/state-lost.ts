/** Commands of which this node knows nothing any more: what a server has open is settled from outside. */
import type { Why } from "../../model/command.ts";
import type { Asked, Progress, RebootIntent } from "../record.ts";
import { firstProgress } from "./accept.ts";

/** What is said of one that a server has open and this node does not know. Only of a reboot can its end be seen. */
export function settled(
  open: { readonly type: string; readonly fromBootId: string | null },
  bootId: string,
  at: number,
): { readonly progress: Progress; readonly text: string } {
  const nothing = firstProgress(null, at, null);
  // Wherever it stood: the host was to come up anew, and it has. As one that is found after a boot (reboot-flow.ts):
  // whether this command made it is in the helper's record, which may have outlived the state.
  if (open.type === "reboot" && open.fromBootId !== null && open.fromBootId !== bootId) {
    const reboot = { ...LOST_INTENT, fromBootId: open.fromBootId };
    return { progress: { ...nothing, state: "rebooting", reboot }, text: STATE_LOST_BUT_REBOOTED };
  }
  return { progress: { ...nothing, state: "failed", why: STATE_LOST }, text: STATE_LOST.text };
}

/** Nothing of it is known but where it began; its deadlines are over with the boot. */
const LOST_INTENT: Omit<RebootIntent, "fromBootId"> = {
  method: "graceful",
  callDeadlineMs: 0,
  deadlineMs: 0,
  attempt: 1,
  answer: "unknown",
};

const STATE_LOST: Why = {
  code: "state_lost",
  text: "The state of this node was lost, so nobody knows how far the command came.",
  nextStep: "ask for it again if it is still wanted",
};
const STATE_LOST_BUT_REBOOTED =
  "The state of this node was lost, but it runs another boot than the one it was asked on.";

/** A command with nothing in it but its name. */
export function blank(source: string, id: string, type: string): Asked {
  return {
    id,
    source,
    nodeId: "",
    mode: "live",
    type,
    params: {},
    operationId: null,
    epoch: "",
    seq: 0,
    issuedAt: null,
    expiresAt: null,
    signature: null,
    signedText: null,
    receivedAt: 0,
    by: null,
    reason: null,
  };
}
