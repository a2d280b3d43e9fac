/** Every collector there is. Adding one: its file, its fixture, and one line here. */
import type { Collector } from "./collector.ts";

// biome-ignore lint/suspicious/noExplicitAny: each collector is exact in its own file; the table holds them all.
export type AnyCollector = Collector<any>;

export function allCollectors(): AnyCollector[] {
  return [];
}
