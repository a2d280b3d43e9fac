/** Where CPU time went (/proc/stat), how many want it (/proc/loadavg), and at what frequency it runs (cpufreq). */
import type { Files } from "../../system/files.ts";
import { oneLine } from "../linux/text.ts";
import type { Cpu, Utilisation } from "./schema.ts";

/** Columns of a cpu line in /proc/stat (proc_stat(5)); guest time is part of user and nice. */
const CPU_MODES = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"] as const;

/** USER_HZ is 100 on every architecture Node runs on. */
export const TICKS_PER_SECOND = 100;

/** Ticks since boot by mode, in the order of CPU_MODES; columns an old kernel lacks are 0. */
export type CpuTicks = readonly number[];

/** The `cpu` line (all CPUs together), or null when the text does not begin with a whole one. */
export function parseTotalTicks(text: string): CpuTicks | null {
  const end = text.indexOf("\n");
  return parseTicks(end < 0 ? text : text.slice(0, end), /^cpu {1,2}(?=\d)/);
}

/** Fractions of the time between two samples; null when none went by or the counters were set back. */
export function utilisationBetween(before: CpuTicks, after: CpuTicks): Utilisation | null {
  // iowait and idle may step back a little on their own (proc_stat(5)); that is no time at all.
  const spent = after.map((ticks, mode) => Math.max(0, ticks - (before[mode] ?? 0)));
  const total = spent.reduce((sum, ticks) => sum + ticks, 0);
  if (total <= 0 || sum(after) < sum(before)) return null;
  const [user, nice, system, idle, iowait, irq, softirq, steal] = spent as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const share = (ticks: number): number => Math.round((ticks / total) * 1000) / 1000;
  return {
    user: share(user + nice),
    system: share(system + irq + softirq),
    iowait: share(iowait),
    steal: share(steal),
    idle: share(idle),
  };
}

/** `0.08 0.03 0.03 4/103 6787` */
export function parseLoad(text: string): Cpu["load"] {
  const found = /^(\d{1,9}\.\d+) (\d{1,9}\.\d+) (\d{1,9}\.\d+)(?: |$)/.exec(text);
  if (!found) return null;
  return { one: Number(found[1]), five: Number(found[2]), fifteen: Number(found[3]) };
}

/** The cpufreq policies asked for their frequency: at most four, spread over all. */
export function choosePolicies(files: Files): readonly string[] {
  const all = files
    .list("/sys/devices/system/cpu/cpufreq")
    .filter((name) => /^policy\d+$/.test(name))
    .sort((a, b) => Number(a.slice(6)) - Number(b.slice(6)));
  const step = Math.max(1, Math.ceil(all.length / 4));
  return all
    .filter((_, index) => index % step === 0)
    .map((name) => `/sys/devices/system/cpu/cpufreq/${name}`);
}

/** What does not change of the frequencies: the range (over the chosen policies) and the governor. */
export interface FrequencyRange {
  readonly min_mhz: number | null;
  readonly max_mhz: number | null;
  readonly governor: string | null;
}

export function readFrequencyRange(files: Files, policies: readonly string[]): FrequencyRange {
  const all = (file: string): number[] =>
    present(policies.map((policy) => files.number(`${policy}/${file}`)));
  const [min, max] = [all("cpuinfo_min_freq"), all("cpuinfo_max_freq")];
  return {
    min_mhz: min.length === 0 ? null : mhz(Math.min(...min)),
    max_mhz: max.length === 0 ? null : mhz(Math.max(...max)),
    governor: policies[0] === undefined ? null : oneLine(files.text(`${policies[0]}/scaling_governor`), 32),
  };
}

/** Mean of the chosen policies, MHz. */
export function readCurrentMhz(files: Files, policies: readonly string[]): number | null {
  const found = present(policies.map((policy) => files.number(`${policy}/scaling_cur_freq`)));
  return found.length === 0 ? null : mhz(sum(found) / found.length);
}

function parseTicks(line: string, head: RegExp): CpuTicks | null {
  const found = head.exec(line);
  if (!found) return null;
  const columns = line.slice(found[0].length).trim().split(" ", CPU_MODES.length).map(Number);
  if (columns.length < 4 || !columns.every((ticks) => Number.isSafeInteger(ticks) && ticks >= 0)) return null;
  while (columns.length < CPU_MODES.length) columns.push(0);
  return columns;
}

function present(values: readonly (number | null)[]): number[] {
  return values.filter((value) => value !== null && value > 0) as number[];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mhz(khz: number): number {
  return Math.round(khz / 1000);
}
