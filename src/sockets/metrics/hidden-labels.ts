/**
 * Which values no label may have while serial numbers are hidden: those of the fields that a collector declares
 * sensitive. A value that a field open to everybody has as well is no secret: many people's asset tag is the host's name,
 * and blanking that would take `nodename` out of every query.
 */
import type { AnyCollector } from "../../collectors/index.ts";
import { compileFacets, omit, volatileOf } from "../../model/facets.ts";

// Shorter ones ("1", "sda") are no serial numbers but would blank labels that happen to be equal.
const MIN_SENSITIVE = 5;
const NONE: ReadonlySet<string> = new Set();
/** By the data, which are the same until the next collection: a scrape a second need not look again. */
const known = new WeakMap<object, { readonly by: AnyCollector; readonly values: ReadonlySet<string> }>();

export function hiddenValues(collector: AnyCollector, data: unknown): ReadonlySet<string> {
  if (collector.sensitive.length === 0 || data === null || typeof data !== "object") return NONE;
  const before = known.get(data);
  if (before?.by === collector) return before.values;
  const facets = compileFacets(collector.sensitive);
  const found = new Set<string>();
  for (const value of volatileOf(data, facets).values())
    if (typeof value === "string" && value.length >= MIN_SENSITIVE) found.add(value);
  if (found.size > 0) takeOut(omit(data, facets), found);
  known.set(data, { by: collector, values: found });
  return found;
}

/** Every string in `open` out of `found`. */
function takeOut(open: unknown, found: Set<string>): void {
  if (typeof open === "string") found.delete(open);
  else if (open !== null && typeof open === "object")
    for (const inner of Object.values(open)) takeOut(inner, found);
}
