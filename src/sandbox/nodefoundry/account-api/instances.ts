/**
 * Two machines that speak as one node: a copied card, a cloned virtual machine, a container started twice.
 * The node belongs to the instance that registered last. Whoever else comes with its token gets 409, and
 * neither gets commands until an operator adopts one or the other has been quiet for a while, because
 * until then nobody can say on which machine a reboot would be carried out.
 */
import { ApiError } from "../../http.ts";
import { findToken } from "../agent-api/tokens.ts";
import type { NodeRecord } from "../state.ts";
import type { World } from "../world.ts";

/** An instance not heard of for this long counts as gone. A refused agent re-registers as a new node at once. */
const QUIET_MS = 10 * 60_000;

/**
 * Is it the same board? Nothing of the fingerprint in common: no. Nothing known on one side: it can't be told
 * (a bare container), so yes.
 */
function sameBoard(known: readonly string[], given: readonly string[]): boolean {
  if (known.length === 0 || given.length === 0) return true;
  return given.some((fact) => known.includes(fact));
}

/** @throws ApiError 409 `node_cloned` when `instance` is not the one that this node is now; 401 for a token that was replaced */
export function checkInstance(world: World, node: NodeRecord, instance: string, tokenHash: string): void {
  if (node.instance !== instance) {
    noteConflict(world, node, instance);
    throw cloned(`Another instance is live as ${node.id}; this one is a copy and must register anew.`);
  }
  if (findToken(node, tokenHash)?.superseded) {
    throw new ApiError(401, "unauthorized", "This node token was replaced by a newer one; register again.");
  }
}

/**
 * A registration for a known machine_id.
 * @throws ApiError 409 `node_cloned` for another board, or for an earlier instance coming back while its successor is alive
 */
export function checkRegistration(
  world: World,
  node: NodeRecord,
  given: { instance: string; fingerprint: string[] },
): void {
  if (node.adoptNext) return;
  if (!sameBoard(node.fingerprint, given.fingerprint)) {
    throw cloned(
      `This machine_id belongs to ${node.id} on another board. A copy makes a new machine_id; for a changed mainboard call POST /v1/nodes/${node.id}/adopt.`,
    );
  }
  const returned = node.instance !== given.instance && node.earlierInstances.includes(given.instance);
  const alive =
    node.sync !== null && node.sync.instance === node.instance && world.now() - node.sync.at < QUIET_MS;
  if (returned && alive) {
    noteConflict(world, node, given.instance);
    throw cloned(`Another instance is live as ${node.id}; this one is a copy and must register anew.`);
  }
}

/** True while it can't be told which machine a command would reach. Lifts a conflict that has gone quiet. */
export function inConflict(world: World, node: NodeRecord): boolean {
  if (node.conflict && world.now() - node.conflict.lastHeardAt >= QUIET_MS) {
    world.log(`${node.id}: the other instance has been quiet for 10 minutes, commands go out again`);
    node.conflict = null;
  }
  return node.conflict !== null;
}

/** Make `instance` the one this node is. */
export function takeOver(node: NodeRecord, instance: string): void {
  if (node.instance !== null && node.instance !== instance) {
    node.earlierInstances = [...node.earlierInstances, node.instance].slice(-16);
  }
  node.instance = instance;
}

function noteConflict(world: World, node: NodeRecord, instance: string): void {
  const since = node.conflict?.since ?? world.now();
  if (!node.conflict) world.log(`${node.id}: two live instances, commands held until it is resolved`);
  node.conflict = { instance, since, lastHeardAt: world.now() };
}

function cloned(message: string): ApiError {
  return new ApiError(409, "node_cloned", message);
}
