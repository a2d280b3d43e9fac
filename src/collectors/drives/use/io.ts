/**
 * I/O counters. /proc/diskstats has those of all devices in one read; /sys/block/X/stat, the same numbers,
 * only where that file is hidden. Fields: kernel, Documentation/admin-guide/iostats.rst and
 * Documentation/ABI/testing/procfs-diskstats. A sector is 512 bytes there whatever the drive's block size.
 */
import type { Files } from "../../../system/files.ts";
import type { DriveIo } from "../schema.ts";

const SECTOR = 512;
const MAX_BYTES = 1024 * 1024;

/** The eleven or more numbers of /sys/block/X/stat; null when they are not that. */
export function parseStat(text: string): DriveIo | null {
  return countersOf(text.split(/\s+/).filter((part) => part !== ""));
}

function countersOf(parts: readonly string[]): DriveIo | null {
  if (parts.length < 11) return null;
  const numbers: number[] = [];
  for (let index = 0; index < 11; index++) {
    const value = Number(parts[index]);
    if (!Number.isFinite(value) || value < 0) return null;
    numbers.push(value);
  }
  const at = (index: number): number => numbers[index] as number;
  return {
    reads_completed: at(0),
    read_bytes: at(2) * SECTOR,
    read_ms: at(3),
    writes_completed: at(4),
    written_bytes: at(6) * SECTOR,
    write_ms: at(7),
    in_flight: at(8),
    io_ms: at(9),
    weighted_io_ms: at(10),
  };
}

/** Lines of /proc/diskstats by kernel name, counters not yet parsed: most lines are of no drive. */
export function parseDiskstats(text: string, wanted: ReadonlySet<string>): Map<string, DriveIo> {
  const found = new Map<string, DriveIo>();
  for (const line of text.split("\n")) {
    // "   8       0 sda 33587 …": padded in front of the first two numbers only.
    const parts = line.split(" ");
    let index = 0;
    let seen = 0;
    for (; index < parts.length; index++) if (parts[index] !== "" && ++seen === 3) break;
    const name = parts[index];
    if (name === undefined || !wanted.has(name)) continue;
    const counters = countersOf(parts.slice(index + 1));
    if (counters) found.set(name, counters);
  }
  return found;
}

/** Counters of the named block devices; those not known are not in the map. */
export function readIo(files: Files, names: ReadonlySet<string>): Map<string, DriveIo> {
  const found = parseDiskstats(readWhole(files, "/proc/diskstats"), names);
  for (const name of names) {
    if (found.has(name)) continue;
    const text = files.text(`/sys/block/${name}/stat`);
    const counters = text === null ? null : parseStat(text);
    if (counters) found.set(name, counters);
  }
  return found;
}

/** A list of the kernel's that grows with the machine; "" when it is hidden. Large machines pay for it themselves. */
export function readWhole(files: Files, path: string): string {
  try {
    const text = files.read(path);
    return text.length < 60_000 ? text : files.read(path, MAX_BYTES);
  } catch {
    return "";
  }
}

/** Two paths to one drive each count their own requests. */
export function addIo(a: DriveIo | null, b: DriveIo): DriveIo {
  if (a === null) return b;
  return {
    reads_completed: a.reads_completed + b.reads_completed,
    read_bytes: a.read_bytes + b.read_bytes,
    read_ms: a.read_ms + b.read_ms,
    writes_completed: a.writes_completed + b.writes_completed,
    written_bytes: a.written_bytes + b.written_bytes,
    write_ms: a.write_ms + b.write_ms,
    in_flight: a.in_flight + b.in_flight,
    io_ms: a.io_ms + b.io_ms,
    weighted_io_ms: a.weighted_io_ms + b.weighted_io_ms,
  };
}
