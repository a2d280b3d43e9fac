/** Collecting in tests, with the data held against the collector's own schema: nothing missing, nothing more. */
import * as v from "valibot";
import { expect } from "vitest";
import { type CollectContext, type Collector, isNoData } from "../../../src/collectors/collector.ts";
import type { Machine } from "../../../src/system/machine.ts";
import { collectContext, type Tree, treeMachine } from "../machine/tree.ts";

/** Data of one collection, checked; throws when the collector says there is no such thing. */
export async function collectData<T>(collector: Collector<T>, context: CollectContext): Promise<T> {
  const data = await collector.collect(context);
  if (isNoData(data)) throw new Error(`no data: ${data.noData}`);
  // Objects in schemas drop what they do not name, so this fails on a field too many as well.
  expect(v.parse(collector.schema, data)).toEqual(data);
  expect(JSON.parse(JSON.stringify(data)), "a value JSON can't carry").toEqual(data);
  return data;
}

export async function collectTree<T>(collector: Collector<T>, tree: Tree): Promise<T> {
  return await collectData(collector, collectContext(treeMachine(tree)));
}

export async function collectMachine<T>(collector: Collector<T>, machine: Machine): Promise<T> {
  return await collectData(collector, collectContext(machine));
}

/** Prometheus lines without help, sorted: `name{label="value"} 1`. */
export function metricLines<T>(collector: Collector<T>, data: T): string[] {
  const lines: string[] = [];
  for (const metric of collector.metrics)
    for (const { value, labels } of metric.samples(data)) {
      const texts = Object.entries(labels ?? {}).map(([name, text]) => `${name}="${text}"`);
      lines.push(`${metric.name}${texts.length === 0 ? "" : `{${texts.join(",")}}`} ${value}`);
    }
  return lines.sort();
}

/** Codes of the conditions the data gives, with subjects: `cpu_too_hot(coretemp)`. */
export function conditionCodes<T>(collector: Collector<T>, data: T): string[] {
  const drafts = collector.conditions?.(data) ?? [];
  for (const { text } of drafts) expect(text).toMatch(/^[A-Z/].*\.$/);
  return drafts.map(({ code, subject }) => (subject === undefined ? code : `${code}(${subject})`));
}

/** Every file of the tree replaced by `content`; links and folders stay. */
export function spoiled(tree: Tree, content: (path: string) => Tree["files"][string]): Tree {
  return {
    ...tree,
    files: Object.fromEntries(Object.keys(tree.files).map((path) => [path, content(path)])),
  };
}

/** Every file of the tree failing with one and the same error. */
export function failing(tree: Tree, code: string): Tree {
  return { ...tree, errors: Object.fromEntries(Object.keys(tree.files).map((path) => [path, code])) };
}
