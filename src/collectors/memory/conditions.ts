/** What can be wrong with memory, and what of it happened between two looks. */
import type { ConditionDraft } from "../../model/condition.ts";
import type { EventDraft } from "../../model/event.ts";
import type { EdacController, EdacModule } from "./edac.ts";
import type { MemoryData } from "./schema.ts";
import { roomOf } from "./set-aside.ts";

/** Corrected errors below this are normal in a big machine; above, a module is going. */
const MANY_CORRECTED = 100;
const LOW_FRACTION = 0.05;
const VERY_LOW_FRACTION = 0.02;
/** Percent of five minutes in which all tasks at once stood still for memory. */
const STALLED = 10;

export function memoryConditions(data: MemoryData): ConditionDraft[] {
  const found: ConditionDraft[] = [];
  const room = roomOf(data);
  if (room !== null && room.available < room.total * LOW_FRACTION)
    found.push({
      code: "memory_low",
      severity: room.available < room.total * VERY_LOW_FRACTION ? "error" : "warning",
      text:
        (data.huge_bytes ?? 0) > 0
          ? "Less than 5 % of the memory that is not set aside as huge pages is available."
          : "Less than 5 % of the memory is available.",
      nextStep: "ps -eo rss,pid,comm --sort=-rss | head",
    });
  if ((data.pressure?.full?.avg300 ?? 0) >= STALLED)
    found.push({
      code: "memory_pressure",
      severity: "warning",
      text: "For minutes, work stands still again and again for lack of memory.",
      nextStep: "ps -eo rss,pid,comm --sort=-rss | head",
    });
  for (const controller of data.edac?.controllers ?? []) {
    if (controller.uncorrected > 0)
      found.push({
        code: "memory_uncorrected_errors",
        subject: `mc${controller.controller}`,
        severity: "error",
        text: `Memory errors that could not be corrected were found since boot (${places(controller, "uncorrected")}).`,
        nextStep: "Drain the node and replace the module.",
      });
    if (controller.corrected >= MANY_CORRECTED)
      found.push({
        code: "memory_corrected_errors",
        subject: `mc${controller.controller}`,
        severity: "warning",
        text: `Many memory errors had to be corrected since boot (${places(controller, "corrected")}).`,
        nextStep: "Plan to replace the module.",
      });
  }
  return found;
}

/**
 * Uncorrected errors and kills are told each time; corrected ones only when their number reaches 1, 10, 100,
 * and so on, because a failing module gives thousands an hour. Counters that went down were set back.
 */
export function memoryChanges(before: MemoryData | null, after: MemoryData): EventDraft[] {
  if (before === null) return [];
  const events: EventDraft[] = [];
  const kills = (after.oom_kills ?? 0) - (before.oom_kills ?? after.oom_kills ?? 0);
  if (kills > 0)
    events.push({
      type: "memory.oom_kill",
      severity: "warning",
      data: { count: kills, total: after.oom_kills },
    });
  for (const now of after.edac?.controllers ?? []) {
    const was = before.edac?.controllers.find((other) => other.controller === now.controller);
    if (was === undefined) continue;
    const about = (kind: "corrected" | "uncorrected"): Record<string, unknown> => ({
      controller: `mc${now.controller}`,
      count: now[kind] - was[kind],
      total: now[kind],
      modules: grown(was.modules, now.modules, kind),
    });
    if (now.uncorrected > was.uncorrected)
      events.push({ type: "memory.uncorrected", severity: "error", data: about("uncorrected") });
    if (decade(now.corrected) > decade(was.corrected))
      events.push({ type: "memory.corrected", severity: "warning", data: about("corrected") });
  }
  return events;
}

function grown(
  before: readonly EdacModule[],
  after: readonly EdacModule[],
  kind: "corrected" | "uncorrected",
): string[] {
  return after
    .filter((module) => module[kind] > (before.find((other) => other.module === module.module)?.[kind] ?? 0))
    .map(nameOf);
}

/** 0 → 0, 1 to 9 → 1, 10 to 99 → 2, … */
function decade(count: number): number {
  return count <= 0 ? 0 : String(count).length;
}

function places(controller: EdacController, kind: "corrected" | "uncorrected"): string {
  const modules = controller.modules.filter((module) => module[kind] > 0).map(nameOf);
  return modules.length === 0 ? "module not known" : modules.slice(0, 4).join(", ");
}

function nameOf(module: EdacModule): string {
  return module.label ?? module.location ?? module.module;
}
