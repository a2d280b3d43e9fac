/**
 * As much of /proc/self/mountinfo (proc_pid_mountinfo(5)) as the gates need: what lies on which file system. Its
 * device numbers are those of /proc/locks, also where stat(2) gives a file another one (btrfs).
 */
import type { Files } from "../../system/files.ts";

export interface MountPoint {
  readonly path: string;
  readonly fstype: string;
  /** `8:1`, decimal. */
  readonly dev: string;
}

const MAX_BYTES = 4 * 1024 * 1024;
/** What is gone after a reboot, or may be: the upper half of an overlay is mostly memory on nodes that use one. */
const VOLATILE = new Set(["tmpfs", "ramfs", "rootfs", "overlay", "aufs", "devtmpfs"]);

export function readMounts(files: Files): MountPoint[] {
  try {
    return parseMounts(files.read("/proc/self/mountinfo", MAX_BYTES));
  } catch {
    return []; // told by what is then not known
  }
}

/** Lines that are not as expected are left out. Pure. */
export function parseMounts(text: string): MountPoint[] {
  const found: MountPoint[] = [];
  for (const line of text.split("\n")) {
    const dash = line.indexOf(" - ");
    if (dash < 0) continue;
    const [, , dev, , path] = line.slice(0, dash).split(" ");
    const fstype = line.slice(dash + 3).split(" ", 1)[0];
    if (dev === undefined || path === undefined || !fstype || !/^\d+:\d+$/.test(dev)) continue;
    found.push({ path: unescapeOctal(path), fstype, dev });
  }
  return found;
}

/** The mount a path lies on: the longest above it, of those in one place the last. Pure. */
export function mountOf(path: string, mounts: readonly MountPoint[]): MountPoint | null {
  let found: MountPoint | null = null;
  for (const mount of mounts) {
    const above = mount.path === "/" ? "/" : `${mount.path}/`;
    if (path !== mount.path && !path.startsWith(above)) continue;
    if (mount.path.length >= (found?.path.length ?? 0)) found = mount;
  }
  return found;
}

/** Kind of file system if what is in this folder does not outlive a reboot; null: it does, as far as can be seen. */
export function volatileStorage(files: Files, folder: string, mounts: readonly MountPoint[]): string | null {
  const mount = mountOf(files.resolve(folder) ?? folder, mounts);
  return mount !== null && VOLATILE.has(mount.fstype) ? mount.fstype : null;
}

/** The kernel's `\040`. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
