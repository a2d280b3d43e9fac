/** Counts of the kernel as a whole: /proc/stat after its CPU lines, /proc/loadavg, /proc/sys/fs/file-nr. */
import type { Metric } from "../../../collectors/collector.ts";
import type { Reader } from "./reader.ts";

type Counts = ReadonlyMap<string, number>;

function family(name: string, type: Metric<Counts>["type"], help: string, key: string): Metric<Counts> {
  return {
    name,
    help,
    type,
    *samples(counts) {
      const value = counts.get(key);
      if (value !== undefined) yield { value };
    },
  };
}

export function kernelReader(): Reader<Counts> {
  return {
    name: "kernel",
    section: "system",
    read({ text }) {
      const found = new Map([
        ...parseStat(text("/proc/stat")),
        ...columns(text("/proc/loadavg"), ["load1", "load5", "load15"]),
        ...columns(text("/proc/sys/fs/file-nr"), ["allocated", "free", "maximum"]),
      ]);
      return found.size === 0 ? null : found;
    },
    metrics: [
      family("node_load1", "gauge", "Load average of 1 minute.", "load1"),
      family("node_load5", "gauge", "Load average of 5 minutes.", "load5"),
      family("node_load15", "gauge", "Load average of 15 minutes.", "load15"),
      family("node_procs_running", "gauge", "Tasks that run or could.", "procs_running"),
      family("node_procs_blocked", "gauge", "Tasks that wait for I/O.", "procs_blocked"),
      family("node_context_switches_total", "counter", "Context switches.", "ctxt"),
      family("node_forks_total", "counter", "Tasks that were made.", "processes"),
      family("node_intr_total", "counter", "Interrupts that were served.", "intr"),
      family("node_filefd_allocated", "gauge", "File descriptors that are in use.", "allocated"),
      family("node_filefd_maximum", "gauge", "File descriptors there may be.", "maximum"),
    ],
  };
}

const WANTED = ["intr", "ctxt", "processes", "procs_running", "procs_blocked"];

/** `ctxt 123`; of `intr` the first number, which is the sum of the thousands after it. */
function parseStat(text: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const key of WANTED) {
    const at = text.indexOf(`\n${key} `) + 1;
    const value = at === 0 ? null : /^\d{1,20}(?=[ \n])/.exec(text.slice(at + key.length + 1, at + 40));
    if (value) found.set(key, Number(value[0]));
  }
  return found;
}

/** The first numbers of a line that ends; names of those that are none are left out. */
function columns(text: string, names: readonly string[]): [string, number][] {
  if (!text.includes("\n")) return [];
  const words = text.trim().split(/\s+/);
  return names.flatMap((name, index): [string, number][] => {
    const word = words[index] ?? "";
    return /^\d{1,20}(?:\.\d{1,9})?$/.test(word) ? [[name, Number(word)]] : [];
  });
}
