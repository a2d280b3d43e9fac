/** OSDs of a cluster in the making, and whether one is up. */

import { hardwareOf, reportedOsds } from "../agent-api/report-view.ts";
import { type ClusterRecord, lookup, type OsdRecord } from "../state.ts";
import type { World } from "../world.ts";
import { nodeStatus } from "./nodes.ts";

/** up while its node is there. */
export function osdStatus(world: World, osd: OsdRecord): "up" | "down" {
  const node = lookup(world.state.nodes, osd.nodeId);
  if (!node) return "down";
  return ["offline", "rebooting", "maintenance"].includes(nodeStatus(world, node)) ? "down" : "up";
}

/** The OSDs its nodes report; where none are, one for each drive, or one at all. */
export function makeOsds(world: World, cluster: ClusterRecord): OsdRecord[] {
  const osds: OsdRecord[] = [];
  const nodes = cluster.nodeIds.flatMap((id) => lookup(world.state.nodes, id) ?? []);
  for (const node of nodes) {
    for (const reported of reportedOsds(node))
      osds.push({ ...reported, nodeId: node.id, weight: 1, invented: false });
  }
  let next = Math.max(-1, ...osds.map((osd) => osd.osdId)) + 1;
  for (const node of nodes) {
    if (osds.some((osd) => osd.nodeId === node.id)) continue;
    const drives = hardwareOf(node).drives.filter((drive) =>
      ["nvme", "ssd", "hdd"].includes(drive.type ?? ""),
    );
    for (const drive of drives.length > 0 ? drives : [{ device: "sdb", size_gb: 4000 }]) {
      const made = { osdId: next++, nodeId: node.id, device: drive.device, capacityGb: drive.size_gb };
      osds.push({ ...made, weight: 1, usedGb: 0, invented: true });
    }
  }
  return osds;
}

export function osdView(world: World, osd: OsdRecord): Record<string, unknown> {
  return {
    osd_id: osd.osdId,
    node_id: osd.nodeId,
    device: osd.device,
    status: osdStatus(world, osd),
    in: osd.weight > 0,
    weight: osd.weight,
    capacity_gb: osd.capacityGb,
    used_gb: osd.usedGb,
  };
}
