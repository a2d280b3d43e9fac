/** PUT and GET /v1/nodes/{id}/diagnostics/{command_id}: a bundle the agent was asked for. Bundles stay in memory. */
import { type Answer, ApiError } from "../../http.ts";
import { findNode } from "../account-api/nodes.ts";
import { type CommandRecord, lookup } from "../state.ts";
import type { Call } from "../world.ts";
import { sha256 } from "./ids.ts";
import { findToken, useToken } from "./tokens.ts";

const KEPT_BUNDLES = 8;

/** 201 with size and hash. @throws ApiError 404 `command_not_found`, 409 `not_a_diagnostics_command`, 400 for nothing sent */
export function putDiagnostics(call: Call): Answer {
  const { world, caller, request } = call;
  if (caller.kind !== "node") throw new TypeError("diagnostics is a node-token route");
  if (findToken(caller.node, caller.tokenHash)?.superseded) {
    throw new ApiError(401, "unauthorized", "This node token was replaced by a newer one; register again.");
  }
  const command = findCommand(call);
  if (command.type !== "diagnostics") {
    throw new ApiError(409, "not_a_diagnostics_command", `${command.id} is a ${command.type} command.`);
  }
  if (request.body.length === 0) throw new ApiError(400, "invalid_request", "The bundle is empty.");
  useToken(caller.node, caller.tokenHash);
  const stored = { bytes: request.body.length, sha256: sha256(request.body), receivedAt: world.now() };
  caller.node.diagnostics[command.id] = stored;
  world.bundles.set(command.id, request.body);
  for (const oldest of [...world.bundles.keys()].slice(0, -KEPT_BUNDLES)) world.bundles.delete(oldest);
  return {
    status: 201,
    body: { data: { command_id: command.id, bytes: stored.bytes, sha256: stored.sha256 } },
  };
}

/** The bundle as it came. */
export function getDiagnostics(call: Call): Answer {
  const bundle = call.world.bundles.get(findCommand(call).id);
  if (!bundle)
    throw new ApiError(
      404,
      "bundle_not_found",
      "No bundle has come for this command (or the sandbox was restarted).",
    );
  return { status: 200, body: bundle, headers: { "content-type": "application/gzip" } };
}

function findCommand(call: Call): CommandRecord {
  const node = findNode(call);
  const id = call.params.command_id ?? "";
  const command = lookup(call.world.state.commands, id);
  if (command?.nodeId !== node.id)
    throw new ApiError(404, "command_not_found", `${node.id} has no command ${id}.`);
  return command;
}
