/**
 * Serial of the drive(s) under `/`, without spawning anything: /proc/self/mountinfo → /sys/dev/block → the
 * disk below partition, LVM, dm-crypt or md. A netbooted, overlaid or tmpfs root has none.
 */
import { dirname } from "node:path";
import { cleanDmi } from "../../model/text/dmi-text.ts";
import type { Files } from "../../system/files.ts";
import { parseMountinfo } from "../../system/mountinfo.ts";

/** Where a disk tells who it is, best first: eMMC and SD, NVMe and MMC, virtio, NVMe, SCSI and SATA. Fixed, so that it is the same one at every start. */
const SERIAL_FILES = ["device/cid", "device/serial", "serial", "wwid", "device/wwid", "device/vpd_pg80"];

/** Sorted; null when the root's device can't be looked up for want of permission. */
export function rootDriveSerials(files: Files): string[] | null {
  const mounts = read(files, "/proc/self/mountinfo");
  if (mounts === null || files.presence("/sys/dev/block") === "denied") return null;
  const node = rootNode(files, mounts);
  if (node === null) return [];
  const serials = new Set<string>();
  for (const disk of disksUnder(files, node, 0)) {
    const serial = serialOf(files, disk);
    if (serial !== null) serials.add(serial);
  }
  return [...serials].sort();
}

/** Folder in /sys of the block device mounted on /. */
function rootNode(files: Files, mounts: string): string | null {
  const root = parseMountinfo(mounts).findLast(({ mountpoint }) => mountpoint === "/");
  if (root === undefined) return null;
  const node = files.resolve(`/sys/dev/block/${root.dev}`);
  if (node !== null) return node;
  // btrfs has no device number of its own: its source is one of its devices.
  const name = /^\/dev\/([^/]+)$/.exec(root.source)?.[1];
  return name === undefined ? null : files.resolve(`/sys/class/block/${name}`);
}

function disksUnder(files: Files, node: string, depth: number): string[] {
  if (depth > 8) return [];
  const slaves = files.list(`${node}/slaves`);
  if (slaves.length > 0)
    return slaves.flatMap((name) => {
      const slave = files.resolve(`/sys/class/block/${name}`) ?? files.resolve(`${node}/slaves/${name}`);
      return slave === null ? [] : disksUnder(files, slave, depth + 1);
    });
  return [files.presence(`${node}/partition`) === "yes" ? dirname(node) : node];
}

function serialOf(files: Files, disk: string): string | null {
  for (const file of SERIAL_FILES) {
    // vpd_pg80 starts with a binary header of four bytes (SPC-4, 7.8.13).
    const serial = cleanDmi(files.text(`${disk}/${file}`)?.replace(/[^\x20-\x7e]+/g, " ") ?? null);
    // QEMU's own are the same on every machine: QM00001, drive-scsi0.
    if (serial !== null && !/QEMU|\bQM0000\d/.test(serial)) return serial;
  }
  return null;
}

function read(files: Files, path: string): string | null {
  try {
    return files.read(path, 1024 * 1024);
  } catch {
    return null;
  }
}
