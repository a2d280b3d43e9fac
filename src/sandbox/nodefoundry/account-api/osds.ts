/** /v1/clusters/{id}/osds and reweight. OSDs are those the agents report, else one is made up for each drive. */
import * as v from "valibot";
import { type Answer, ApiError } from "../../http.ts";
import { checkBody } from "../agent-api/check.ts";
import type { Call } from "../world.ts";
import { findCluster, modeOf } from "./clusters.ts";
import { startOperation } from "./operations.ts";
import { osdView } from "./osd-model.ts";
import { page } from "./paging.ts";

/** GET /v1/clusters/{id}/osds */
export function listOsds(call: Call): Answer {
  return page(call, findCluster(call).osds, (osd) => osdView(call.world, osd));
}

const ReweightBody = v.object({ weight: v.pipe(v.number(), v.minValue(0), v.maxValue(1)) });

/** POST /v1/clusters/{id}/osds/{osd_id}/reweight → 202: the weight is set when the node has done it. */
export function reweightOsd(call: Call): Answer {
  const { world, params } = call;
  const cluster = findCluster(call);
  const { weight } = checkBody(call, ReweightBody);
  const osd = cluster.osds.find((each) => String(each.osdId) === params.osd_id);
  if (!osd) throw new ApiError(404, "osd_not_found", `Cluster ${cluster.id} has no OSD ${params.osd_id}.`);
  const mode = osd.invented ? "test" : modeOf(call);
  const operation = startOperation(world, {
    type: "osd.reweight",
    nodeId: osd.nodeId,
    clusterId: cluster.id,
    plan: [{ nodeId: osd.nodeId, type: "reweight", params: { osd_id: osd.osdId, weight }, mode }],
    detail: { osd_id: osd.osdId, weight },
  });
  return { status: 202, body: { data: { osd_id: osd.osdId, weight, operation_id: operation.id } } };
}
