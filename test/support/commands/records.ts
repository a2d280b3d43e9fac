/** Commands as the journal keeps them, for tests that show them. */

import type { Asked, CommandRecord, Progress } from "../../../src/commands/record.ts";
import { isFinal } from "../../../src/model/command.ts";
import type { StoredCommand } from "../../../src/store/types.ts";
import { NOW } from "../now.ts";

export function commandRecord(asked: Partial<Asked>, progress: Partial<Progress>): CommandRecord {
  return {
    asked: {
      id: "cmd_1",
      source: "nodefoundry",
      nodeId: "node_7",
      mode: "live",
      type: "reboot",
      params: {},
      operationId: null,
      epoch: "",
      seq: 0,
      issuedAt: null,
      expiresAt: null,
      signature: null,
      signedText: null,
      receivedAt: NOW - 60_000,
      by: null,
      reason: null,
      ...asked,
    },
    progress: {
      state: "accepted",
      since: NOW - 60_000,
      why: null,
      notBefore: null,
      step: null,
      result: {},
      reboot: null,
      cancelledBy: null,
      ...progress,
    },
  };
}

export function commandRow({ asked, progress }: CommandRecord): StoredCommand {
  const { why, state } = progress;
  return {
    id: asked.id,
    source: asked.source,
    epoch: asked.epoch,
    type: asked.type,
    state,
    receivedAt: asked.receivedAt,
    command: JSON.stringify(asked),
    error: why === null || !isFinal(state) ? null : { code: why.code, message: why.text },
    progress: JSON.stringify(progress),
  };
}

export function runningRecord(): CommandRecord {
  return commandRecord({ id: "cmd_running", type: "collect" }, { state: "running", step: "collect" });
}

export function waitingRecord(): CommandRecord {
  return commandRecord(
    { id: "cmd_waiting" },
    {
      state: "waiting",
      why: {
        code: "held",
        text: "root holds this node since 2025-10-09 08:00 UTC, until it is released: memory test.",
        nextStep: "foundry-agent release",
      },
    },
  );
}
