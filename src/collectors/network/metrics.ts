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
  perInterface(
    "node_network_receive_bytes_total",
    "Bytes received.",
    "counter",
    (item) => item.counters?.rx_bytes,
  ),
  perInterface(
    "node_network_receive_packets_total",
    "Packets received.",
    "counter",
    (item) => item.counters?.rx_packets,
  ),
  perInterface(
    "node_network_receive_errs_total",
    "Receive errors.",
    "counter",
    (item) => item.counters?.rx_errors,
  ),
  perInterface(
    "node_network_receive_drop_total",
    "Received packets dropped.",
    "counter",
    (item) => item.counters?.rx_dropped,
  ),
  perInterface(
    "node_network_transmit_bytes_total",
    "Bytes sent.",
    "counter",
    (item) => item.counters?.tx_bytes,
  ),
  perInterface(
    "node_network_transmit_packets_total",
    "Packets sent.",
    "counter",
    (item) => item.counters?.tx_packets,
  ),
  perInterface(
    "node_network_transmit_errs_total",
    "Transmit errors.",
    "counter",
    (item) => item.counters?.tx_errors,
  ),
  perInterface(
    "node_network_transmit_drop_total",
    "Packets to send dropped.",
    "counter",
    (item) => item.counters?.tx_dropped,
  ),
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
