/**
 * From block devices to drives: two paths to one drive are one drive, and each drive has an id that stays.
 *
 * Same WWN means same drive, but only with the same size and no contradicting serial number: some makers
 * ship whole batches with one WWN. A serial number alone joins only where several paths are usual (SAS, FC,
 * iSCSI): cheap USB bridges all say 0123456789ABCDEF.
 */

import { byName } from "../text.ts";
import type { BlockDevice } from "./block-devices.ts";

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

/** Group devices to drives, in the order of their names. Pure. */
export function groupDrives(devices: readonly BlockDevice[]): DriveGroup[] {
  const hidden = new Map<string, BlockDevice[]>();
  const groups = new Map<string, [BlockDevice, ...BlockDevice[]]>();
  for (const device of [...devices].sort(byName)) {
    if (device.head !== null) {
      hidden.set(device.head, [...(hidden.get(device.head) ?? []), device]);
      continue;
    }
    const key = groupKey(device);
    const group = groups.get(key);
    if (group) group.push(device);
    else groups.set(key, [device]);
  }
  const taken = new Set<string>();
  return [...groups.values()].map((members) => {
    const id = uniqueId(members[0], taken);
    taken.add(id);
    return {
      id,
      identified: !id.startsWith("path-"),
      devices: members,
      hidden: members.flatMap((member) => hidden.get(member.name) ?? []),
    };
  });
}

function groupKey(device: BlockDevice): string {
  const { wwn, serial, model, sizeBytes, transport } = device;
  if (wwn !== null && transport !== "usb") return `wwn ${wwn} ${serial} ${sizeBytes}`;
  if (serial !== null && MULTIPATH.has(transport)) return `serial ${serial} ${model} ${sizeBytes}`;
  return `name ${device.name}`;
}

function uniqueId(device: BlockDevice, taken: ReadonlySet<string>): string {
  const candidates = [
    device.wwn === null ? null : `wwn-${device.wwn}`,
    device.wwn === null || device.serial === null ? null : `wwn-${device.wwn}-${device.serial}`,
    device.serial === null ? null : `serial-${device.serial}`,
    `path-${placeOf(device)}`,
  ];
  const free = candidates.find((id): id is string => id !== null && !taken.has(id.replace(/\s/g, "_")));
  return (free ?? `path-${device.name}`).replace(/\s/g, "_");
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
