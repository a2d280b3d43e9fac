/** What somebody on this host asks for, as a command like any other: an id of its own, and whoever asked in it. */
import type { Command, Why } from "../../../model/command.ts";
import { AgentError } from "../../../model/errors.ts";
import { nextUlid } from "../../../model/ulid.ts";
import type { Clock } from "../../../system/clock.ts";
import type { Asked, CommandRecord } from "../../record.ts";
import { blank } from "../state-lost.ts";
import type { LocalRequest } from "../types.ts";
import { firstProgress, foreign } from "./accept.ts";

/** @returns what makes a record of a request, written nowhere. @throws AgentError `unsigned`, `unsupported`, `bad_params` */
export function openDrafts({
  clock,
  nodeId,
  judge,
}: {
  readonly clock: Clock;
  readonly nodeId: () => string | null;
  readonly judge: (asked: Asked) => Why | null;
}): (request: LocalRequest) => CommandRecord {
  return function draft({ type, params, mode, reason, by, signed }: LocalRequest): CommandRecord {
    if (signed?.signature === null)
      throw new AgentError(
        "unsigned",
        "a whole command is taken only with its signature",
        "foundry-agent commands sign --help",
      );
    const receivedAt = clock.now();
    const id = `cmd_local_${nextUlid("", receivedAt, crypto.getRandomValues(new Uint8Array(10)))}`;
    const plain: Command = {
      ...blank("local", id, type),
      nodeId: nodeId() ?? "",
      mode,
      params,
    };
    const asked: Asked = { ...(signed ?? plain), source: "local", receivedAt, by, reason };
    const why = signed === null ? judge(asked) : (foreign(signed, nodeId()) ?? judge(asked));
    if (why !== null && (why.code === "unsupported" || why.code === "bad_params"))
      throw new AgentError(why.code, why.text, why.nextStep);
    return { asked, progress: firstProgress(why, receivedAt, null) };
  };
}
