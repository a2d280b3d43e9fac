/** /v1/clusters/{id}/pools: written down only; there is no Ceph behind the sandbox. */
import * as v from "valibot";
import { type Answer, ApiError } from "../../http.ts";
import { checkBody } from "../agent-api/check.ts";
import { newId } from "../agent-api/ids.ts";
import { type PoolRecord, rfc3339 } from "../state.ts";
import type { Call } from "../world.ts";
import { findCluster } from "./clusters.ts";
import { page } from "./paging.ts";

const PoolBody = v.object({
  name: v.pipe(
    v.string(),
    v.regex(/^[a-zA-Z0-9._-]{1,63}$/, "expected letters, digits, dots, underscores and hyphens"),
  ),
  type: v.optional(v.picklist(["replicated", "erasure"]), "replicated"),
  replication_factor: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10))),
  erasure_profile: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(63))),
  pg_autoscale: v.optional(v.boolean(), true),
  application: v.picklist(["rbd", "cephfs", "rgw"]),
});

/** POST /v1/clusters/{id}/pools → 201. @throws ApiError 409 `pool_exists`, `cluster_not_ready`; 400 */
export function createPool(call: Call): Answer {
  const cluster = findCluster(call);
  const body = checkBody(call, PoolBody);
  if (body.type === "replicated" && body.erasure_profile !== undefined) {
    throw new ApiError(400, "invalid_request", "erasure_profile: only for type erasure.");
  }
  if (body.type === "erasure" && body.replication_factor !== undefined) {
    throw new ApiError(400, "invalid_request", "replication_factor: only for type replicated.");
  }
  if (cluster.status === "CREATING" || cluster.status === "DELETING") {
    throw new ApiError(409, "cluster_not_ready", `The cluster is ${cluster.status}.`);
  }
  if (cluster.pools.some((pool) => pool.name === body.name)) {
    throw new ApiError(409, "pool_exists", `The cluster has a pool named ${body.name} already.`);
  }
  const erasure = body.type === "erasure";
  const pool: PoolRecord = {
    id: newId("pool"),
    name: body.name,
    type: body.type,
    replication_factor: erasure ? null : (body.replication_factor ?? cluster.replicationFactor),
    erasure_profile: erasure ? (body.erasure_profile ?? "default") : null,
    pg_autoscale: body.pg_autoscale,
    application: body.application,
    created_at: rfc3339(call.world.now()),
  };
  cluster.pools.push(pool);
  return { status: 201, body: { data: pool } };
}

/** GET /v1/clusters/{id}/pools */
export function listPools(call: Call): Answer {
  return page(call, findCluster(call).pools, (pool) => pool);
}
