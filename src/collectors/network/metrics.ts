/** The section `network` in node_exporter's metric names. */
import type { Metric } from "../collector.ts";
import type { Network, NetworkInterface } from "./schema.ts";

function perInterface(
  name: string,
  help: string,
  type: Metric<Network>["type"],
  value: (item: NetworkInterface) => number | null | undefined,
): Metric<Network> {
  return {
    name,
    help,
    type,
    *samples(data) {
      for (const item of data.interfaces) {
        const found = value(item);
        if (found !== null && found !== undefined) yield { value: found, labels: { device: item.name } };
      }
    },
  };
}

export const networkMetrics: readonly Metric<Network>[] = [
  perInterface("node_network_up", "Value is 1 if operstate is 'up', 0 otherwise.", "gauge", (item) =>
    item.state === "up" ? 1 : 0,
  ),
  perInterface("node_network_carrier", "Whether a link is detected.", "gauge", (item) =>
    item.carrier === null ? null : Number(item.carrier),
  ),
  perInterface(
    "node_network_carrier_changes_total",
    "Carrier gained or lost.",
    "counter",
    (item) => item.carrier_changes,
  ),
  perInterface("node_network_mtu_bytes", "Maximum transmission unit.", "gauge", (item) => item.mtu),
  perInterface("node_network_speed_bytes", "Link speed in bytes a second.", "gauge", (item) =>
    item.speed_mbps === null ? null : item.speed_mbps * 125_000,
  ),
  {
    name: "foundry_agent_listening",
    help: "1 for each of Ceph's ports on which something listens.",
    type: "gauge",
    samples: ({ listening }) =>
      (listening?.ports ?? []).map(({ port, usual, loopback_only }) => ({
        value: 1,
        labels: { port: String(port), usual, loopback_only: loopback_only ? "yes" : "no" },
      })),
  },
  {
    name: "foundry_agent_listening_osd_range",
    help: "Ports from 6800 to 7568 (OSD, MDS, mgr) on which something listens.",
    type: "gauge",
    samples: ({ listening }) => (listening === null ? [] : [{ value: listening.osd_range }]),
  },
  {
    name: "node_network_info",
    help: "One per interface, with what it is.",
    type: "gauge",
    *samples(data) {
      for (const item of data.interfaces) {
        yield {
          value: 1,
          labels: {
            device: item.name,
            address: item.mac ?? "",
            duplex: item.duplex ?? "",
            operstate: item.state ?? "",
          },
        };
      }
    },
  },
];
