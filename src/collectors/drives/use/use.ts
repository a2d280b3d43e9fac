/** How the drives are used now: the mounts and swap areas on each, with their space and their errors. */
import type { Files } from "../../../system/files.ts";
import { askSpace, ext4Errors } from "../ask.ts";
import type { Scan, ScannedDrive } from "../scan/scan.ts";
import type { DriveMount, DriveSwap } from "../schema.ts";
import { baseName } from "../text.ts";
import { readWhole } from "./io.ts";
import {
  localMounts,
  type Mount,
  mountAbove,
  parseFstab,
  parseSwaps,
  readOnlyExpected,
  unmeasured,
} from "./mounts.ts";

export interface DriveUse {
  readonly mounts: ReadonlyMap<ScannedDrive, readonly DriveMount[]>;
  readonly swap: ReadonlyMap<ScannedDrive, readonly DriveSwap[]>;
}

/** The parsed mount table, kept as long as its text is the same. */
export function mountReader(): (files: Files) => readonly Mount[] {
  let text = "";
  let mounts: readonly Mount[] = [];
  return (files) => {
    const now = readWhole(files, "/proc/self/mountinfo");
    if (now !== text) {
      text = now;
      mounts = localMounts(now);
    }
    return mounts;
  };
}

/** A file system over several drives (RAID, a volume group) is on each of them, and asked for its space once. */
export async function readUse(
  files: Files,
  scan: Scan,
  mounts: readonly Mount[],
  signal: AbortSignal,
): Promise<DriveUse> {
  const onDrive = new Map<ScannedDrive, DriveMount[]>();
  const local = mounts.filter((mount) => ownersOf(scan, mount).length > 0);
  const fstab = local.some((mount) => mount.superReadOnly)
    ? parseFstab(readWhole(files, "/etc/fstab"))
    : new Map<string, boolean>();
  for (const mount of local) {
    const owners = ownersOf(scan, mount);
    const [first] = owners as [ScannedDrive];
    const known = {
      ...unmeasured(mount, mount.superReadOnly ? readOnlyExpected(mount, fstab) : false),
      ...(mount.fstype === "ext4"
        ? ext4Errors(files, scan.names.get(mount.dev) ?? baseName(mount.source))
        : {}),
    };
    const measured = await askSpace(files, known, first.facts.name, signal);
    for (const owner of owners) append(onDrive, owner, measured);
  }
  for (const list of onDrive.values()) list.sort((a, b) => (a.mountpoint < b.mountpoint ? -1 : 1));
  return { mounts: onDrive, swap: readSwap(files, scan, mounts) };
}

function readSwap(files: Files, scan: Scan, mounts: readonly Mount[]): Map<ScannedDrive, DriveSwap[]> {
  const onDrive = new Map<ScannedDrive, DriveSwap[]>();
  for (const { file, ...swap } of parseSwaps(readWhole(files, "/proc/swaps"))) {
    const mount = file ? mountAbove(swap.device, mounts) : null;
    const owners = mount ? ownersOf(scan, mount) : (scan.owners.get(baseName(swap.device)) ?? []);
    for (const owner of owners) append(onDrive, owner, swap);
  }
  return onDrive;
}

/** By device number; by the device's name for file systems with a number of their own (btrfs). */
function ownersOf(scan: Scan, mount: Mount): readonly ScannedDrive[] {
  const byNumber = scan.owners.get(mount.dev);
  if (byNumber || !mount.source.startsWith("/dev/")) return byNumber ?? [];
  return scan.owners.get(baseName(mount.source)) ?? [];
}

function append<T>(map: Map<ScannedDrive, T[]>, drive: ScannedDrive, item: T): void {
  const list = map.get(drive);
  if (list) list.push(item);
  else map.set(drive, [item]);
}
