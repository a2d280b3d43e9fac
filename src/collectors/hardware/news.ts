/**
 * Memory modules seen before. They can only change while the machine is off, so the agent's own memory has to
 * outlive it: a module that is gone, new or another one is noted and told once.
 */
import * as v from "valibot";
import type { Dimm } from "../../helper/inventory/schema.ts";
import { seqSchema, usable, usableHistory, withNews } from "../told-once.ts";

const MAX_MODULES = 512;
const MAX_HISTORY = 64;

const text = v.pipe(v.string(), v.maxLength(256));
const moduleSchema = v.object({
  slot: text,
  serial: v.nullable(text),
  part_number: v.nullable(text),
  size_bytes: v.nullable(v.number()),
});

export const dimmHistorySchema = v.object({
  seq: v.pipe(seqSchema, v.description("Rises by one with each")),
  at: v.pipe(text, v.description("RFC 3339, when it was noticed")),
  what: v.picklist(["missing", "added", "replaced"]),
  ...moduleSchema.entries,
  replaced_by: v.pipe(v.nullable(text), v.description("Serial number of the module that took its slot")),
});
const memorySchema = v.object({ modules: v.array(v.unknown()), history: v.array(v.unknown()) });

type Module = v.InferOutput<typeof moduleSchema>;
type DimmHistory = v.InferOutput<typeof dimmHistorySchema>;

export interface DimmMemory {
  readonly modules: readonly Module[];
  readonly history: readonly DimmHistory[];
}

/** Of whatever was kept, what can still be used; null: nothing was, so that nothing is news. */
export function parseDimmMemory(value: unknown): DimmMemory | null {
  const whole = v.safeParse(memorySchema, value);
  if (!whole.success) return null;
  return {
    modules: usable(whole.output.modules.slice(0, MAX_MODULES), moduleSchema),
    history: usableHistory(whole.output.history.slice(-MAX_HISTORY), dimmHistorySchema),
  };
}

/**
 * What is to be remembered after this look. Pure.
 * @param before null: the first look ever
 * @param now RFC 3339
 */
export function rememberDimms(before: DimmMemory | null, dimms: readonly Dimm[], now: string): DimmMemory {
  const modules = dimms
    .filter((dimm) => dimm.populated)
    .slice(0, MAX_MODULES)
    .map(moduleOf);
  // Firmware that suddenly tells of no module at all is at fault itself: a machine without memory does not run.
  if (before === null || modules.length === 0)
    return {
      modules: modules.length === 0 ? (before?.modules ?? []) : modules,
      history: before?.history ?? [],
    };
  const old = new Map(before.modules.map((module) => [module.slot, module]));
  const here = new Set(modules.map((module) => module.slot));
  const news: Omit<DimmHistory, "seq">[] = [];
  for (const module of before.modules)
    if (!here.has(module.slot)) news.push({ at: now, what: "missing", ...module, replaced_by: null });
  for (const module of modules) {
    const was = old.get(module.slot);
    if (was === undefined) news.push({ at: now, what: "added", ...module, replaced_by: null });
    else if (!isSame(was, module))
      news.push({ at: now, what: "replaced", ...was, replaced_by: module.serial });
  }
  return { modules, history: withNews(before.history, news, MAX_HISTORY) };
}

/** By serial number where both have one; a firmware update may begin or cease to tell it. */
function isSame(a: Module, b: Module): boolean {
  if (a.serial !== null && b.serial !== null) return a.serial === b.serial;
  return a.size_bytes === b.size_bytes;
}

function moduleOf({ slot, serial, part_number, size_bytes }: Dimm): Module {
  return { slot, serial, part_number, size_bytes };
}
