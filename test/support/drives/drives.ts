/** What the tests of the collector `drives` share. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { expect } from "vitest";
import type { CollectContext, Collector, Memory } from "../../../src/collectors/collector.ts";
import { isNoData } from "../../../src/collectors/collector.ts";
import { type Drive, type DrivesData, drivesSchema } from "../../../src/collectors/drives/schema.ts";
import type { Machine } from "../../../src/system/machine.ts";
import { collectContext, layTree, type Tree, treeMachine } from "../machine/tree.ts";

/** A memory as the store gives it: what was set comes back as JSON does. */
export function jsonMemory(value: unknown = null): Memory & { writes: number } {
  let text = JSON.stringify(value);
  let parsed: unknown = JSON.parse(text);
  return {
    writes: 0,
    get: () => parsed,
    set(next) {
      text = JSON.stringify(next);
      parsed = JSON.parse(text);
      this.writes++;
    },
  };
}

/** Collect, check the shape against the schema, and give the data. */
export async function collectDrives(
  collector: Collector<DrivesData>,
  machine: Machine,
  memory: Memory = jsonMemory(),
  options: CollectContext["options"] = {},
): Promise<DrivesData> {
  const data = await collector.collect({ ...collectContext(machine), memory, options });
  if (isNoData(data)) throw new Error(`no data: ${data.noData}`);
  expect(v.parse(drivesSchema, data)).toEqual(data);
  return data;
}

/** One of the small machines in test/fixtures/drives, each for one thing that somebody met. */
export function treeOf(name: string): Tree {
  const file = new URL(`../../fixtures/drives/${name}.tree.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8"));
}

/** Change a laid-out tree into another one, touching only what differs: a large tree takes its time to lay. */
export function changeTree(root: string, from: Tree, to: Tree): void {
  for (const path of Object.keys({ ...from.files, ...from.links })) {
    if (to.files[path] === undefined && to.links?.[path] === undefined) rmSync(join(root, path));
  }
  const differs = ([path, content]: [string, unknown]): boolean =>
    JSON.stringify(content) !== JSON.stringify(from.files[path] ?? from.links?.[path]);
  const links = Object.entries(to.links ?? {}).filter(differs);
  for (const [path] of links) rmSync(join(root, path), { force: true });
  const files = Object.fromEntries(Object.entries(to.files).filter(differs));
  layTree({ files, links: Object.fromEntries(links) }, root);
}

export function driveNamed(data: DrivesData, name: string): Drive {
  const drive = data.drives.find((item) => item.name === name);
  if (!drive) throw new Error(`no drive ${name} among ${data.drives.map((item) => item.name).join(" ")}`);
  return drive;
}

/** A machine over a tree that writes down every path it is asked for. */
export function watchedMachine(tree: Tree): { machine: Machine; paths: string[] } {
  const machine = treeMachine(tree);
  const paths: string[] = [];
  const noting =
    <A extends unknown[], R>(work: (path: string, ...rest: A) => R) =>
    (path: string, ...rest: A): R => {
      paths.push(path);
      return work(path, ...rest);
    };
  const { files } = machine;
  return {
    paths,
    machine: {
      ...machine,
      files: {
        ...files,
        read: noting(files.read),
        text: noting(files.text),
        number: noting(files.number),
        list: noting(files.list),
        link: noting(files.link),
        info: noting(files.info),
        slow: {
          ...files.slow,
          read: noting(files.slow.read),
          space: noting(files.slow.space),
        },
      },
    },
  };
}
