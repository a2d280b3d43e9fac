/** For how long tasks had to wait for a CPU, memory, I/O, interrupts: the totals of /proc/pressure (psi.rst). */
import type { Metric } from "../../../collectors/collector.ts";
import type { Reader } from "./reader.ts";

const RESOURCES = ["cpu", "io", "irq", "memory"] as const;

/** `cpu some` → microseconds. */
type Totals = ReadonlyMap<string, number>;

export function pressureReader(): Reader<Totals> {
  return {
    name: "pressure",
    section: "system",
    read({ text }) {
      const found = new Map<string, number>();
      for (const resource of RESOURCES)
        for (const [kind, total] of parsePressureTotals(text(`/proc/pressure/${resource}`)))
          found.set(`${resource} ${kind}`, total);
      return found.size === 0 ? null : found;
    },
    metrics: [
      family("cpu_waiting", "Seconds in which a task waited for a CPU.", "cpu some"),
      family("io_waiting", "Seconds in which a task waited for I/O.", "io some"),
      family("io_stalled", "Seconds in which all tasks waited for I/O.", "io full"),
      family("irq_stalled", "Seconds in which all tasks waited for interrupts to be served.", "irq full"),
      family("memory_waiting", "Seconds in which a task waited for memory.", "memory some"),
      family("memory_stalled", "Seconds in which all tasks waited for memory.", "memory full"),
    ],
  };
}

function family(name: string, help: string, key: string): Metric<Totals> {
  return {
    name: `node_pressure_${name}_seconds_total`,
    help,
    type: "counter",
    *samples(totals) {
      const microseconds = totals.get(key);
      if (microseconds !== undefined) yield { value: microseconds / 1e6 };
    },
  };
}

/** `some avg10=0.00 avg60=0.00 avg300=0.00 total=123`; interrupts have `full` only. */
function parsePressureTotals(text: string): Map<string, number> {
  return new Map(
    [...text.matchAll(/^(some|full) [^\n]{0,100}total=(\d{1,19})\n/gm)].map(([, kind = "", total]) => [
      kind,
      Number(total),
    ]),
  );
}
