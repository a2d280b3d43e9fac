/** Every collector there is. Adding one: its file, its fixture, and one line here. */
import type { Collector } from "./collector.ts";
import { cpuCollector } from "./cpu.ts";
import { drivesCollector } from "./drives.ts";
import { localCollector } from "./local.ts";
import { memoryCollector } from "./memory.ts";
import { networkCollector } from "./network.ts";
import { systemCollector } from "./system.ts";

// biome-ignore lint/suspicious/noExplicitAny: each collector is exact in its own file; the table holds them all.
export type AnyCollector = Collector<any>;

export function allCollectors(): AnyCollector[] {
  return [
    drivesCollector(),
    networkCollector(),
    systemCollector(),
    cpuCollector(),
    memoryCollector(),
    localCollector(),
  ];
}
