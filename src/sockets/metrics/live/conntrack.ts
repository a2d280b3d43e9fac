/** How full the table of tracked connections is: above its limit the kernel drops packets. */
import type { Metric } from "../../../collectors/collector.ts";
import type { Reader } from "./reader.ts";

interface Conntrack {
  readonly entries: number | null;
  readonly limit: number | null;
  /** By their names in /proc/net/stat/nf_conntrack, of all CPUs together. */
  readonly stats: ReadonlyMap<string, number>;
}

/** Pure. A line of names, then for each CPU one of hexadecimal numbers. */
export function parseConntrackStats(text: string): ReadonlyMap<string, number> {
  const [head = "", ...rows] = text.trim().split("\n");
  const names = head.trim().split(/\s+/);
  const found = new Map<string, number>();
  for (const row of rows) {
    const values = row.trim().split(/\s+/);
    if (values.length !== names.length || !values.every((value) => /^[0-9a-f]{1,16}$/i.test(value))) continue;
    for (const [index, name] of names.entries())
      found.set(name, (found.get(name) ?? 0) + Number.parseInt(values[index] ?? "0", 16));
  }
  return found;
}

export function conntrackReader(): Reader<Conntrack> {
  return {
    name: "conntrack",
    section: "network",
    read({ text }) {
      const entries = numberIn(text("/proc/sys/net/netfilter/nf_conntrack_count"));
      if (entries === null) return null; // the module is not loaded
      return {
        entries,
        limit: numberIn(text("/proc/sys/net/netfilter/nf_conntrack_max")),
        stats: parseConntrackStats(text("/proc/net/stat/nf_conntrack")),
      };
    },
    metrics: [
      gauge(
        "entries",
        "Number of currently allocated flow entries for connection tracking.",
        ({ entries }) => entries,
      ),
      gauge("entries_limit", "Maximum size of connection tracking table.", ({ limit }) => limit),
      stat("found", "Number of searched entries which were successful."),
      stat("invalid", "Number of packets seen which can not be tracked."),
      stat("ignore", "Number of packets seen which are already connected to a conntrack entry."),
      stat("insert", "Number of entries inserted into the list."),
      stat("insert_failed", "Number of entries for which list insertion was attempted but failed."),
      stat("drop", "Number of packets dropped due to conntrack failure."),
      stat(
        "early_drop",
        "Number of dropped conntrack entries to make room for new ones, if maximum table size was reached.",
      ),
      stat(
        "search_restart",
        "Number of conntrack table lookups which had to be restarted due to hashtable resizes.",
      ),
    ],
  };
}

function stat(name: string, help: string): Metric<Conntrack> {
  return gauge(`stat_${name}`, help, ({ stats }) => stats.get(name) ?? null);
}

function gauge(name: string, help: string, value: (data: Conntrack) => number | null): Metric<Conntrack> {
  return {
    name: `node_nf_conntrack_${name}`,
    help,
    type: "gauge",
    *samples(data) {
      const found = value(data);
      if (found !== null) yield { value: found };
    },
  };
}

function numberIn(text: string): number | null {
  const found = /^\s*(\d{1,15})\s*$/.exec(text)?.[1];
  return found === undefined ? null : Number(found);
}
