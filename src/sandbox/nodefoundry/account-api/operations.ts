/**
 * Operations: what a person follows at /v1/operations/{id}. One either follows the commands it issued,
 * some at a time, or (for what no agent takes part in) just takes a while.
 */
import { type Answer, ApiError } from "../../http.ts";
import { newId } from "../agent-api/ids.ts";
import { isOverdue } from "../pace.ts";
import { type CommandRecord, lookup, type OperationRecord, rfc3339 } from "../state.ts";
import type { Call, World } from "../world.ts";
import { cancelCommand, isFinal, issueCommand } from "./commands.ts";
import { page } from "./paging.ts";

export type NewOperation = Pick<OperationRecord, "type"> &
  Partial<Pick<OperationRecord, "nodeId" | "clusterId" | "plan" | "maxConcurrent" | "detail" | "durationMs">>;

/** Start one; its first commands go out at once. Without a plan it takes `operationMs`. */
export function startOperation(world: World, given: NewOperation): OperationRecord {
  const plan = given.plan ?? [];
  const operation: OperationRecord = {
    id: newId("op"),
    type: given.type,
    status: "pending",
    progress: 0,
    message: plan.length > 0 ? "Waiting for the node." : "Queued.",
    nodeId: given.nodeId ?? null,
    clusterId: given.clusterId ?? null,
    createdAt: world.now(),
    finishedAt: null,
    result: null,
    durationMs: plan.length > 0 ? null : (given.durationMs ?? world.options.operationMs ?? 10_000),
    commandIds: [],
    plan,
    maxConcurrent: given.maxConcurrent ?? 1,
    detail: given.detail ?? {},
    settled: false,
  };
  world.state.operations[operation.id] = operation;
  issueNext(world, operation);
  return operation;
}

export function isOver(operation: OperationRecord): boolean {
  return operation.finishedAt !== null;
}

export function finish(
  world: World,
  operation: OperationRecord,
  status: "succeeded" | "failed" | "cancelled",
  message: string,
): void {
  operation.status = status;
  operation.message = message;
  if (status === "succeeded") operation.progress = 1;
  operation.plan = [];
  operation.finishedAt = world.now();
  world.log(`operation ${operation.id} ${operation.type}: ${status} (${message})`);
}

/** Keep `maxConcurrent` of the planned commands open. */
function issueNext(world: World, operation: OperationRecord): void {
  const open = operationCommands(world, operation).filter((command) => !isFinal(command.state)).length;
  for (const planned of operation.plan.splice(0, Math.max(0, operation.maxConcurrent - open))) {
    operation.commandIds.push(issueCommand(world, planned, operation.id).id);
  }
}

function operationCommands(world: World, operation: OperationRecord): CommandRecord[] {
  return operation.commandIds.flatMap((id) => lookup(world.state.commands, id) ?? []);
}

/** A command of the operation has a new state. */
export function followCommand(
  world: World,
  command: CommandRecord,
  said: { message: string; progress: number | null; result: unknown },
): void {
  const operation = lookup(world.state.operations, command.operationId);
  if (!operation || isOver(operation)) return;
  const commands = operationCommands(world, operation);
  const total = commands.length + operation.plan.length;
  const done = commands.filter((each) => each.state === "succeeded").length;
  const part = isFinal(command.state) ? 0 : (said.progress ?? 0);
  operation.progress = Math.max(operation.progress, Math.min(1, (done + part) / total));
  if (said.message !== "") operation.message = said.message;
  if (said.result !== null) operation.result = said.result;
  const { state } = command;
  if (state === "failed" || state === "refused" || state === "expired") {
    finish(world, operation, "failed", said.message || `The command ended as ${state}.`);
  } else if (state === "cancelled" || state === "rehearsed") {
    // What was only rehearsed has changed nothing: no success that a rollout could go on after, and no failure either.
    const plain = state === "cancelled" ? "Cancelled." : "It was rehearsed: nothing was done.";
    finish(world, operation, "cancelled", said.message || plain);
  } else if (state === "succeeded") {
    operation.status = "running";
    // The node is worse than before: the next one is not taken down as well.
    if (operation.plan.length > 0 && isWorse(said.result))
      finish(world, operation, "failed", `Stopped after ${command.nodeId}: ${said.message}`);
    else issueNext(world, operation);
    if (done === total) finish(world, operation, "succeeded", said.message || "Done.");
  } else if (state === "running" || state === "rebooting" || state === "verifying" || done > 0) {
    operation.status = "running";
  }
}

