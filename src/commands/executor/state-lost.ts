/**
 * Commands of which this node knows nothing any more: what a server has open is settled from outside. And those that
 * came back with an older journal: each may have been done since, so none is.
 */

import type { Why } from "../../model/command.ts";
import type { ConditionDraft } from "../../model/condition.ts";
import type { Journal } from "../journal/journal.ts";
import type { Asked, Progress, RebootIntent } from "../record.ts";
import { firstProgress } from "./intake/accept.ts";
import type { LostPort } from "./ports.ts";

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

export interface LostKeeper {
  /** An older journal came back: nothing that waits in it is carried out, for it may have been. */
  closeOutdated(): void;
  /**
   * A source has answered, and what it had open is in the journal now.
   * @param anew it answered a registration; with a journal that was put back only that says that it named all it had open
   */
  settle(source: string, anew: boolean): void;
  /** By an operator. @returns whether there was something to settle */
  settleAll(): boolean;
  /** `state_lost` as long as it is not settled. */
  conditions(): ConditionDraft[];
}

/** No step leads to this end, and a type that only another version knows, which may be back one day, has none here. */
const NO_STEPS = { steps: [] };

/** @param changed called when something is settled; it reads the journal anew, so that `closeOutdated` comes first */
export function openLost(port: LostPort, journal: Journal, changed: () => void): LostKeeper {
  return {
    closeOutdated() {
      const lost = port.get();
      if (lost === null || !lost.commandsOpen) return;
      for (const record of journal.unfinished())
        journal.advance(record, { kind: "outdated", why: STATE_LOST }, NO_STEPS);
      port.set({ ...lost, commandsOpen: false });
    },
    settle(source, anew) {
      if (port.get()?.commandsOpen === true) changed();
      const lost = port.get();
      if (
        lost === null ||
        lost.commandsOpen ||
        lost.settledBy.includes(source) ||
        (lost.wasReplaced && !anew)
      )
        return;
      const settledBy = [...lost.settledBy, source];
      const isOver = port.sources().every((one) => settledBy.includes(one));
      port.set(isOver ? null : { ...lost, settledBy });
      changed();
    },
    settleAll() {
      if (port.get() === null) return false;
      changed();
      port.set(null);
      changed();
      return true;
    },
    conditions() {
      const lost = port.get();
      if (lost === null) return [];
      const text = `What this node knew is lost: ${lost.text}. Commands from the network that change anything wait until the server has settled what it had open, or somebody on this host says to go on.`;
      const nextStep = "foundry-agent adopt  # goes on from here";
      return [{ code: "state_lost", severity: "warning", text, nextStep }];
    },
  };
}

/** Nothing of it is known but where it began; its deadlines are over with the boot. */
const LOST_INTENT: Omit<RebootIntent, "fromBootId"> = {
  method: "graceful",
  callDeadlineMs: 0,
  deadlineMs: 0,
  attempt: 1,
  answer: "unknown",
  // The note of what worked was lost with the state.
  monotonicMs: null,
  before: null,
  lookUntil: null,
  tally: null,
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
