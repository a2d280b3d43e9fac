/** /v1/nodes: listed, looked at, rebooted, sent commands, adopted. */
import * as v from "valibot";
import { type Answer, ApiError } from "../../http.ts";
import { checkBody } from "../agent-api/check.ts";
import { hardwareOf, mergedSections } from "../agent-api/report-view.ts";
import { isOverdue } from "../pace.ts";
import { type CommandRecord, lookup, type NodeRecord, rfc3339 } from "../state.ts";
import { type Call, type World, wake } from "../world.ts";
import { checkParams, commandOnWire, commandsOf } from "./commands.ts";
import { inConflict, takeOver } from "./instances.ts";
import { startOperation } from "./operations.ts";
import { page } from "./paging.ts";

/** GET /v1/nodes, newest first; `cluster_id`. */
export function listNodes(call: Call): Answer {
  const clusterId = call.request.query.get("cluster_id");
  const nodes = Object.values(call.world.state.nodes)
    .filter((node) => clusterId === null || node.clusterId === clusterId)
    .reverse();
  return page(call, nodes, (node) => nodeView(call.world, node));
}

/** GET /v1/nodes/{id} */
export function getNode(call: Call): Answer {
  return { status: 200, body: { data: nodeView(call.world, findNode(call)) } };
}

/** DELETE /v1/nodes/{id}: forget it; an agent behind it learns `node_not_found`. 409 while it is in a cluster. */
export function deleteNode(call: Call): Answer {
  const node = findNode(call);
  if (node.clusterId !== null)
    throw new ApiError(409, "node_in_use", `${node.id} is in cluster ${node.clusterId}.`);
  delete call.world.state.nodes[node.id];
  wake(call.world, node.id);
  return { status: 200, body: { data: { id: node.id, deleted: true } } };
}

const RebootBody = v.object({
  method: v.optional(v.picklist(["graceful", "hard"]), "graceful"),
  drain_osds: v.optional(v.boolean(), true),
});

/** POST /v1/nodes/{id}/reboot → 202 with the operation to follow. */
export function rebootNode(call: Call): Answer {
  return queue(call, "reboot", checkBody(call, RebootBody), undefined);
}

const CommandBody = v.object({
  type: v.string(),
  params: v.optional(v.record(v.string(), v.unknown()), {}),
  mode: v.optional(v.picklist(["live", "test"]), "live"),
  expires_in_s: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(30 * 86_400))),
});

/** POST /v1/nodes/{id}/commands {type, params?, mode?, expires_in_s?} → 202: any command of the agent API. */
export function postCommand(call: Call): Answer {
  const body = checkBody(call, CommandBody);
  return queue(call, body.type, checkParams(body.type, body.params), body);
}

function queue(
  call: Call,
  type: string,
  params: Record<string, unknown>,
  asked?: { mode: string; expires_in_s?: number | undefined },
): Answer {
  const { world, caller } = call;
  const node = findNode(call);
  const live = caller.kind === "account" && caller.key === "live" && asked?.mode !== "test";
  const operation = startOperation(world, {
    type: `node.${type}`,
    nodeId: node.id,
    plan: [
      {
        nodeId: node.id,
        type,
        params,
        mode: live ? "live" : "test",
        ...(asked?.expires_in_s === undefined ? {} : { expiresInS: asked.expires_in_s }),
      },
    ],
  });
  const commandId = operation.commandIds[0];
  return {
    status: 202,
    body: {
      data: { node_id: node.id, operation_id: operation.id, command_id: commandId, status: operation.status },
    },
  };
}

/** GET /v1/nodes/{id}/commands, newest first, with their history. */
export function listCommands(call: Call): Answer {
  return page(call, commandsOf(call.world, findNode(call)).reverse(), commandView);
}

