/**
 * Time passes: called before and after each request, so nothing here needs a timer. What no agent carries
 * out comes to its end after a while, commands nobody took expire, and finished operations have their effect.
 */
import { endCommand, isFinal } from "./account-api/commands.ts";
import { finish, followCommand, isOver } from "./account-api/operations.ts";
import { makeOsds } from "./account-api/osd-model.ts";
import { type CommandRecord, lookup, type OperationRecord } from "./state.ts";
import type { World } from "./world.ts";

export function advance(world: World): void {
  for (const command of Object.values(world.state.commands)) advanceCommand(world, command);
  for (const operation of Object.values(world.state.operations)) {
    if (!isOver(operation)) advanceOperation(world, operation);
    if (isOver(operation) && !operation.settled) {
      operation.settled = true;
      EFFECTS[operation.type]?.(world, operation);
    }
  }
}

function advanceCommand(world: World, command: CommandRecord): void {
  if (isFinal(command.state)) return;
  const node = lookup(world.state.nodes, command.nodeId);
  if (node?.seed && world.now() >= command.issuedAt + (world.options.operationMs ?? 10_000)) {
    endCommand(world, command, "succeeded", "Done (simulated).");
  } else if (!command.delivered && world.now() > command.expiresAt) {
    // One that was delivered is the agent's to judge: it may be carrying it out right now.
    endCommand(world, command, "expired", "The node did not fetch the command before it expired.");
  } else return;
  const message = command.history.at(-1)?.message ?? "";
  followCommand(world, command, { message, progress: null, result: null });
}

function advanceOperation(world: World, operation: OperationRecord): void {
  if (operation.durationMs === null) return;
  const part = operation.durationMs <= 0 ? 1 : (world.now() - operation.createdAt) / operation.durationMs;
  operation.status = "running";
  operation.message = "Under way.";
  operation.progress = Math.min(1, Math.max(operation.progress, part));
  if (part >= 1) finish(world, operation, "succeeded", "Done.");
}

/** What is true after an operation, by its type. */
const EFFECTS: Readonly<Record<string, (world: World, operation: OperationRecord) => void>> = {
  "cluster.create": (world, operation) => {
    const cluster = lookup(world.state.clusters, operation.clusterId ?? "");
    if (!cluster) return;
    cluster.osds = makeOsds(world, cluster);
    cluster.status = "HEALTH_OK";
  },
  "cluster.upgrade": (world, operation) => {
    const cluster = lookup(world.state.clusters, operation.clusterId ?? "");
    const version = operation.detail.ceph_version;
    if (!cluster || operation.status !== "succeeded") return;
    if (version === "reef" || version === "squid") cluster.cephVersion = version;
  },
  "cluster.delete": (world, operation) => {
    const cluster = lookup(world.state.clusters, operation.clusterId ?? "");
    if (!cluster) return;
    // A wipe that was refused leaves the cluster there, and nobody knows how whole it is.
    cluster.status = "HEALTH_ERR";
    if (operation.status !== "succeeded") return;
    for (const node of Object.values(world.state.nodes))
      if (node.clusterId === cluster.id) node.clusterId = null;
    delete world.state.clusters[cluster.id];
  },
  "osd.reweight": (world, operation) => {
    if (operation.status !== "succeeded") return;
    const cluster = lookup(world.state.clusters, operation.clusterId ?? "");
    const osd = cluster?.osds.find((each) => each.osdId === operation.detail.osd_id);
    if (osd && typeof operation.detail.weight === "number") osd.weight = operation.detail.weight;
  },
};
