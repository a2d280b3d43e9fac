/** Traffic of every interface: the columns of /proc/net/dev, of the network namespace that the agent is in. */
import type { Metric } from "../../../collectors/collector.ts";
import type { Reader } from "./reader.ts";

interface Interface {
  readonly device: string;
  /** Eight of what was received, eight of what was sent. */
  readonly counts: readonly number[];
}

/** Name (as node_exporter has it) and meaning of each column. */
const COLUMNS = [
  ["receive_bytes", "Bytes received."],
  ["receive_packets", "Packets received."],
  ["receive_errs", "Receive errors."],
  ["receive_drop", "Received packets dropped."],
  ["receive_fifo", "Received packets lost because a buffer was full."],
  ["receive_frame", "Received frames that were damaged."],
  ["receive_compressed", "Compressed packets received."],
  ["receive_multicast", "Multicast frames received."],
  ["transmit_bytes", "Bytes sent."],
  ["transmit_packets", "Packets sent."],
  ["transmit_errs", "Transmit errors."],
  ["transmit_drop", "Packets to send dropped."],
  ["transmit_fifo", "Packets to send lost because a buffer was full."],
  ["transmit_colls", "Collisions."],
  ["transmit_carrier", "Packets to send lost with the carrier."],
  ["transmit_compressed", "Compressed packets sent."],
] as const;

/** Those that come and go with containers and virtual machines: where there are too many, they are what is cut. */
const OF_GUESTS = /^(?:veth|cali|lxc|tap|tun|vnet|cilium|fwpr|fwln|fwbr|br-|docker)/;

export function interfaceReader(): Reader<readonly Interface[]> {
  return {
    name: "interfaces",
    section: "network",
    read({ text, first }) {
      const all = parseInterfaces(text("/proc/net/dev"));
      const isGuests = ({ device }: Interface): boolean => OF_GUESTS.test(device);
      const shown = first([...all.filter((one) => !isGuests(one)), ...all.filter(isGuests)]);
      return shown.length === 0 ? null : shown;
    },
    metrics: COLUMNS.map(
      ([name, help], index): Metric<readonly Interface[]> => ({
        name: `node_network_${name}_total`,
        help,
        type: "counter",
        *samples(interfaces) {
          for (const { device, counts } of interfaces)
            yield { value: counts[index] ?? Number.NaN, labels: { device } };
        },
      }),
    ),
  };
}

/** After two lines of headings `  eth0: 123 …`; lines of another form are left out. */
function parseInterfaces(text: string): Interface[] {
  const found: Interface[] = [];
  for (const line of text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .slice(2)) {
    const colon = line.indexOf(":");
    if (colon < 0) continue;
    const counts = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/, COLUMNS.length)
      .map(Number);
    if (counts.length === COLUMNS.length && counts.every((count) => Number.isFinite(count) && count >= 0))
      found.push({ device: line.slice(0, colon).trim(), counts });
  }
  return found;
}