/** GET /v1/nodes/{id}/report: sections as last reported, volatile values merged in. */
export function getReport(call: Call): Answer {
  const node = findNode(call);
  const received = Object.entries(node.sections).map(([name, section]) => [
    name,
    rfc3339(section.receivedAt),
  ]);
  const data = {
    node_id: node.id,
    seq: node.sync?.seq ?? null,
    hashes: node.hashes,
    received_at: Object.fromEntries(received),
    sections: mergedSections(node),
    volatile: node.volatile,
  };
  return { status: 200, body: { data } };
}

/** GET /v1/nodes/{id}/events, newest first; `type`. */
export function listEvents(call: Call): Answer {
  const type = call.request.query.get("type");
  const events = findNode(call).events.filter((event) => type === null || event.type === type);
  return page(call, events.reverse(), (event) => event);
}

/** POST /v1/nodes/{id}/resync {sections?}: ask for sections in full. */
export function askResync(call: Call): Answer {
  const node = findNode(call);
  const { sections } = checkBody(call, v.object({ sections: v.optional(v.array(v.string())) }));
  node.resyncAsked = [...new Set([...node.resyncAsked, ...(sections ?? Object.keys(node.sections))])];
  wake(call.world, node.id);
  return { status: 202, body: { data: { resync: node.resyncAsked } } };
}

/** POST /v1/nodes/{id}/rotate-token: the next sync answers carry a fresh token until one is used. */
export function rotateToken(call: Call): Answer {
  const node = findNode(call);
  node.rotateToken = true;
  wake(call.world, node.id);
  return { status: 202, body: { data: { id: node.id } } };
}

const AdoptBody = v.object({
  instance: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(128))),
  fingerprint: v.optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(200))), v.maxLength(64))),
});

/**
 * POST /v1/nodes/{id}/adopt: an operator settles who this node is after a changed mainboard or a clone.
 * With `fingerprint` the board given is this node's from now on, with `instance` that one is the node; with
 * neither, the next registration with its machine_id is taken as it comes. Also with the node's own token.
 */
export function adoptNode(call: Call): Answer {
  const node = findNode(call);
  const body = checkBody(call, AdoptBody);
  if (body.fingerprint) node.fingerprint = body.fingerprint;
  if (body.instance) takeOver(node, body.instance);
  node.adoptNext = body.fingerprint === undefined && body.instance === undefined;
  node.conflict = null;
  wake(call.world, node.id);
  return { status: 200, body: { data: nodeView(call.world, node) } };
}

export function findNode(call: Call): NodeRecord {
  const id = call.params.id ?? "";
  const node = lookup(call.world.state.nodes, id);
  if (!node) throw new ApiError(404, "node_not_found", `There is no node ${id}.`);
  return node;
}

function commandView(command: CommandRecord): Record<string, unknown> {
  const { state, acknowledged, delivered, history } = command;
  return {
    ...commandOnWire(command),
    state,
    delivered,
    acknowledged,
    cancel: command.cancelRequested,
    history,
  };
}

/** offline: missed two rounds · pending: in no cluster · else what the agent says. */
export function nodeStatus(world: World, node: NodeRecord): string {
  if (isOverdue(world, node)) return "offline";
  if (node.status !== "online") return node.status;
  return node.clusterId === null ? "pending" : "online";
}

/** The documented fields first, then what is known of the agent. */
function nodeView(world: World, node: NodeRecord): Record<string, unknown> {
  const { hostname, ...hardware } = hardwareOf(node);
  const conflict = inConflict(world, node) ? node.conflict : null;
  return {
    id: node.id,
    hostname,
    status: nodeStatus(world, node),
    cluster_id: node.clusterId,
    ...hardware,
    mode: node.mode,
    agent: node.seed
      ? null
      : {
          version: node.agentVersion,
          status: node.status,
          boot_id: node.sync?.bootId ?? null,
          last_sync_at: node.sync ? rfc3339(node.sync.at) : null,
          next_due_s: node.sync?.nextDueS ?? null,
        },
    noout: node.noout.map((held) => ({ ...held, overdue: Date.parse(held.until) < world.now() })),
    conflict: conflict ? { code: "node_cloned", since: rfc3339(conflict.since) } : null,
    created_at: rfc3339(node.createdAt),
  };
}
