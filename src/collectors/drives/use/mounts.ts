/**
 * Which file systems on local block devices are mounted, and which swap is used.
 *
 * A file system is taken as one thing however often it is mounted: containers and a hardened unit mount the
 * same one many times. Whether it is read-only is in the super block options behind ` - `; the mount's own
 * options say `ro` for everything under ProtectSystem=strict.
 */
import { type MountLine, parseMountinfo, unescapeOctal } from "../../../system/mountinfo.ts";
import type { DriveMount, DriveSwap } from "../schema.ts";

export interface Mount extends Omit<MountLine, "options" | "superOptions"> {
  /** Read-only as mounted here. */
  readonly mountReadOnly: boolean;
  /** The file system itself takes no writes. */
  readonly superReadOnly: boolean;
  /** It has turned itself off after an error (ext4 `emergency_ro`, `shutdown`, since Linux 6.15). */
  readonly gaveUp: boolean;
}

// Only these are ever asked for their space: what is behind nfs, ceph, cifs, fuse or 9p may never answer.
const LOCAL = new Set(
  "ext2 ext3 ext4 xfs btrfs vfat exfat f2fs ntfs3 jfs reiserfs bcachefs hfsplus squashfs erofs iso9660 udf".split(
    " ",
  ),
);
const ALWAYS_READ_ONLY = new Set(["squashfs", "erofs", "iso9660"]);

/** File systems on local block devices, one entry each: mounted whole before a part of it, shorter path first. */
export function localMounts(text: string): Mount[] {
  const best = new Map<string, Mount>();
  for (const line of parseMountinfo(text)) {
    if (!LOCAL.has(line.fstype)) continue;
    const known = best.get(line.dev);
    const mount = mountOf(line);
    if (known === undefined || rank(mount) < rank(known)) best.set(mount.dev, mount);
  }
  return [...best.values()];
}

function mountOf({ options, superOptions, ...line }: MountLine): Mount {
  const gaveUp = superOptions.includes("emergency_ro") || superOptions.includes("shutdown");
  return {
    ...line,
    mountReadOnly: options.includes("ro"),
    superReadOnly: gaveUp || superOptions.includes("ro"),
    gaveUp,
  };
}

function rank(mount: Mount): number {
  return (mount.root === "/" ? 0 : 100_000) + mount.mountpoint.length;
}

/**
 * Whether a file system that is read-only was meant to be: fstab's word, else the mount's own options (`mount
 * -o ro` sets both, an error only the file system's). null: can't be told.
 */
export function readOnlyExpected(mount: Mount, fstab: ReadonlyMap<string, boolean>): boolean | null {
  if (mount.gaveUp) return false;
  if (ALWAYS_READ_ONLY.has(mount.fstype)) return true;
  return fstab.get(mount.mountpoint) ?? (mount.superReadOnly && mount.mountReadOnly ? null : false);
}

/** Mount point → whether fstab(5) wants it read-only. */
export function parseFstab(text: string): Map<string, boolean> {
  const wanted = new Map<string, boolean>();
  for (const line of text.split("\n")) {
    const [source, mountpoint, , options] = line.trim().split(/\s+/);
    if (source === undefined || mountpoint === undefined || source.startsWith("#")) continue;
    wanted.set(unescapeOctal(mountpoint), (options ?? "").split(",").includes("ro"));
  }
  return wanted;
}

/** /proc/swaps: a title line, then `Filename Type Size Used Priority`, sizes in KiB (proc(5)). */
export function parseSwaps(text: string): (DriveSwap & { readonly file: boolean })[] {
  const found: (DriveSwap & { readonly file: boolean })[] = [];
  for (const line of text.split("\n").slice(1)) {
    const [device, type, size, used] = line.split(/\s+/);
    const [sizeKib, usedKib] = [Number(size), Number(used)];
    if (!device?.startsWith("/") || !Number.isFinite(sizeKib) || !Number.isFinite(usedKib)) continue;
    const file = type === "file";
    found.push({
      device: unescapeOctal(device),
      size_bytes: sizeKib * 1024,
      used_bytes: usedKib * 1024,
      file,
    });
  }
  return found;
}

/** The mount a file lies on: the one with the longest mount point above it. */
export function mountAbove(path: string, mounts: readonly Mount[]): Mount | null {
  let found: Mount | null = null;
  for (const mount of mounts) {
    const above = mount.mountpoint === "/" ? "/" : `${mount.mountpoint}/`;
    if (path.startsWith(above) && mount.mountpoint.length > (found?.mountpoint.length ?? -1)) found = mount;
  }
  return found;
}

/** What is known of a mount before its space was asked for. */
export function unmeasured(mount: Mount, expected: boolean | null): DriveMount {
  return {
    device: mount.source,
    mountpoint: mount.mountpoint,
    fstype: mount.fstype,
    read_only: mount.superReadOnly,
    read_only_expected: expected,
    size_bytes: null,
    used_bytes: null,
    available_bytes: null,
    use_problem: null,
    errors: null,
    first_error_at: null,
  };
}
