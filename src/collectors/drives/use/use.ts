/** How the drives are used now: the mounts and swap areas on each, with their space and their errors. */
import type { Files } from "../../../system/files.ts";
import { askSpace, ext4Errors } from "../ask.ts";
import type { Scan, ScannedDrive } from "../scan/assemble.ts";
import type { DriveMount, DriveSwap, Pool } from "../schema.ts";
import { baseName } from "../text.ts";
import { deviceNames, parseFstab, readOnlyWanted, withoutLinks, withoutOverlaid } from "./fstab.ts";
import { readWhole } from "./io.ts";
import {
  localMounts,
  type Mount,
  mountAbove,
  parseSwaps,
  readOnlyExpected,
  unmeasured,
  untouchable,
} from "./mounts.ts";
import { devicesOf, poolOf, readPools } from "./pools.ts";

export interface DriveUse {
  readonly mounts: ReadonlyMap<ScannedDrive, readonly DriveMount[]>;
  readonly swap: ReadonlyMap<ScannedDrive, readonly DriveSwap[]>;
  readonly pools: readonly Pool[];
}

export interface MountTable {
  readonly text: string;
  readonly mounts: readonly Mount[];
}

/** The parsed mount table, the very same object as long as its text is the same. */
export function mountReader(): (files: Files) => MountTable {
  let table: MountTable = { text: "", mounts: [] };
  return (files) => {
    const text = readWhole(files, "/proc/self/mountinfo");
    if (text !== table.text) table = { text, mounts: localMounts(text) };
    return table;
  };
}

/** A file system over several drives (RAID, a volume group, btrfs, ZFS) is on each of them, and asked for its space once. */
export async function readUse(
  files: Files,
  scan: Scan,
  table: MountTable,
  signal: AbortSignal,
): Promise<DriveUse> {
  const { mounts } = table;
  const onDrive = new Map<ScannedDrive, DriveMount[]>();
  const pools = readPools(files, scan, mounts);
  const wanted = fstabReader(files, scan, table);
  for (const mount of mounts) {
    const owners = ownersOf(scan, mount, pools);
    const [first] = owners;
    if (first === undefined) continue;
    const expected = mount.superReadOnly ? readOnlyExpected(mount, wanted(mount)) : false;
    const known = {
      ...unmeasured(mount, expected),
      ...(mount.fstype === "ext4"
        ? ext4Errors(files, scan.names.get(mount.dev) ?? baseName(mount.source))
        : {}),
    };
    const measured = await askSpace(files, known, first.facts.name, signal);
    for (const owner of owners) append(onDrive, owner, measured);
  }
  for (const list of onDrive.values()) list.sort((a, b) => (a.mountpoint < b.mountpoint ? -1 : 1));
  return { mounts: onDrive, swap: readSwap(files, scan, mounts, pools), pools };
}

/** What fstab wants of a mount; the file is read once, and only where a file system is read-only. */
function fstabReader(files: Files, scan: Scan, { text }: MountTable): (mount: Mount) => boolean | null {
  let lines: ReturnType<typeof parseFstab> | null = null;
  return (mount) => {
    lines ??= withoutOverlaid(parseFstab(readWhole(files, "/etc/fstab")), text);
    const [device] = devicesOf(mount, scan);
    const dev = scan.names.has(mount.dev)
      ? mount.dev
      : device === undefined
        ? null
        : files.text(`/sys/class/block/${device}/dev`);
    const names = deviceNames(files, mount.source, dev);
    const plain = readOnlyWanted(lines, mount.mountpoints, names);
    if (plain !== null) return plain;
    const stop = untouchable(text);
    const resolved = lines.map((line) => ({
      ...line,
      mountpoint: withoutLinks(files, line.mountpoint, stop),
    }));
    return readOnlyWanted(resolved, mount.mountpoints, names);
  };
}

function readSwap(
  files: Files,
  scan: Scan,
  mounts: readonly Mount[],
  pools: readonly Pool[],
): Map<ScannedDrive, DriveSwap[]> {
  const onDrive = new Map<ScannedDrive, DriveSwap[]>();
  for (const { file, ...swap } of parseSwaps(readWhole(files, "/proc/swaps"))) {
    const mount = file ? mountAbove(swap.device, mounts) : null;
    const owners = mount ? ownersOf(scan, mount, pools) : (scan.owners.get(baseName(swap.device)) ?? []);
    for (const owner of owners) append(onDrive, owner, swap);
  }
  return onDrive;
}

/** By device number; by the devices' names for file systems with a number of their own (btrfs, bcachefs, ZFS). */
function ownersOf(scan: Scan, mount: Mount, pools: readonly Pool[]): readonly ScannedDrive[] {
  const byNumber = scan.owners.get(mount.dev);
  if (byNumber) return byNumber;
  const own = devicesOf(mount, scan);
  const pool = pools.find(({ kind, name, devices }) =>
    kind === "zfs"
      ? mount.fstype === "zfs" && name === poolOf(mount)
      : kind === mount.fstype && devices.some((device) => own.includes(device)),
  );
  const devices = new Set([...own, ...(pool?.devices ?? [])]);
  return [...new Set([...devices].flatMap((device) => scan.owners.get(device) ?? []))];
}

function append<T>(map: Map<ScannedDrive, T[]>, drive: ScannedDrive, item: T): void {
  const list = map.get(drive);
  if (list) list.push(item);
  else map.set(drive, [item]);
}
