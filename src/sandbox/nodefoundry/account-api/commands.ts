/**
 * Commands from the server's side: queued, repeated in every answer until the first command.state event,
 * followed by those events to a final state. The agent decides what becomes of a command; the server only
 * writes it down, and only ends one by itself that no agent was ever told of.
 */
import type * as v from "valibot";
import { FINAL_STATES } from "../../../model/command.ts";
import { ApiError } from "../../http.ts";
import { check } from "../agent-api/check.ts";
import { newId } from "../agent-api/ids.ts";
import { type CommandRecord, lookup, type NodeRecord, type PlannedCommand, rfc3339 } from "../state.ts";
import { type World, wake } from "../world.ts";
import { COMMAND_TYPES, isCommandType } from "./command-types.ts";
import { inConflict } from "./instances.ts";
import { signCommand } from "./sign.ts";

const DEFAULT_LIFETIME_S = 3600;
/** Of one answer, as many as an agent looks at. */
const COMMANDS_AN_ANSWER = 100;

export function isFinal(state: CommandRecord["state"]): boolean {
  return FINAL_STATES.some((final) => final === state);
}

/** @throws ApiError 400 `invalid_request` for an unknown type or params that do not fit */
export function checkParams(type: string, params: unknown): Record<string, unknown> {
  if (!isCommandType(type)) {
    const known = Object.keys(COMMAND_TYPES).join(", ");
    throw new ApiError(
      400,
      "invalid_request",
      `type: there is no command type ${JSON.stringify(type).slice(0, 80)}; known are ${known}.`,
    );
  }
  return check(COMMAND_TYPES[type] as v.GenericSchema<unknown, Record<string, unknown>>, params);
}

/** Queue a command for a node and end its long poll. `planned.mode` is lowered to test for a test node. */
export function issueCommand(world: World, planned: PlannedCommand, operationId: string): CommandRecord {
  const { state } = world;
  const node = lookup(state.nodes, planned.nodeId);
  const record: CommandRecord = {
    id: newId("cmd"),
    nodeId: planned.nodeId,
    mode: planned.mode === "live" && node?.mode === "live" ? "live" : "test",
    type: planned.type,
    params: planned.params,
    operationId,
    epoch: state.epoch,
    seq: ++state.commandSeq,
    issuedAt: world.now(),
    expiresAt: world.now() + (planned.expiresInS ?? DEFAULT_LIFETIME_S) * 1000,
    signature: null,
    state: "queued",
    delivered: false,
    acknowledged: false,
    cancelRequested: false,
    fromBootId: null,
    lastEventId: "",
    history: [],
  };
  const { signingKey } = world.options;
  if (signingKey) record.signature = signCommand(unsigned(record), signingKey);
  state.commands[record.id] = record;
  world.log(`${record.nodeId}: command ${record.type} ${record.id} (${record.mode})`);
  wake(world, record.nodeId);
  return record;
}

export function commandsOf(world: World, node: NodeRecord): CommandRecord[] {
  return Object.values(world.state.commands).filter((command) => command.nodeId === node.id);
}

/** What goes into the next answer: commands never heard of, and those to be cancelled. None while two instances are live. */
export function dueCommands(world: World, node: NodeRecord): { commands: CommandRecord[]; cancel: string[] } {
  if (inConflict(world, node)) return { commands: [], cancel: [] };
  const open = commandsOf(world, node).filter((command) => !isFinal(command.state));
  const due = open.filter((command) => !command.acknowledged).sort((a, b) => a.seq - b.seq);
  return {
    commands: due.slice(0, COMMANDS_AN_ANSWER),
    cancel: open.filter((command) => command.cancelRequested).map((command) => command.id),
  };
}

/** The command as it goes over the wire. */
export function commandOnWire(record: CommandRecord): Record<string, unknown> {
  return record.signature === null ? unsigned(record) : { ...unsigned(record), signature: record.signature };
}

/** For the enrol answer: what this node was told of and has not finished. */
export function openCommands(world: World, node: NodeRecord): Record<string, unknown>[] {
  return commandsOf(world, node)
    .filter((command) => command.delivered && !isFinal(command.state))
    .sort((a, b) => a.seq - b.seq)
    .map((command) => ({
      id: command.id,
      type: command.type,
      state: command.acknowledged ? command.state : "received",
      from_boot_id: command.fromBootId,
    }));
}

/** Ask for a cancel. One that no answer ever carried is cancelled here and now. @returns false when it is over already */
export function cancelCommand(world: World, command: CommandRecord): boolean {
  if (isFinal(command.state)) return false;
  if (!command.delivered)
    endCommand(world, command, "cancelled", "Cancelled before the node was told of it.");
  else command.cancelRequested = true;
  wake(world, command.nodeId);
  return true;
}

/** A state that the server itself gives. */
export function endCommand(
  world: World,
  command: CommandRecord,
  state: "cancelled" | "expired" | "succeeded",
  message: string,
): void {
  command.state = state;
  command.history.push({ at: rfc3339(world.now()), state, step: null, message });
}

function unsigned(record: CommandRecord): Record<string, unknown> {
  return {
    id: record.id,
    node_id: record.nodeId,
    mode: record.mode,
    type: record.type,
    params: record.params,
    operation_id: record.operationId,
    epoch: record.epoch,
    seq: record.seq,
    issued_at: rfc3339(record.issuedAt),
    expires_at: rfc3339(record.expiresAt),
  };
}
