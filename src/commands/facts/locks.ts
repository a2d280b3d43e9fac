/**
 * Who holds a lock on a file, from /proc/locks (proc_locks(5)): read by everybody, where trying the lock would need to
 * open the file for writing. Locks of another PID namespace (inside containers) do not show.
 */
import type { Files } from "../../system/files.ts";
import type { MountLine } from "../../system/mountinfo.ts";
import { mountOf } from "./mounts.ts";

export interface HeldLock {
  /** `8:1`, decimal. */
  readonly dev: string;
  readonly inode: number;
}

const MAX_BYTES = 4 * 1024 * 1024;
// "1: POSIX  ADVISORY  WRITE 4242 fd:01:1234 0 EOF"; with "->" before the kind it only waits for the lock.
const LINE = /^\d+: (?:POSIX|FLOCK|OFDLCK)\s+\S+\s+WRITE\s+-?\d+\s+([0-9a-f]+):([0-9a-f]+):(\d+)\s/i;

/** Exclusive locks that are held; leases, shared locks and those that are waited for are left out. Pure. */
export function parseLocks(text: string): HeldLock[] {
  const found: HeldLock[] = [];
  for (const line of text.split("\n")) {
    const match = LINE.exec(line);
    if (!match) continue;
    const [major, minor] = [Number.parseInt(match[1] ?? "", 16), Number.parseInt(match[2] ?? "", 16)];
    found.push({ dev: `${major}:${minor}`, inode: Number(match[3]) });
  }
  return found;
}

/** All locks, or null where they can't be read. */
export function readLocks(files: Files): HeldLock[] | null {
  try {
    return parseLocks(files.read("/proc/locks", MAX_BYTES));
  } catch {
    return null;
  }
}

/** Whether somebody holds a lock on a file; `unknown` when the file or the locks are hidden. */
export function locked(
  files: Files,
  path: string,
  locks: readonly HeldLock[] | null,
  mounts: readonly MountLine[],
): "yes" | "no" | "unknown" {
  const present = files.presence(path);
  if (present !== "yes") return present === "denied" ? "unknown" : "no";
  if (locks === null) return "unknown";
  const info = files.info(path);
  if (info === null) return "no"; // gone in between
  const devices = [deviceNumber(info.dev), mountOf(files.resolve(path) ?? path, mounts)?.dev];
  return locks.some(({ dev, inode }) => inode === info.ino && devices.includes(dev)) ? "yes" : "no";
}

/** st_dev as glibc packs it (makedev(3)), as `major:minor`. */
export function deviceNumber(dev: number): string {
  const low = dev % 2 ** 32;
  const high = Math.floor(dev / 2 ** 32);
  const major = ((low >>> 8) & 0xfff) + (high & 0xfffff000);
  return `${major}:${(low & 0xff) | ((low >>> 20) << 8)}`;
}
