/**
 * Fixture trees: a JSON file (or an object made by a generator) becomes a folder of real files that the
 * collectors read as they read "/".
 *
 * { "about": "where this comes from: captured (by scripts/capture-tree.mjs) or made by hand from cited formats",
 *   "files": { "/proc/stat": "text", "/etc/x": { "base64": "…" } }, "links": { "/sys/block/sda": "../devices/…" },
 *   "folders": ["/sys/class/net"], "errors": { "/sys/class/net/lo/speed": "EINVAL" }, "fifos": ["/proc/hang"],
 *   "addresses": [{ "interface": "eth0", "address": "10.0.0.2", "prefix": 24, "family": 4 }], "now": 1700000000000 }
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import type { CollectContext, Collector, NoData } from "../../src/collectors/collector.ts";
import type { Clock } from "../../src/system/clock.ts";
import { openFiles } from "../../src/system/files.ts";
import type { InterfaceAddress, Machine } from "../../src/system/machine.ts";

export interface Tree {
  about?: string;
  files: Record<string, string | { base64: string }>;
  links?: Record<string, string>;
  folders?: string[];
  errors?: Record<string, string>;
  fifos?: string[];
  addresses?: InterfaceAddress[] | null;
  now?: number;
}

/** A folder that is gone when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "foundry-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function loadTree(name: string): Tree {
  return JSON.parse(readFileSync(new URL(`../fixtures/${name}.tree.json`, import.meta.url), "utf8"));
}

/** Lay the tree out as real files; absolute link targets are put under the root too. */
export function layTree(tree: Tree, root = temporaryFolder()): string {
  const at = (path: string): string => join(root, path);
  for (const folder of tree.folders ?? []) mkdirSync(at(folder), { recursive: true });
  for (const [path, content] of Object.entries(tree.files)) {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), typeof content === "string" ? content : Buffer.from(content.base64, "base64"));
  }
  for (const [path, target] of Object.entries(tree.links ?? {})) {
    mkdirSync(dirname(at(path)), { recursive: true });
    symlinkSync(target.startsWith("/") ? at(target) : target, at(path));
  }
  for (const path of tree.fifos ?? []) {
    mkdirSync(dirname(at(path)), { recursive: true });
    execFileSync("mkfifo", [at(path)]);
  }
  return root;
}

/** A machine over a laid-out tree. Its clock stands still at `now` unless one is given. */
export function treeMachine(tree: Tree, clock?: Clock): Machine {
  const now = tree.now ?? 1_760_000_000_000;
  return {
    files: openFiles(layTree(tree), tree.errors ?? {}),
    clock: clock ?? { now: () => now, monotonic: () => 1_000_000 },
    addresses: () => (tree.addresses === undefined ? [] : tree.addresses),
    uid: 0,
  };
}

export function collectContext(machine: Machine, options: Record<string, unknown> = {}): CollectContext {
  let kept: unknown = null;
  return {
    machine,
    options,
    signal: AbortSignal.timeout(15_000),
    memory: {
      get: () => kept,
      set: (value) => {
        kept = value;
      },
    },
  };
}

/** Collect once from a tree. */
export async function collectFrom<T>(collector: Collector<T>, tree: Tree, options = {}): Promise<T | NoData> {
  return await collector.collect(collectContext(treeMachine(tree), options));
}
