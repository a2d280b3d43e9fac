/** Pressure stall information, /proc/pressure/{cpu,memory,io} (Linux Documentation/accounting/psi.rst). */
import * as v from "valibot";
import type { Files } from "../../system/files.ts";
import { readWhole } from "./text.ts";

const lineSchema = v.object({
  avg10: v.pipe(v.number(), v.description("percent of the last 10 seconds in which a task had to wait")),
  avg60: v.pipe(v.number(), v.description("percent of the last 60 seconds")),
  avg300: v.pipe(v.number(), v.description("percent of the last 300 seconds")),
  total_us: v.pipe(v.number(), v.description("microseconds waited since boot")),
});

/** `some`: at least one task waited; `full`: all of them did. Null as a whole when the kernel does not tell. */
export const pressureSchema = v.object({ some: lineSchema, full: v.nullable(lineSchema) });
export type Pressure = v.InferOutput<typeof pressureSchema>;

/** How far pressure may drift before that is worth sending: points of a percent, and totals that doubled. */
export function pressureTolerances(path: string): Record<string, { abs?: number; rel?: number }> {
  const found: Record<string, { abs?: number; rel?: number }> = {};
  for (const kind of ["some", "full"]) {
    for (const field of ["avg10", "avg60", "avg300"]) found[`${path}.${kind}.${field}`] = { abs: 5 };
    found[`${path}.${kind}.total_us`] = { rel: 1, abs: 60_000_000 };
  }
  return found;
}

/** `some avg10=0.00 avg60=0.00 avg300=0.00 total=123` and the same with `full`; null when there is no whole `some` line. */
export function parsePressure(text: string): Pressure | null {
  let some: Pressure["some"] | null = null;
  let full: Pressure["full"] = null;
  // What no line break ends was cut off, and its last number with it.
  for (const line of text.slice(0, text.lastIndexOf("\n") + 1).split("\n", 4)) {
    const found = /^(some|full) avg10=([\d.]+) avg60=([\d.]+) avg300=([\d.]+) total=(\d+)\s*$/.exec(line);
    if (!found) continue;
    const [avg10, avg60, avg300, total_us] = found.slice(2).map(Number) as [number, number, number, number];
    if (![avg10, avg60, avg300, total_us].every(Number.isFinite)) continue;
    const values = { avg10, avg60, avg300, total_us };
    if (found[1] === "some") some = values;
    else full = values;
  }
  return some === null ? null : { some, full };
}

/** Null on kernels before 4.20, without CONFIG_PSI, or booted with psi=0 (EOPNOTSUPP). */
export function readPressure(files: Files, resource: "cpu" | "memory" | "io"): Pressure | null {
  return parsePressure(readWhole(files, `/proc/pressure/${resource}`));
}
