/** Memory and paging: /proc/meminfo (proc_meminfo(5)) and what node_exporter takes of /proc/vmstat. */
import type { Metric } from "../../../collectors/collector.ts";
import type { Reader } from "./reader.ts";

/** Those with a unit (kB, which is KiB) are bytes here. */
const SIZES =
  `MemTotal MemFree MemAvailable Buffers Cached SwapCached Active Inactive Active(anon) Inactive(anon)
Active(file) Inactive(file) Unevictable Mlocked SwapTotal SwapFree Zswap Zswapped Dirty Writeback AnonPages Mapped Shmem
KReclaimable Slab SReclaimable SUnreclaim KernelStack ShadowCallStack PageTables SecPageTables NFS_Unstable Bounce
WritebackTmp CommitLimit Committed_AS VmallocTotal VmallocUsed VmallocChunk Percpu HardwareCorrupted AnonHugePages
ShmemHugePages ShmemPmdMapped FileHugePages FilePmdMapped CmaTotal CmaFree Unaccepted Hugepagesize Hugetlb DirectMap4k
DirectMap2M DirectMap4M DirectMap1G`.split(/\s+/);
const COUNTS = ["HugePages_Total", "HugePages_Free", "HugePages_Rsvd", "HugePages_Surp"];

type Values = ReadonlyMap<string, number>;

function family(
  name: string,
  type: Metric<Values>["type"],
  help: string,
  key: string,
  factor = 1,
): Metric<Values> {
  return {
    name,
    help,
    type,
    *samples(values) {
      const value = values.get(key);
      if (value !== undefined) yield { value: value * factor };
    },
  };
}

export function memoryReader(): Reader<Values> {
  return {
    name: "memory",
    section: "memory",
    read({ text }) {
      const found = parseMemory(text("/proc/meminfo"));
      return found.size === 0 ? null : found;
    },
    metrics: [
      ...SIZES.map((key) =>
        family(`node_memory_${plain(key)}_bytes`, "gauge", `${key} of /proc/meminfo, in bytes.`, key, 1024),
      ),
      ...COUNTS.map((key) =>
        family(`node_memory_${key}`, "gauge", `${key} of /proc/meminfo, in pages.`, key),
      ),
    ],
  };
}

export function pagingReader(): Reader<Values> {
  const known = [
    ["oom_kill", "Processes killed for lack of memory."],
    ["pgfault", "Page faults."],
    ["pgmajfault", "Page faults that had to read."],
    ["pgpgin", "KiB read from block devices."],
    ["pgpgout", "KiB written to block devices."],
    ["pswpin", "Pages read from swap."],
    ["pswpout", "Pages written to swap."],
  ] as const;
  return {
    name: "paging",
    section: "memory",
    read({ text }) {
      const found = parsePaging(
        text("/proc/vmstat"),
        known.map(([key]) => key),
      );
      return found.size === 0 ? null : found;
    },
    // Untyped, as node_exporter has them.
    metrics: known.map(([key, help]) => family(`node_vmstat_${key}`, "untyped", help, key)),
  };
}

/** `MemTotal:  123 kB` by key, as they are. */
function parseMemory(text: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const line of whole(text).split("\n", 200)) {
    const parts = /^([\w()]{1,40}): +(\d{1,15})(?: kB)?$/.exec(line);
    if (parts) found.set(parts[1] as string, Number(parts[2]));
  }
  return found;
}

/** `pswpin 123`, found by plain search: the file has 200 lines. */
function parsePaging(text: string, keys: readonly string[]): Map<string, number> {
  const found = new Map<string, number>();
  const lines = `\n${whole(text)}`;
  for (const key of keys) {
    const at = lines.indexOf(`\n${key} `);
    const value =
      at < 0 ? null : /^\d{1,20}(?=\n)/.exec(lines.slice(at + key.length + 2, at + key.length + 24));
    if (value) found.set(key, Number(value[0]));
  }
  return found;
}

/** What no line break ends was cut off, and its last number with it. */
function whole(text: string): string {
  return text.slice(0, text.lastIndexOf("\n") + 1);
}

function plain(key: string): string {
  return key.replace(/\((\w+)\)$/, "_$1");
}
