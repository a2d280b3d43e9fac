/**
 * Memory that is set aside on purpose and that the kernel's estimate of what is available leaves out: pools of huge
 * pages (Linux Documentation/admin-guide/mm/hugetlbpage.rst), and the cache of ZFS, which gives back what is above its
 * minimum when others need it (OpenZFS module-parameters, zfs_arc_min).
 */
import type { Files } from "../../system/files.ts";
import { counter, readWhole } from "../linux/text.ts";
import type { MemoryData } from "./schema.ts";

const ARC = "/proc/spl/kstat/zfs/arcstats";
const POOLS = "/sys/kernel/mm/hugepages";

export type ZfsCache = NonNullable<MemoryData["zfs_cache"]>;

/** Null without ZFS. */
export function readZfsCache(files: Files): ZfsCache | null {
  // Most machines have none, and an error costs more than the look.
  return files.info(ARC) === null ? null : parseZfsCache(readWhole(files, ARC));
}

/** Lines `name type data` of arcstats; null when one of the two is not in it. */
export function parseZfsCache(text: string): ZfsCache | null {
  const value = (name: string): number | null => {
    const found = new RegExp(`^${name}\\s+\\d+\\s+(\\d{1,15})$`, "m").exec(text);
    return found ? Number(found[1]) : null;
  };
  const [size_bytes, min_bytes] = [value("size"), value("c_min")];
  return size_bytes === null || min_bytes === null ? null : { size_bytes, min_bytes };
}

/**
 * Bytes in the pools of all sizes. Kernels before 4.17 do not add them up in /proc/meminfo (`Hugetlb`).
 * @param total as /proc/meminfo has it; null: it does not
 */
export function readHugeBytes(files: Files, total: number | null): number | null {
  if (total !== null) return total;
  let bytes: number | null = null;
  for (const pool of files.list(POOLS)) {
    const size = /^hugepages-(\d{1,12})kB$/.exec(pool)?.[1];
    const pages = size === undefined ? null : counter(files, `${POOLS}/${pool}/nr_hugepages`);
    if (pages !== null) bytes = (bytes ?? 0) + pages * Number(size) * 1024;
  }
  return bytes;
}

export interface Room {
  /** Memory that is for all to use. */
  readonly total: number;
  readonly available: number;
}

/** What there is, and is left, without what is set aside; null: not known. Pure. */
export function roomOf({ total_bytes, available_bytes, huge_bytes, zfs_cache }: MemoryData): Room | null {
  if (total_bytes === null || available_bytes === null) return null;
  const huge = Math.min(huge_bytes ?? 0, total_bytes);
  const cached = zfs_cache === null ? 0 : Math.max(0, zfs_cache.size_bytes - zfs_cache.min_bytes);
  const total = total_bytes - huge;
  // What the kernel counts as available may be more than is not in a pool by a moment between two lines.
  return { total, available: Math.min(total, available_bytes + cached) };
}