/** GET /v1/operations/{id} */
export function getOperation(call: Call): Answer {
  return { status: 200, body: { data: operationView(call.world, findOperation(call)) } };
}

/** GET /v1/operations, newest first; `status`, `node_id`. */
export function listOperations(call: Call): Answer {
  const { query } = call.request;
  const operations = Object.values(call.world.state.operations)
    .filter((operation) => !query.has("status") || operation.status === query.get("status"))
    .filter((operation) => !query.has("node_id") || operation.nodeId === query.get("node_id"))
    .reverse();
  return page(call, operations, (operation) => operationView(call.world, operation));
}

/** POST /v1/operations/{id}/cancel: 202 when asked for, 409 `operation_finished`. */
export function cancelOperation(call: Call): Answer {
  const { world } = call;
  const operation = findOperation(call);
  if (isOver(operation))
    throw new ApiError(409, "operation_finished", `The operation has ${operation.status} already.`);
  if (operation.clusterId !== null && operation.durationMs !== null) {
    throw new ApiError(409, "not_cancellable", `A ${operation.type} cannot be cancelled.`);
  }
  operation.plan = [];
  for (const command of operationCommands(world, operation)) {
    if (cancelCommand(world, command))
      followCommand(world, command, { message: "", progress: null, result: null });
  }
  if (!isOver(operation) && operationCommands(world, operation).every((command) => isFinal(command.state))) {
    finish(world, operation, "cancelled", "Cancelled.");
  }
  return { status: 202, body: { data: operationView(world, operation) } };
}

function findOperation(call: Call): OperationRecord {
  const id = call.params.id ?? "";
  const operation = lookup(call.world.state.operations, id);
  if (!operation) throw new ApiError(404, "operation_not_found", `There is no operation ${id}.`);
  return operation;
}

/** The documented shape, with the node's silence said where a reboot does not come back. */
function operationView(world: World, operation: OperationRecord): Record<string, unknown> {
  return {
    id: operation.id,
    type: operation.type,
    status: operation.status,
    progress: Math.round(operation.progress * 100) / 100,
    message: operation.message + silence(world, operation),
    node_id: operation.nodeId,
    cluster_id: operation.clusterId,
    command_ids: operation.commandIds,
    result: operation.result,
    steps: operationCommands(world, operation).flatMap(stepsOf),
    cause: causeOf(operation.result),
    created_at: rfc3339(operation.createdAt),
    finished_at: operation.finishedAt === null ? null : rfc3339(operation.finishedAt),
  };
}

/** What the agent said of one command, oldest first. */
function stepsOf({ id, history }: CommandRecord): Record<string, unknown>[] {
  return history.map(({ at, state, step = null, message }) => ({ at, command_id: id, state, step, message }));
}

/** Of a reboot after which the agent looked at the node: something that worked before does not any more. */
function isWorse(result: unknown): boolean {
  const { regressed } = (result ?? {}) as { regressed?: unknown };
  return Array.isArray(regressed) && regressed.length > 0;
}

/** Of a reboot, as the agent proved it: which boot it was before and which it is now. Null for all else. */
function causeOf(result: unknown): Record<string, unknown> | null {
  const { cause, from_boot_id, boot_id } = (result ?? {}) as Record<string, unknown>;
  return typeof cause === "string" ? { cause, from_boot_id, boot_id } : null;
}

function silence(world: World, operation: OperationRecord): string {
  const node = operation.nodeId === null ? null : lookup(world.state.nodes, operation.nodeId);
  if (isOver(operation) || !node?.sync || node.noout.length === 0) return "";
  if (!isOverdue(world, node)) return "";
  const held = node.noout.map(({ bucket, until }) => `noout on ${bucket} until ${until}`).join(", ");
  return ` The node has not been heard of since ${rfc3339(node.sync.at)}; it holds ${held}.`;
}
