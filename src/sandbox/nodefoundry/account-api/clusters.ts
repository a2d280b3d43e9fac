/** /v1/clusters: the documented calls. What no agent command stands for (making a cluster) just takes a while here. */
import * as v from "valibot";
import { type Answer, ApiError } from "../../http.ts";
import { checkBody } from "../agent-api/check.ts";
import { newId } from "../agent-api/ids.ts";
import { type ClusterRecord, lookup, type PlannedCommand, rfc3339 } from "../state.ts";
import type { Call, World } from "../world.ts";
import { isOver, startOperation } from "./operations.ts";
import { osdStatus } from "./osd-model.ts";
import { page } from "./paging.ts";

const HEALTH = ["HEALTH_OK", "HEALTH_WARN", "HEALTH_ERR"] as const;

/** GET /v1/clusters, newest first; `status`. */
export function listClusters(call: Call): Answer {
  const status = call.request.query.get("status");
  if (status !== null && !HEALTH.some((known) => known === status)) {
    throw new ApiError(400, "invalid_request", `status: expected one of ${HEALTH.join(", ")}.`);
  }
  const clusters = Object.values(call.world.state.clusters)
    .filter((cluster) => status === null || clusterStatus(call.world, cluster) === status)
    .reverse();
  return page(call, clusters, (cluster) => clusterView(call.world, cluster));
}

/** GET /v1/clusters/{id} */
export function getCluster(call: Call): Answer {
  return { status: 200, body: { data: clusterView(call.world, findCluster(call)) } };
}

const CreateBody = v.object({
  name: v.pipe(
    v.string(),
    v.regex(
      /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
      "expected lowercase letters, digits and hyphens, at most 63",
    ),
  ),
  node_ids: v.pipe(v.array(v.string()), v.minLength(3, "at least 3 nodes are needed"), v.maxLength(1000)),
  ceph_version: v.optional(v.picklist(["reef", "squid"]), "squid"),
  failure_domain: v.optional(v.picklist(["host", "rack", "zone"]), "host"),
  replication_factor: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10)), 3),
});

/** POST /v1/clusters → 201. @throws ApiError 409 `cluster_exists`, `node_in_use`; 404 `node_not_found`; 400 */
export function createCluster(call: Call): Answer {
  const { world } = call;
  const body = checkBody(call, CreateBody);
  if (new Set(body.node_ids).size !== body.node_ids.length) {
    throw new ApiError(400, "invalid_request", "node_ids: a node is named twice.");
  }
  if (body.failure_domain === "host" && body.replication_factor > body.node_ids.length) {
    throw new ApiError(400, "invalid_request", "replication_factor: more copies than hosts to put them on.");
  }
  if (Object.values(world.state.clusters).some((cluster) => cluster.name === body.name)) {
    throw new ApiError(409, "cluster_exists", `There is a cluster named ${body.name} already.`);
  }
  const nodes = body.node_ids.map((id) => {
    const node = lookup(world.state.nodes, id);
    if (!node) throw new ApiError(404, "node_not_found", `There is no node ${id}.`);
    if (node.clusterId !== null)
      throw new ApiError(409, "node_in_use", `${id} is in cluster ${node.clusterId}.`);
    return node;
  });
  const cluster: ClusterRecord = {
    id: newId("clus"),
    name: body.name,
    status: "CREATING",
    cephVersion: body.ceph_version,
    failureDomain: body.failure_domain,
    replicationFactor: body.replication_factor,
    nodeIds: body.node_ids,
    osds: [],
    pools: [],
    createdAt: world.now(),
    operationId: null,
  };
  world.state.clusters[cluster.id] = cluster;
  for (const node of nodes) node.clusterId = cluster.id;
  const operation = startOperation(world, { type: "cluster.create", clusterId: cluster.id });
  cluster.operationId = operation.id;
  const { id, name, status } = cluster;
  return { status: 201, body: { data: { id, name, status, operation_id: operation.id } } };
}

const UpgradeBody = v.object({
  ceph_version: v.optional(v.picklist(["reef", "squid"])),
  os_packages: v.optional(v.boolean()),
  max_concurrent: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)), 1),
});

