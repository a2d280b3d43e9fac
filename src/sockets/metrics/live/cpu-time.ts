/** Seconds of each CPU in each mode: the cpuN lines of /proc/stat (proc_stat(5)). */

import type { Sample } from "../../../collectors/collector.ts";
import { TICKS_PER_SECOND } from "../../../collectors/cpu/usage.ts";
import type { Reader } from "./reader.ts";

/** In the order of the columns; a guest's time is in user and nice as well. */
const MODES = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"] as const;
const GUEST_MODES = ["user", "nice"] as const;
const COLUMNS = MODES.length + GUEST_MODES.length;
const IDLE = MODES.indexOf("idle");
/** An idle time that lost as much was set back: the CPU was gone for a while. Less is the kernel's own unsteadiness. */
const JUMP_TICKS = 3 * TICKS_PER_SECOND;

/** CPU (its number) → ticks by column; columns an old kernel lacks are 0. */
type CpuTimes = ReadonlyMap<string, readonly number[]>;

export function cpuTimeReader(): Reader<CpuTimes> {
  let before: CpuTimes = new Map();
  return {
    name: "cpu_time",
    section: "cpu",
    read({ text, first }) {
      const now = first([...parseCpuTimes(text("/proc/stat"))]);
      before = new Map(now.map(([cpu, ticks]) => [cpu, neverBack(before.get(cpu), ticks)]));
      return before.size === 0 ? null : before;
    },
    metrics: [
      {
        name: "node_cpu_seconds_total",
        help: "Seconds each CPU spent in each mode.",
        type: "counter",
        samples: (times) => seconds(times, MODES, 0),
      },
      {
        name: "node_cpu_guest_seconds_total",
        help: "Seconds each CPU spent in guests of each mode.",
        type: "counter",
        samples: (times) => seconds(times, GUEST_MODES, MODES.length),
      },
    ],
  };
}

function parseCpuTimes(text: string): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (let from = 0; text.startsWith("cpu", from); ) {
    const end = text.indexOf("\n", from);
    if (end < 0) break; // cut off, and its last number with it
    const [name = "", ...columns] = text.slice(from + 3, end).split(" ", COLUMNS + 1);
    const ticks = columns.map(Number);
    if (/^\d{1,5}$/.test(name) && ticks.length >= 4 && ticks.every(isCount)) {
      while (ticks.length < COLUMNS) ticks.push(0);
      found.set(name, ticks);
    }
    from = end + 1;
  }
  return found;
}

/** As node_exporter has it: idle and iowait may step back a little, and rate() would take that for a restart. */
function neverBack(before: readonly number[] | undefined, now: readonly number[]): readonly number[] {
  if (before === undefined || (before[IDLE] ?? 0) - (now[IDLE] ?? 0) >= JUMP_TICKS) return now;
  return now.map((ticks, column) => Math.max(ticks, before[column] ?? 0));
}

function* seconds(times: CpuTimes, modes: readonly string[], from: number): Iterable<Sample> {
  for (const [cpu, ticks] of times)
    for (const [index, mode] of modes.entries())
      yield { value: (ticks[from + index] ?? 0) / TICKS_PER_SECOND, labels: { cpu, mode } };
}

function isCount(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}
