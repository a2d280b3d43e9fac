/**
 * Fixture trees: a JSON file (or an object made by a generator) becomes a folder of real files that the
 * collectors read as they read "/".
 *
 * { "about": "where this comes from: captured (by scripts/test/capture-tree.mjs) or made by hand from cited formats",
 *   "files": { "/proc/stat": "text", "/etc/x": { "base64": "…" } }, "links": { "/sys/block/sda": "../devices/…" },
 *   "folders": ["/sys/class/net"], "errors": { "/sys/class/net/lo/speed": "EINVAL" }, "fifos": ["/proc/hang"],
 *   "addresses": [{ "interface": "eth0", "address": "10.0.0.2", "prefix": 24, "family": 4 }], "now": 1700000000000,
 *   "times": { "/run/reboot-required": 1699990000000 } }  (modification times; a file not named has `now`)
 */
import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import type { CollectContext, Collector, NoData } from "../../../src/collectors/collector.ts";
import type { Clock } from "../../../src/system/clock.ts";
import { openFiles } from "../../../src/system/files.ts";
import type { InterfaceAddress } from "../../../src/system/libc/route-messages.ts";
import type { Machine } from "../../../src/system/machine.ts";

export interface Tree {
  about?: string;
  files: Record<string, string | { base64: string }>;
  links?: Record<string, string>;
  folders?: string[];
  errors?: Record<string, string>;
  fifos?: string[];
  addresses?: InterfaceAddress[] | null;
  now?: number;
  times?: Record<string, number>;
}

const MEMORY = "/dev/shm";
const DEFAULT_NOW = 1_760_000_000_000;

/** A folder that is gone when the test is over. */
export function temporaryFolder(parent = tmpdir()): string {
  const folder = mkdtempSync(join(parent, "foundry-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * The machine `name`: all parts (`system.tree.json`, `drives.tree.json`, …) in test/fixtures/trees/NAME/, merged
 * in the order of their names; `only` some parts where a test lays the tree out many times.
 */
export function loadTree(name: string, only?: readonly string[]): Tree {
  const folder = new URL(`../../fixtures/trees/${name}/`, import.meta.url);
  const parts = readdirSync(folder).filter(
    (file) => file.endsWith(".tree.json") && (only?.includes(file.slice(0, file.indexOf("."))) ?? true),
  );
  return mergeTrees(
    parts.sort().map((file): Tree => JSON.parse(readFileSync(new URL(file, folder), "utf8"))),
  );
}

/** One tree of several; a path named twice is the last one's. */
export function mergeTrees(parts: readonly Tree[]): Tree {
  const merged: Tree = { about: "", files: {} };
  for (const part of parts) {
    merged.about = [merged.about, part.about].filter(Boolean).join("\n");
    merged.files = { ...merged.files, ...part.files };
    merged.links = { ...merged.links, ...part.links };
    merged.errors = { ...merged.errors, ...part.errors };
    merged.times = { ...merged.times, ...part.times };
    merged.folders = [...(merged.folders ?? []), ...(part.folders ?? [])];
    merged.fifos = [...(merged.fifos ?? []), ...(part.fifos ?? [])];
    if (part.addresses !== undefined) merged.addresses = part.addresses;
    if (part.now !== undefined) merged.now = part.now;
  }
  return merged;
}

/**
 * In memory, where /proc and /sys are as well: a JBOD's thousands of files take seconds on some disks. On a
 * container's 64 MB there is no room for that.
 */
function fastFolder(): string {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    if (bavail * bsize > 2 ** 29) return temporaryFolder(MEMORY);
  } catch {
    // no such file system here
  }
  return temporaryFolder();
}

/** Lay the tree out as real files; absolute link targets are put under the root too. */
export function layTree(tree: Tree, root = fastFolder()): string {
  const at = (path: string): string => join(root, path);
  for (const folder of tree.folders ?? []) mkdirSync(at(folder), { recursive: true });
  for (const [path, content] of Object.entries(tree.files)) {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), typeof content === "string" ? content : Buffer.from(content.base64, "base64"));
    const seconds = (tree.times?.[path] ?? tree.now ?? DEFAULT_NOW) / 1000;
    utimesSync(at(path), seconds, seconds);
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
export function treeMachine(tree: Tree, clock?: Clock, root = layTree(tree)): Machine {
  const now = tree.now ?? DEFAULT_NOW;
  return {
    files: openFiles(root, tree.errors ?? {}),
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
