/**
 * The section `ceph` as a table for people and as Prometheus families. Not under the names of Ceph's own exporter: its
 * dashboards add them up, and would count what each host tells once more.
 */
import type { Metric, TableView } from "../collector.ts";
import type { CephData, CephOsd } from "./schema.ts";

export const cephTable: TableView<CephData> = {
  columns: ["what", "drives", "bucket", "class", "state", "weight", "used"],
  rows: ({ osds, daemons }) => [
    ...osds.map((osd) => [
      `osd.${osd.id}`,
      osd.drives.join(" ") || null,
      osd.bucket,
      osd.class,
      stateText(osd),
      osd.weight === null ? null : String(Math.round(osd.weight * 1_000) / 1_000),
      usedText(osd),
    ]),
    ...daemons.map(({ kind, name }) => [`${kind}.${name}`, null, null, null, null, null, null]),
  ],
};

/** "up in", as Ceph's own tools say. */
export function stateText({ up, in: isIn }: CephOsd): string | null {
  return up === null || isIn === null ? null : `${up ? "up" : "down"} ${isIn ? "in" : "out"}`;
}

/** "15 %". */
export function usedText({ used_bytes, capacity_bytes }: CephOsd): string | null {
  if (used_bytes === null || capacity_bytes === null || capacity_bytes === 0) return null;
  return `${Math.round((100 * used_bytes) / capacity_bytes)} %`;
}

function ofOsd(
  name: string,
  help: string,
  pick: (osd: CephOsd) => number | boolean | null,
): Metric<CephData> {
  return {
    name,
    help,
    type: "gauge",
    *samples({ osds }) {
      for (const osd of osds) {
        const value = pick(osd);
        if (value !== null) yield { value: Number(value), labels: { ceph_daemon: `osd.${osd.id}` } };
      }
    },
  };
}

export const cephMetrics: readonly Metric<CephData>[] = [
  ofOsd("foundry_agent_ceph_osd_up", "Whether the cluster's map has this host's OSD up.", ({ up }) => up),
  ofOsd("foundry_agent_ceph_osd_in", "Whether it counts as part of the cluster.", (osd) => osd.in),
  ofOsd("foundry_agent_ceph_osd_weight", "Override weight, 0 to 1.", ({ weight }) => weight),
  ofOsd("foundry_agent_ceph_osd_size_bytes", "Capacity.", ({ capacity_bytes }) => capacity_bytes),
  ofOsd("foundry_agent_ceph_osd_used_bytes", "Of it used.", ({ used_bytes }) => used_bytes),
  {
    name: "foundry_agent_ceph_asked",
    help: "Whether the cluster answered at the last look.",
    type: "gauge",
    samples: ({ cluster }) => [{ value: cluster === null ? 0 : 1 }],
  },
  {
    name: "foundry_agent_ceph_foreign_noout_since_seconds",
    help: "Since when, in seconds since the epoch, this node sees another bucket kept in by noout with no OSD up.",
    type: "gauge",
    *samples({ cluster }) {
      for (const { bucket, since } of cluster?.noout_elsewhere ?? [])
        if (since !== null) yield { value: Date.parse(since) / 1_000, labels: { bucket } };
    },
  },
  {
    name: "foundry_agent_ceph_health",
    help: "Health as the cluster says: 0 HEALTH_OK, 1 HEALTH_WARN, 2 HEALTH_ERR.",
    type: "gauge",
    *samples({ cluster }) {
      const value = ["HEALTH_OK", "HEALTH_WARN", "HEALTH_ERR"].indexOf(cluster?.health ?? "");
      if (value !== -1) yield { value };
    },
  },
];
