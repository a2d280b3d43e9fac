/** Section `memory`: how much there is and is left, whether tasks wait for it, and the errors of the modules. */
import { AgentError } from "../../model/errors.ts";
import type { Collector, TableView } from "../collector.ts";
import { pressureTolerances, readPressure } from "../linux/pressure.ts";
import { readWhole } from "../linux/text.ts";
import { memoryChanges, memoryConditions } from "./conditions.ts";
import { edacReader } from "./edac.ts";
import { memoryMetrics } from "./metrics.ts";
import { type MemoryData, memorySchema } from "./schema.ts";
import { readHugeBytes, readZfsCache } from "./set-aside.ts";

const MIB = 1024 * 1024;
const TIB = MIB * MIB;

export function memoryCollector(): Collector<MemoryData> {
  const readEdac = edacReader();
  return {
    name: "memory",
    summary:
      "Memory and swap, pressure, processes killed for lack of memory, corrected and uncorrected errors.",
    everyMs: 60_000,
    timeoutMs: 5_000,
    get schema() {
      return memorySchema;
    },
    volatile: {
      available_bytes: { rel: 0.1, abs: 64 * MIB },
      free_bytes: { rel: 0.25, abs: 256 * MIB },
      buffers_bytes: { rel: 0.25, abs: 256 * MIB },
      cached_bytes: { rel: 0.25, abs: 256 * MIB },
      swap_free_bytes: { rel: 0.1, abs: 64 * MIB },
      "huge_pages.free": { rel: 0.1 },
      "zfs_cache.size_bytes": { rel: 0.25, abs: 256 * MIB },
      ...pressureTolerances("pressure"),
      "edac.controllers[controller].corrected": { rel: 0.1 },
      "edac.controllers[controller].modules[module].corrected": { rel: 0.1 },
    },
    sensitive: [],
    metrics: memoryMetrics,
    table: memoryTable,
    glance: ({ total_bytes: bytes }) =>
      bytes !== null && bytes >= TIB ? `${(bytes / TIB).toFixed(1)} TiB` : (size(bytes) ?? "size not told"),
    conditions: memoryConditions,
    changes: memoryChanges,
    collect({ machine: { files } }) {
      const info = parseMemInfo(readWhole(files, "/proc/meminfo"));
      // A section of nulls called ok would look like a machine without memory, and nobody would be told.
      if (info.size === 0)
        throw new AgentError(
          "meminfo_unreadable",
          "/proc/meminfo can't be read or has none of the lines it should have, so nothing is known of the memory",
          "head -n 3 /proc/meminfo  # is there a MemTotal, also inside the unit?",
        );
      const bytes = (key: string): number | null => info.get(key) ?? null;
      const [total, free, size] = ["HugePages_Total", "HugePages_Free", "Hugepagesize"].map(bytes);
      return {
        total_bytes: bytes("MemTotal"),
        available_bytes: bytes("MemAvailable"),
        free_bytes: bytes("MemFree"),
        buffers_bytes: bytes("Buffers"),
        cached_bytes: bytes("Cached"),
        swap_total_bytes: bytes("SwapTotal"),
        swap_free_bytes: bytes("SwapFree"),
        huge_pages: total == null || free == null || size == null ? null : { total, free, size_bytes: size },
        huge_bytes: readHugeBytes(files, bytes("Hugetlb")),
        zfs_cache: readZfsCache(files),
        pressure: readPressure(files, "memory"),
        oom_kills: parseOomKills(readWhole(files, "/proc/vmstat")),
        edac: readEdac(files),
      };
    },
  };
}

const WANTED = new Set([
  "MemTotal",
  "MemFree",
  "MemAvailable",
  "Buffers",
  "Cached",
  "SwapTotal",
  "SwapFree",
  "HugePages_Total",
  "HugePages_Free",
  "Hugepagesize",
  "Hugetlb",
]);

/** The wanted lines of /proc/meminfo; `kB` is KiB and comes out as bytes, counts (huge pages) as they are. */
export function parseMemInfo(text: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const line of text.split("\n", 200)) {
    const colon = line.indexOf(":");
    const key = line.slice(0, colon);
    if (!WANTED.has(key)) continue;
    const value = /^\s*(\d{1,15})( kB)?\s*$/.exec(line.slice(colon + 1));
    if (value) found.set(key, Number(value[1]) * (value[2] === undefined ? 1 : 1024));
  }
  return found;
}

/** `oom_kill N` of /proc/vmstat, since Linux 4.13. */
export function parseOomKills(text: string): number | null {
  // Found by plain search: the file has 200 lines, and a regular expression would be tried at each.
  const at = text.startsWith("oom_kill ") ? 0 : text.indexOf("\noom_kill ") + 1;
  const found = at === 0 && !text.startsWith("oom_kill ") ? null : /^\d{1,15}$/.exec(lineAt(text, at + 9));
  return found ? Number(found[0]) : null;
}

function lineAt(text: string, from: number): string {
  const end = text.indexOf("\n", from);
  return text.slice(from, end < 0 ? text.length : end);
}

const memoryTable: TableView<MemoryData> = {
  columns: ["what", "value"],
  rows(data) {
    const { huge_pages, huge_bytes, zfs_cache, pressure, edac } = data;
    const rows: (string | null)[][] = [
      ["total", size(data.total_bytes)],
      ["available", size(data.available_bytes)],
      ["buffers and cache", size(plus(data.buffers_bytes, data.cached_bytes))],
      ["swap", data.swap_total_bytes === 0 ? "none" : size(data.swap_total_bytes)],
      ["swap free", data.swap_total_bytes === 0 ? null : size(data.swap_free_bytes)],
    ];
    if (huge_pages !== null && huge_pages.total > 0)
      rows.push([
        "huge pages",
        `${huge_pages.total} of ${size(huge_pages.size_bytes)}, ${huge_pages.free} free`,
      ]);
    if ((huge_bytes ?? 0) > 0) rows.push(["set aside as huge pages", size(huge_bytes)]);
    if (zfs_cache !== null) rows.push(["cache of ZFS", size(zfs_cache.size_bytes)]);
    rows.push(["pressure (10 s)", pressure === null ? "unknown" : `${pressure.some.avg10} %`]);
    rows.push(["killed for lack of memory", data.oom_kills === null ? "unknown" : String(data.oom_kills)]);
    if (edac === null) rows.push(["memory errors", "not counted on this machine"]);
    for (const { controller, corrected, uncorrected } of edac?.controllers ?? [])
      rows.push([`memory errors (mc${controller})`, `${corrected} corrected, ${uncorrected} uncorrected`]);
    return rows;
  },
};

function plus(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}

function size(bytes: number | null): string | null {
  if (bytes === null) return null;
  const gib = bytes / 1024 ** 3;
  return gib >= 1 ? `${gib.toFixed(1)} GiB` : `${(bytes / MIB).toFixed(0)} MiB`;
}
