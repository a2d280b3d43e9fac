/** `command.state` and `noout.*` events applied: the command, its operation and the node follow what the agent says. */
import * as v from "valibot";
import { COMMAND_STATES } from "../../../model/command.ts";
import { isFinal } from "../account-api/commands.ts";
import { followCommand } from "../account-api/operations.ts";
import { lookup, type NodeRecord, type StoredEvent } from "../state.ts";
import type { World } from "../world.ts";

const CommandStateData = v.object({
  command_id: v.string(),
  state: v.picklist(COMMAND_STATES),
  step: v.nullish(v.string()),
  progress: v.nullish(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
  message: v.nullish(v.string(), ""),
  result: v.optional(v.unknown()),
  error: v.nullish(v.object({ code: v.string(), message: v.string() })),
});

const NooutData = v.object({ bucket: v.string(), until: v.optional(v.string()) });

/** Apply one event that was not seen before. Events of other types, of other nodes' commands or out of order change nothing. */
export function applyEvent(world: World, node: NodeRecord, event: StoredEvent): void {
  if (event.type === "command.state") applyCommandState(world, node, event);
  if (event.type === "noout.set" || event.type === "noout.unset") applyNoout(node, event);
}

function applyCommandState(world: World, node: NodeRecord, event: StoredEvent): void {
  const data = v.safeParse(CommandStateData, event.data);
  if (!data.success) return;
  const said = data.output;
  const command = lookup(world.state.commands, said.command_id);
  // Ids rise within a node, so a lower one that comes later is old news: never back from a later state.
  if (!command || command.nodeId !== node.id || isFinal(command.state) || event.id <= command.lastEventId)
    return;
  command.state = said.state;
  command.acknowledged = true;
  command.delivered = true;
  command.lastEventId = event.id;
  const message = said.error?.message ?? said.message ?? "";
  command.history.push({ at: event.at, state: said.state, step: said.step ?? null, message });
  followCommand(world, command, { message, progress: said.progress ?? null, result: said.result ?? null });
}

function applyNoout(node: NodeRecord, event: StoredEvent): void {
  const data = v.safeParse(NooutData, event.data);
  if (!data.success) return;
  const { bucket, until } = data.output;
  node.noout = node.noout.filter((held) => held.bucket !== bucket);
  if (event.type === "noout.set" && until !== undefined) node.noout.push({ bucket, until });
}
