/** The section `network` in node_exporter's metric names. */
import type { Metric } from "../collector.ts";
import type { BondMember, Network, NetworkInterface } from "./schema.ts";

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
    help: "Non-numeric data of each interface, value is always 1.",
    type: "gauge",
    samples: ({ interfaces }) => interfaces.map((item) => ({ value: 1, labels: infoLabels(item) })),
  },
  perBond("node_bonding_slaves", "Number of configured slaves per bonding interface.", () => true),
  perBond(
    "node_bonding_active",
    "Number of active slaves per bonding interface.",
    // As by the MII status, whatever LACP makes of it.
    ({ state }) => state === "ok" || state === "other_aggregator" || state === "no_partner",
  ),
];

const NO_ADDRESS = "00:00:00:00:00:00";

/** As node_exporter has them, all of them. */
function infoLabels(item: NetworkInterface): Record<string, string> {
  const address = item.mac ?? (item.kind === "loopback" ? NO_ADDRESS : "");
  return {
    device: item.name,
    address,
    adminstate: item.up === null ? "" : item.up ? "up" : "down",
    broadcast: item.broadcast ?? (item.kind === "loopback" ? NO_ADDRESS : ""),
    duplex: item.duplex ?? "",
    ifalias: item.alias ?? "",
    operstate: item.state ?? "",
  };
}

function perBond(name: string, help: string, counts: (member: BondMember) => boolean): Metric<Network> {
  return {
    name,
    help,
    type: "gauge",
    *samples({ interfaces }) {
      for (const { name: master, kind, bond_members: members } of interfaces)
        if (kind === "bond" && members !== null)
          yield {
            value: members.filter((member) => member.state !== "gone" && counts(member)).length,
            labels: { master },
          };
    },
  };
}
