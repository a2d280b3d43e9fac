/**
 * Which file systems on local block devices are mounted, and which swap is used.
 *
 * A file system is taken as one thing however often it is mounted: containers and a hardened unit mount the
 * same one many times. Whether it is read-only is in the super block options behind ` - `; the mount's own
 * options say `ro` for everything under ProtectSystem=strict.
 */
import { type MountLine, parseMountinfo, unescapeOctal } from "../../../system/mountinfo.ts";
import type { DriveMount, DriveSwap } from "../schema.ts";
import { coverage, isRemote, type Unreachable } from "./coverage.ts";

export interface Mount extends Omit<MountLine, "id" | "parent" | "options" | "superOptions"> {
  /** All places where it is mounted, whole or in part. */
  readonly mountpoints: readonly string[];
  /** Why its path does not lead to it. */
  readonly unreachable: Unreachable;
  /** Read-only as mounted here. */
  readonly mountReadOnly: boolean;
  /** The file system itself takes no writes. */
  readonly superReadOnly: boolean;
  /** It has turned itself off after an error (ext4 `emergency_ro`, `shutdown`, since Linux 6.15). */
  readonly gaveUp: boolean;
}

// Only these are ever asked for their space: what is behind nfs, ceph, cifs, fuse or 9p may never answer.
const LOCAL = new Set(
  "ext2 ext3 ext4 xfs btrfs vfat exfat f2fs ntfs3 jfs reiserfs bcachefs nilfs2 zfs hfsplus squashfs erofs iso9660 udf".split(
    " ",
  ),
);
const ALWAYS_READ_ONLY = new Set(["squashfs", "erofs", "iso9660"]);

const MAX_MOUNTS = 256;

/** File systems on local block devices, one entry each: one that can be asked, mounted whole before a part of it, shorter path first. */
export function localMounts(text: string): Mount[] {
  const lines = parseMountinfo(text);
  const reach = coverage(lines);
  const byDevice = new Map<string, MountLine[]>();
  for (const line of lines) {
    // A look at a snapshot of ZFS would keep it mounted.
    if (!LOCAL.has(line.fstype) || (line.fstype === "zfs" && line.source.includes("@"))) continue;
    const places = byDevice.get(line.dev);
    if (places) places.push(line);
    else if (byDevice.size < MAX_MOUNTS) byDevice.set(line.dev, [line]);
  }
  return [...byDevice.values()].map((places) => {
    const ranked = places.sort((a, b) => rank(a) - rank(b));
    const best = ranked.find((place) => reach(place) === null) ?? (ranked[0] as MountLine);
    return mountOf(best, [...new Set(places.map(({ mountpoint }) => mountpoint))], reach(best));
  });
}

/** Folders behind which a look may hang or has something mounted. */
export function untouchable(text: string): (folder: string) => boolean {
  const places = new Set(
    parseMountinfo(text)
      .filter(({ fstype }) => fstype === "autofs" || isRemote(fstype))
      .map(({ mountpoint }) => mountpoint),
  );
  return (folder) => places.has(folder);
}

function mountOf(
  { id: _id, parent: _parent, options, superOptions, ...line }: MountLine,
  mountpoints: readonly string[],
  unreachable: Unreachable,
): Mount {
  const gaveUp = superOptions.includes("emergency_ro") || superOptions.includes("shutdown");
  return {
    ...line,
    mountpoints,
    unreachable,
    mountReadOnly: options.includes("ro"),
    superReadOnly: gaveUp || superOptions.includes("ro"),
    gaveUp,
  };
}

function rank(mount: MountLine): number {
  return (mount.root === "/" ? 0 : 100_000) + mount.mountpoint.length;
}

/**
 * Whether a file system that is read-only was meant to be: fstab's word, else the mount's own options (`mount
 * -o ro` sets both, an error only the file system's). null: can't be told.
 * @param wanted fstab's word; null: it has none
 */
export function readOnlyExpected(mount: Mount, wanted: boolean | null): boolean | null {
  if (mount.gaveUp) return false;
  if (ALWAYS_READ_ONLY.has(mount.fstype)) return true;
  return wanted ?? (mount.superReadOnly && mount.mountReadOnly ? null : false);
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
    files: null,
    files_free: null,
    use_problem: mount.unreachable,
    errors: null,
    first_error_at: null,
  };
}
