/**
 * File systems that stand on one or several drives at once and are in use: ZFS pools, btrfs, bcachefs. Which devices
 * belong to one is told by the kernel (/sys/fs), else by udev's probes: members carry the pool's own UUID. ZFS tells
 * no member without root, so its members are those whose label is the pool's.
 */
import type { Files } from "../../../system/files.ts";
import type { Scan } from "../scan/assemble.ts";
import type { Pool } from "../schema.ts";
import { baseName, cleanText } from "../text.ts";
import type { Mount } from "./mounts.ts";

const ZFS = "/proc/spl/kstat/zfs";
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const MAX_POOLS = 256;
const MAX_DEVICES = 1_024;

/** Plain reads of what the kernel holds in memory; no device is asked. Sorted by kind and name. */
export function readPools(files: Files, scan: Scan, mounts: readonly Mount[]): Pool[] {
  return [
    ...bcachefsPools(files, scan, mounts),
    ...btrfsPools(files, scan, mounts),
    ...zfsPools(files, scan, mounts),
  ].slice(0, MAX_POOLS);
}

/** The pool's name of a mounted dataset: "rpool" of "rpool/ROOT/pve-1". */
export function poolOf({ source }: Pick<Mount, "source">): string {
  return source.split(/[/@]/)[0] as string;
}

/** Kernel names of what was mounted: bcachefs names all its members, "/dev/sda:/dev/sdb". */
export function devicesOf({ source }: Pick<Mount, "source">, scan: Scan): string[] {
  return source
    .split(/:(?=\/dev\/)/)
    .filter((path) => path.startsWith("/dev/"))
    .map((path) => {
      const name = baseName(path);
      return scan.stacked.find(({ label }) => label === name)?.name ?? name;
    });
}

function zfsPools(files: Files, scan: Scan, mounts: readonly Mount[]): Pool[] {
  const names = new Set(mounts.filter(({ fstype }) => fstype === "zfs").map(poolOf));
  if (files.presence(ZFS) === "yes")
    for (const name of files.list(ZFS)) if (files.presence(`${ZFS}/${name}/state`) === "yes") names.add(name);
  return [...names].sort().map((name) => ({
    kind: "zfs",
    name,
    state: cleanText(files.text(`${ZFS}/${name}/state`)),
    missing_devices: null,
    errors: null,
    devices: having(scan, ({ fstype, label }) => fstype === "zfs_member" && label === name),
  }));
}

function btrfsPools(files: Files, scan: Scan, mounts: readonly Mount[]): Pool[] {
  const at = "/sys/fs/btrfs";
  const uuids = files.presence(at) === "yes" ? files.list(at).filter((name) => UUID.test(name)) : [];
  const pools = uuids.map((uuid): Pool => {
    const members = files.list(`${at}/${uuid}/devinfo`).slice(0, MAX_DEVICES);
    const missing = members.map((id) => files.number(`${at}/${uuid}/devinfo/${id}/missing`));
    const listed = files.list(`${at}/${uuid}/devices`).slice(0, MAX_DEVICES);
    const devices = listed.filter((device) => scan.present.has(device));
    const known = missing.some((one) => one !== null) || devices.length < listed.length;
    return {
      kind: "btrfs",
      name: uuid,
      state: null,
      // One that went while it was in use stays in the list, and is called missing by nobody.
      missing_devices: known ? count(missing, 1) + listed.length - devices.length : null,
      errors: sumOf(
        members.map((id) => btrfsErrors(files.text(`${at}/${uuid}/devinfo/${id}/error_stats`) ?? "")),
      ),
      devices,
    };
  });
  return [...pools, ...byProbe("btrfs", scan, mounts, pools)];
}

function count(values: readonly (number | null)[], wanted: number): number {
  return values.filter((value) => value === wanted).length;
}

function sumOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}

/** `write_errs 4`, `corruption_errs 0`, one a line, since somebody reset them; null where nothing is told. Pure. */
export function btrfsErrors(text: string): number | null {
  return sumOf([...text.matchAll(/^\w+_errs (\d{1,15})$/gm)].map(([, value]) => Number(value)));
}

function bcachefsPools(files: Files, scan: Scan, mounts: readonly Mount[]): Pool[] {
  const at = "/sys/fs/bcachefs";
  const uuids = files.presence(at) === "yes" ? files.list(at).filter((name) => UUID.test(name)) : [];
  const pools = uuids.map((uuid): Pool => {
    const members = files.list(`${at}/${uuid}`).filter((entry) => /^dev-\d+$/.test(entry));
    const links = members.slice(0, MAX_DEVICES).map((entry) => files.link(`${at}/${uuid}/${entry}/block`));
    return {
      kind: "bcachefs",
      name: uuid,
      state: null,
      missing_devices: null,
      errors: null,
      devices: links.flatMap((link) => (link === null ? [] : baseName(link))),
    };
  });
  return [...pools, ...byProbe("bcachefs", scan, mounts, pools)];
}

/** What is mounted and not told by the kernel: its own devices, and those in which udev found the same UUID. */
function byProbe(
  kind: "btrfs" | "bcachefs",
  scan: Scan,
  mounts: readonly Mount[],
  known: readonly Pool[],
): Pool[] {
  const found = new Map<string, Pool>();
  for (const mount of mounts) {
    if (mount.fstype !== kind) continue;
    const devices = devicesOf(mount, scan);
    if (known.some((pool) => pool.devices.some((device) => devices.includes(device)))) continue;
    const uuid = devices.map((device) => scan.contents.get(device)?.uuid).find((it) => it != null) ?? null;
    const same = having(scan, (content) => uuid !== null && content.fstype === kind && content.uuid === uuid);
    const members = [...new Set([...devices, ...same])];
    const name = uuid ?? members[0];
    if (name !== undefined)
      found.set(name, { kind, name, state: null, missing_devices: null, errors: null, devices: members });
  }
  return [...found.values()];
}

function having(
  { contents }: Scan,
  test: (content: { fstype: string | null; label: string | null; uuid: string | null }) => boolean,
): string[] {
  return [...contents].flatMap(([name, content]) => (test(content) ? [name] : [])).slice(0, MAX_DEVICES);
}
