/**
 * The whole drives under a device of an OSD: a partition's drive, what a logical volume, a dm-crypt or a multipath
 * device is made of. From links in sysfs, which any user may read; no device is opened.
 */
import type { Files } from "../system/files.ts";
import { type LocalOsd, osdsOn } from "./osds.ts";

/** A logical volume on dm-crypt on a multipath device on a partition is five. */
const MAX_DEPTH = 8;

/** Kernel names of whole drives by OSD id, each sorted; an OSD whose devices can't be told is left out. Never throws. */
export function drivesUnder(files: Files, osds: readonly LocalOsd[]): Map<number, string[]> {
  const found = new Map<number, Set<string>>();
  const note = (id: number, drives: Iterable<string>): void => {
    const known = found.get(id) ?? new Set();
    for (const drive of drives) known.add(drive);
    if (known.size > 0) found.set(id, known);
  };
  for (const name of files.list("/sys/block")) {
    if (!name.startsWith("dm-")) continue;
    const mapped = files.text(`/sys/block/${name}/dm/name`);
    for (const id of osdsOn(osds, mapped === null ? [name] : [name, mapped]))
      note(id, wholeDrives(files, name, 0));
  }
  for (const { id, devices } of osds)
    for (const device of devices)
      if (files.info(`/sys/class/block/${device}`) !== null) note(id, wholeDrives(files, device, 0));
  return new Map([...found].map(([id, drives]) => [id, [...drives].sort()]));
}

function wholeDrives(files: Files, name: string, depth: number): Set<string> {
  const at = `/sys/class/block/${name}`;
  const slaves = depth < MAX_DEPTH ? files.list(`${at}/slaves`) : [];
  if (slaves.length > 0) return new Set(slaves.flatMap((slave) => [...wholeDrives(files, slave, depth + 1)]));
  if (files.presence(`${at}/partition`) !== "yes") return new Set([name]);
  // …/block/sda/sda1: the folder above a partition is its drive.
  const parent = /\/([^/]+)\/[^/]+$/.exec(files.link(at) ?? "")?.[1];
  return new Set(parent === undefined ? [] : [parent]);
}
