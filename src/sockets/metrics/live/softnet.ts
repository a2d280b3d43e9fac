/** What each CPU did with received packets: /proc/net/softnet_stat, a line of hexadecimal numbers for each. */
import type { Metric } from "../../../collectors/collector.ts";
import type { Reader } from "./reader.ts";

export interface SoftnetRow {
  readonly cpu: string;
  /** By column; older kernels have fewer. */
  readonly values: readonly number[];
}

/** Pure. The 13th column is the CPU's number (since 5.10); before, the line's. */
export function parseSoftnet(text: string): SoftnetRow[] {
  const rows: SoftnetRow[] = [];
  for (const line of text.split("\n")) {
    const words = line.trim().split(/\s+/);
    if (words.length < 9 || !words.every((word) => /^[0-9a-f]{8}$/i.test(word))) continue;
    const values = words.map((word) => Number.parseInt(word, 16));
    rows.push({ cpu: String(values[12] ?? rows.length), values });
  }
  return rows;
}

export function softnetReader(): Reader<readonly SoftnetRow[]> {
  return {
    name: "softnet",
    section: "network",
    read({ text, first }) {
      const rows = first(parseSoftnet(text("/proc/net/softnet_stat")));
      return rows.length === 0 ? null : rows;
    },
    metrics: [
      column("processed_total", "Number of processed packets", 0),
      column("dropped_total", "Number of dropped packets", 1),
      column("times_squeezed_total", "Number of times processing packets ran out of quota", 2),
      column(
        "cpu_collision_total",
        "Number of collision occur while obtaining device lock while transmitting",
        8,
      ),
      column("received_rps_total", "Number of times cpu woken up received_rps", 9),
      column("flow_limit_count_total", "Number of times flow limit has been reached", 10),
      column("backlog_len", "Softnet backlog status", 11, "gauge"),
    ],
  };
}

function column(
  name: string,
  help: string,
  index: number,
  type: "counter" | "gauge" = "counter",
): Metric<readonly SoftnetRow[]> {
  return {
    name: `node_softnet_${name}`,
    help,
    type,
    *samples(rows) {
      for (const { cpu, values } of rows) {
        const value = values[index];
        if (value !== undefined) yield { value, labels: { cpu } };
      }
    },
  };
}