/** POST /v1/clusters/{id}/upgrade → 202: an `upgrade` command a node, `max_concurrent` at a time. */
export function upgradeCluster(call: Call): Answer {
  const cluster = findIdleCluster(call);
  const { max_concurrent, ...params } = checkBody(call, UpgradeBody);
  if (params.ceph_version === undefined && params.os_packages !== true) {
    throw new ApiError(400, "invalid_request", "Say what to upgrade: ceph_version, os_packages or both.");
  }
  if (params.ceph_version === "reef" && cluster.cephVersion === "squid") {
    throw new ApiError(400, "invalid_request", "ceph_version: a cluster cannot go back from squid to reef.");
  }
  const mode = modeOf(call);
  const plan = cluster.nodeIds.map((nodeId): PlannedCommand => ({ nodeId, type: "upgrade", params, mode }));
  const detail = { ceph_version: params.ceph_version ?? null };
  return begin(call, cluster, { type: "cluster.upgrade", plan, maxConcurrent: max_concurrent, detail });
}

/** DELETE /v1/clusters/{id} → 202. @throws ApiError 400 `confirmation_required` */
export function deleteCluster(call: Call): Answer {
  if (call.request.headers["x-confirm-delete"] !== "true") {
    throw new ApiError(
      400,
      "confirmation_required",
      "This wipes all data of the cluster; send X-Confirm-Delete: true.",
    );
  }
  const cluster = findIdleCluster(call);
  const plan = cluster.nodeIds.flatMap((nodeId): PlannedCommand[] => {
    const osds = cluster.osds.filter((osd) => osd.nodeId === nodeId);
    if (osds.length === 0) return [];
    // Numbers made up here may be those of real OSDs on that machine.
    const mode = osds.some((osd) => osd.invented) ? "test" : modeOf(call);
    return [{ nodeId, type: "wipe", params: { osd_ids: osds.map((osd) => osd.osdId), confirm: true }, mode }];
  });
  cluster.status = "DELETING";
  return begin(call, cluster, {
    type: "cluster.delete",
    plan,
    maxConcurrent: Math.max(1, plan.length),
    detail: {},
  });
}

function begin(
  call: Call,
  cluster: ClusterRecord,
  given: { type: string; plan: PlannedCommand[]; maxConcurrent: number; detail: Record<string, unknown> },
): Answer {
  const operation = startOperation(call.world, { ...given, clusterId: cluster.id });
  cluster.operationId = operation.id;
  const { id, name } = cluster;
  const status = clusterStatus(call.world, cluster);
  return { status: 202, body: { data: { id, name, status, operation_id: operation.id } } };
}

/** What a call with this key may do to hardware at most. */
export function modeOf(call: Call): "live" | "test" {
  return call.caller.kind === "account" && call.caller.key === "live" ? "live" : "test";
}

export function findCluster(call: Call): ClusterRecord {
  const id = call.params.id ?? "";
  const cluster = lookup(call.world.state.clusters, id);
  if (!cluster) throw new ApiError(404, "cluster_not_found", `There is no cluster ${id}.`);
  return cluster;
}

/** @throws ApiError 409 `operation_in_progress` */
function findIdleCluster(call: Call): ClusterRecord {
  const cluster = findCluster(call);
  const operation =
    cluster.operationId === null ? null : lookup(call.world.state.operations, cluster.operationId);
  if (operation && !isOver(operation)) {
    throw new ApiError(409, "operation_in_progress", `${operation.type} (${operation.id}) is under way.`);
  }
  return cluster;
}

/** A healthy cluster warns while an OSD is down or out, and errs when none is up. */
function clusterStatus(world: World, cluster: ClusterRecord): ClusterRecord["status"] {
  if (cluster.status !== "HEALTH_OK" || cluster.osds.length === 0) return cluster.status;
  const up = cluster.osds.filter((osd) => osdStatus(world, osd) === "up").length;
  if (up === 0) return "HEALTH_ERR";
  return up < cluster.osds.length || cluster.osds.some((osd) => osd.weight === 0)
    ? "HEALTH_WARN"
    : "HEALTH_OK";
}

function clusterView(world: World, cluster: ClusterRecord): Record<string, unknown> {
  const gigabytes = cluster.osds.reduce((sum, osd) => sum + osd.capacityGb, 0);
  return {
    id: cluster.id,
    name: cluster.name,
    status: clusterStatus(world, cluster),
    ceph_version: cluster.cephVersion,
    node_count: cluster.nodeIds.length,
    osd_count: cluster.osds.length,
    raw_capacity_tib: Math.round(((gigabytes * 1e9) / 2 ** 40) * 100) / 100,
    created_at: rfc3339(cluster.createdAt),
  };
}
