/**
 * What lies on which file system, as much as the gates need. The device numbers of /proc/self/mountinfo are those of
 * /proc/locks, also where stat(2) gives a file another one (btrfs).
 */
import type { Files } from "../../system/files.ts";
import { type MountLine, parseMountinfo } from "../../system/mountinfo.ts";

const MAX_BYTES = 4 * 1024 * 1024;
/** What is gone after a reboot, or may be: the upper half of an overlay is mostly memory on nodes that use one. */
const VOLATILE = new Set(["tmpfs", "ramfs", "rootfs", "overlay", "aufs", "devtmpfs"]);

export function readMounts(files: Files): MountLine[] {
  try {
    return parseMountinfo(files.read("/proc/self/mountinfo", MAX_BYTES));
  } catch {
    return []; // told by what is then not known
  }
}

/** The mount a path lies on: the longest above it, of those in one place the last. Pure. */
export function mountOf(path: string, mounts: readonly MountLine[]): MountLine | null {
  let found: MountLine | null = null;
  for (const mount of mounts) {
    const above = mount.mountpoint === "/" ? "/" : `${mount.mountpoint}/`;
    if (path !== mount.mountpoint && !path.startsWith(above)) continue;
    if (mount.mountpoint.length >= (found?.mountpoint.length ?? 0)) found = mount;
  }
  return found;
}

/** Kind of file system if what is in this folder does not outlive a reboot; null: it does, as far as can be seen. */
export function volatileStorage(files: Files, folder: string, mounts: readonly MountLine[]): string | null {
  const mount = mountOf(files.resolve(folder) ?? folder, mounts);
  return mount !== null && VOLATILE.has(mount.fstype) ? mount.fstype : null;
}
