/** What the kernel knows about a process' cost, from /proc (proc(5)), and arithmetic on lists of figures. */
import { readdirSync, readFileSync } from "node:fs";

export interface Memory {
  readonly rssKb: number;
  readonly pssKb: number;
  readonly privateDirtyKb: number;
}

/** Resident, proportional and private dirty memory of a process. */
export function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
  const kb = (name: string): number => Number(new RegExp(`^${name}: +(\\d+) kB`, "m").exec(text)?.[1]);
  return { rssKb: kb("Rss"), pssKb: kb("Pss"), privateDirtyKb: kb("Private_Dirty") };
}

/** Milliseconds of CPU used so far, exact to the scheduler's nanoseconds; threads that ended are not counted. */
export function cpuMsOf(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(" ")[0]);
  }
  return nanoseconds / 1e6;
}

/** Bytes that went to the page cache on their way to a disk. */
export function writtenBytesOf(pid: number): number {
  return Number(/^write_bytes: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, "latin1"))?.[1]);
}

/** The value that `share` of all are at or below; NaN for an empty list. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

export const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
