/**
 * From block devices to drives: two paths to one drive are one drive, and each drive has an id that stays.
 *
 * Two devices are one drive only where all agrees that both tell (same-drive.ts). Where several paths are usual (SAS,
 * FC, iSCSI) that is enough; elsewhere they must tell WWN and serial number, or a drive would hide behind another one
 * that tells little. Behind USB bridges nothing joins: what they tell is the bridge's.
 */

import { byName } from "../text.ts";
import type { BlockDevice } from "./block-devices.ts";
import { type DriveKeys, driveKeys } from "./keys.ts";
import { isSameDrive, sharesSerial } from "./same-drive.ts";

export interface DriveGroup {
  /** The array's item key: `wwn-0x…`, `serial-…`, `path-…`; unique. */
  readonly id: string;
  /** Whether the id is the drive's own (not the place's), so that it can be told when it is gone. */
  readonly identified: boolean;
  /** Sorted by name; the first names the drive. Without hidden NVMe paths. */
  readonly devices: readonly [BlockDevice, ...BlockDevice[]];
  /** Hidden paths of an NVMe multipath head, sorted by name. */
  readonly hidden: readonly BlockDevice[];
}

const MULTIPATH = new Set<string | null>(["sas", "fc", "iscsi", "scsi"]);

/** Group devices to drives, in the order of their names. @param keys who had which id before */
export function groupDrives(devices: readonly BlockDevice[], keys: DriveKeys = driveKeys()): DriveGroup[] {
  const hidden = new Map<string, BlockDevice[]>();
  const groups: [BlockDevice, ...BlockDevice[]][] = [];
  /** Few have anything in common, so each is compared with those only. */
  const alike = new Map<string, [BlockDevice, ...BlockDevice[]][]>();
  for (const device of [...devices].sort(byName)) {
    if (device.head !== null) {
      hidden.set(device.head, [...(hidden.get(device.head) ?? []), device]);
      continue;
    }
    const marks = [device.wwn, device.serial].filter((mark) => mark !== null);
    const found = marks
      .flatMap((mark) => alike.get(mark) ?? [])
      .find((members) => members.every((member) => arePaths(member, device)));
    if (found !== undefined) found.push(device);
    const group = found ?? [device];
    if (found === undefined) groups.push(group);
    for (const mark of marks) alike.set(mark, [...(alike.get(mark) ?? []), group]);
  }
  const ids = keys.assign(groups.map(([first]) => ({ ...first, place: `path-${placeOf(first)}` })));
  return groups.map((members, index) => {
    const id = (ids[index] as string).replace(/\s/g, "_");
    return {
      id,
      identified: !id.startsWith("path-"),
      devices: members,
      hidden: members.flatMap((member) => hidden.get(member.name) ?? []),
    };
  });
}

function arePaths(a: BlockDevice, b: BlockDevice): boolean {
  if (a.transport === "usb" || b.transport === "usb" || !isSameDrive(a, b)) return false;
  if (MULTIPATH.has(a.transport) && MULTIPATH.has(b.transport)) return true;
  // What the kernel makes of serial number and model where a namespace has no id of its own says nothing more.
  return a.wwn !== null && a.wwn === b.wwn && !a.wwn.startsWith("nvme.") && sharesSerial(a, b);
}

/**
 * Where a device is attached, without the numbers the kernel gives in the order of discovery (host0, usb1,
 * ata3, …): `0000:00:02.0`, `0000:01:00.0-1.4`, `0000:00:1f.2-0:0:0`. By itself no proof of being the same drive.
 */
export function placeOf(device: Pick<BlockDevice, "link" | "name" | "hctl">): string {
  const parts = device.link.split("/");
  const pci = parts.findLastIndex((part) => /^[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/.test(part));
  const bus = pci >= 0 ? pci : parts.findIndex((part) => part === "platform" || part === "soc") + 1;
  const place = parts[bus];
  if (bus <= 0 || place === undefined) return device.name;
  const usb = parts.findLast((part) => /^\d+-[\d.]+$/.test(part));
  const below = [usb?.slice(usb.indexOf("-") + 1), device.hctl?.slice(device.hctl.indexOf(":") + 1)];
  const namespace = /n(\d+)$/.exec(device.name);
  if (device.name.startsWith("nvme") && namespace && namespace[1] !== "1") below.push(`n${namespace[1]}`);
  return [place, ...below.filter((part) => part !== undefined)].join("-");
}
