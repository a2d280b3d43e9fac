/**
 * The whole report of a fixture machine, the same at each run: all collectors, with the clock standing still
 * and the space of its file systems given, because a laid-out tree lies on the disk of whoever runs the test.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { expect } from "vitest";
import { type CollectContext, isNoData } from "../../../src/collectors/collector.ts";
import { type AnyCollector, allCollectors } from "../../../src/collectors/index.ts";
import type { ConditionDraft } from "../../../src/model/condition.ts";
import { AgentError } from "../../../src/model/errors.ts";
import type { Machine } from "../../../src/system/machine.ts";
import { jsonMemory } from "../drives/drives.ts";
import { type Tree, treeMachine } from "../machine/tree.ts";

/** What was collected of a machine: by section its data, or why there is none. */
export interface Collected {
  readonly conditions: ConditionDraft[];
  readonly sections: Record<
    string,
    | { state: "ok"; data: unknown }
    | { state: "absent"; text: string; next_step: string | null }
    | { state: "failed"; code: string; text: string; next_step: string | null }
  >;
}

const GIB = 2 ** 30;
const SPACE = {
  total_bytes: 100 * GIB,
  free_bytes: 60 * GIB,
  available_bytes: 55 * GIB,
  files: 6_553_600,
  files_free: 6_000_000,
};
/** Ticks of a minute of one CPU by column of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal. */
const A_MINUTE_LATER = [900, 0, 300, 4500, 240, 0, 30, 30];

/** The machine of a tree, whose file systems have 100 GiB each, 60 GiB of them free. */
export function goldenMachine(tree: Tree): Machine {
  const machine = treeMachine(tree);
  return {
    ...machine,
    files: { ...machine.files, slow: { ...machine.files.slow, space: async () => SPACE } },
  };
}

/** The report of a fixture machine, whose CPUs have worked for a minute between the two runs of `collectTwice`. */
export async function goldenReport(tree: Tree): Promise<Collected & { about: string }> {
  const machine = goldenMachine(tree);
  const found = await collectTwice(machine, () => letTimePass(machine.files.root));
  return { about: tree.about ?? "", ...found };
}

/**
 * Collect twice and keep the second: the first run has nothing to compare its counters with. Data is held
 * against the schemas, nothing missing and nothing more. A collector may fail in words, and in no other way.
 */
export async function collectTwice(machine: Machine, between: () => void = () => {}): Promise<Collected> {
  const collectors = allCollectors();
  const contexts = new Map(collectors.map((collector) => [collector.name, contextOf(machine)]));
  for (const collector of collectors) await attempt(collector, contexts.get(collector.name));
  between();
  const sections: Collected["sections"] = {};
  const conditions: ConditionDraft[] = [];
  for (const collector of collectors) {
    const found = await attempt(collector, contexts.get(collector.name));
    if (found instanceof AgentError)
      sections[collector.name] = {
        state: "failed",
        code: found.code,
        text: found.message,
        next_step: found.nextStep,
      };
    else if (isNoData(found))
      sections[collector.name] = { state: "absent", text: found.noData, next_step: found.nextStep };
    else {
      sections[collector.name] = { state: "ok", data: checkData(collector, found) };
      conditions.push(...(collector.conditions?.(found) ?? []));
    }
  }
  return { conditions, sections };
}

async function attempt(collector: AnyCollector, context: CollectContext | undefined): Promise<unknown> {
  try {
    return await collector.collect(context as CollectContext);
  } catch (error) {
    if (error instanceof AgentError) return error;
    throw error;
  }
}

/** The data as JSON carries it; fails where it does not fit the collector's schema. */
function checkData(collector: AnyCollector, data: unknown): unknown {
  expect(v.parse(collector.schema, data), `${collector.name}: its schema`).toEqual(data);
  const carried = JSON.parse(JSON.stringify(data));
  expect(carried, `${collector.name}: a value JSON can't carry`).toEqual(data);
  return carried;
}

function contextOf(machine: Machine): CollectContext {
  return { machine, options: {}, signal: AbortSignal.timeout(30_000), memory: jsonMemory() };
}

function letTimePass(root: string): void {
  const path = join(root, "proc/stat");
  if (!existsSync(path)) return;
  const later = readFileSync(path, "utf8").replace(/^cpu {2}(.*)$/m, (_, columns: string) => {
    const ticks = columns.split(" ").map((value, index) => Number(value) + (A_MINUTE_LATER[index] ?? 0));
    return `cpu  ${ticks.join(" ")}`;
  });
  writeFileSync(path, later);
}

/** JSON for reading: keys in order, two blanks, a line break at the end. */
export function prettyJson(value: unknown): string {
  return `${JSON.stringify(sortKeys(value), null, 2)}\n`;
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, field]) => [key, sortKeys(field)]));
}
