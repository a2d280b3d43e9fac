/**
 * Which OSDs live on this host and on which of its devices, as far as the traces of ceph-volume and cephadm tell this
 * user: units that are enabled (any user may see them; those of ceph-volume name the OSD's own id, which is in the name
 * of its volume too), mount points, and the OSDs' folders (root and ceph only). Those of ceph-volume are mounts, and may
 * be on the very drive that hangs, so nobody looks into them; those of cephadm lie on the host's own file system.
 */
import type { Files } from "../system/files.ts";
import { parseMountinfo } from "../system/mountinfo.ts";
import { enabledUnits } from "./units.ts";
import { UUID } from "./uuid.ts";

export interface LocalOsd {
  readonly id: number;
  /** Its own UUID, which ceph-volume puts into the names of its volumes; null where nothing tells it. */
  readonly uuid: string | null;
  /** Names of the devices under it, as the kernel or device-mapper has them: `sdb1`, `ceph--…-osd--block--…`. */
  readonly devices: readonly string[];
}

const UNIT = new RegExp(
  `^(?:ceph-volume@(?:lvm|simple)-(\\d+)-(${UUID})|ceph-osd[@-](\\d+)|ceph-${UUID}@osd\\.(\\d+))\\.service$`,
);
const DATA = "/var/lib/ceph";
const PARTS = ["block", "block.db", "block.wal", "journal"];
const MAX_OSDS = 1_000;

/** By id; empty where there are none, or none that can be told. Plain reads, no device is opened. Never throws. */
export function localOsds(files: Files): LocalOsd[] {
  const found = new Map<number, LocalOsd>();
  const note = ({ id, uuid, devices }: LocalOsd): void => {
    const known = found.get(id);
    if (known === undefined && found.size >= MAX_OSDS) return;
    found.set(id, {
      id,
      uuid: uuid ?? known?.uuid ?? null,
      devices: [...new Set([...(known?.devices ?? []), ...devices])],
    });
  };
  for (const name of enabledUnits(files)) {
    const [, volume, uuid = null, plain, cephadm] = UNIT.exec(name) ?? [];
    const id = volume ?? plain ?? cephadm;
    if (id !== undefined) note({ id: Number(id), uuid, devices: [] });
  }
  for (const id of mounted(files)) note({ id, uuid: null, devices: [] });
  for (const { id, folder } of dataFolders(files)) {
    if (folder === null) {
      note({ id, uuid: null, devices: [] });
      continue;
    }
    const uuid = files.text(`${folder}/fsid`);
    const devices = PARTS.flatMap((part) => deviceName(files.link(`${folder}/${part}`)) ?? []);
    note({ id, uuid: uuid !== null && new RegExp(`^${UUID}$`).test(uuid) ? uuid : null, devices });
  }
  return [...found.values()].sort((a, b) => a.id - b.id);
}

/**
 * Those of them that have something on a device.
 * @param names of the device, its partitions and what is built on them; device-mapper's names among them
 */
export function osdsOn(osds: readonly LocalOsd[], names: readonly string[]): number[] {
  const uuids = new Set(names.flatMap((name) => volumeUuid(name) ?? []));
  return osds
    .filter(
      ({ uuid, devices }) =>
        (uuid !== null && uuids.has(uuid)) || devices.some((device) => names.includes(device)),
    )
    .map(({ id }) => id);
}

/** `ceph--…-osd--block--UUID` with its hyphens doubled, as device-mapper does. */
function volumeUuid(name: string): string | null {
  return /-osd--(?:block|data|db|wal|journal)--([0-9a-f-]+)$/.exec(name)?.[1]?.replaceAll("--", "-") ?? null;
}

/** Each OSD of ceph-volume that was activated has a file system of its own, whose place any user may see. */
function mounted(files: Files): number[] {
  return parseMountinfo(files.text("/proc/self/mountinfo") ?? "").flatMap(({ mountpoint }) => {
    const id = /^\/var\/lib\/ceph\/osd\/[A-Za-z0-9]+-(\d{1,7})$/.exec(mountpoint)?.[1];
    return id === undefined ? [] : [Number(id)];
  });
}

/** osd/ceph-7, and with cephadm <cluster>/osd.7. `folder`: where it may be looked into. */
function dataFolders(files: Files): { id: number; folder: string | null }[] {
  const numbered = (folder: string, pattern: RegExp) =>
    files.list(folder).flatMap((name) => {
      const id = pattern.exec(name)?.[1];
      return id === undefined ? [] : [{ id: Number(id), folder: `${folder}/${name}` }];
    });
  const clusters = files.list(DATA).filter((name) => new RegExp(`^${UUID}$`).test(name));
  return [
    ...numbered(`${DATA}/osd`, /^[A-Za-z0-9]+-(\d{1,7})$/).map(({ id }) => ({ id, folder: null })),
    ...clusters.flatMap((cluster) => numbered(`${DATA}/${cluster}`, /^osd\.(\d{1,7})$/)),
  ];
}

/** Of a link to a device: `/dev/sdb1`, `/dev/mapper/NAME`, `/dev/GROUP/VOLUME` (which device-mapper joins by a hyphen). */
function deviceName(target: string | null): string | null {
  const [, first = "", second] = /\/dev\/([^/]+)(?:\/([^/]+))?$/.exec(target ?? "") ?? [];
  if (first === "") return null;
  if (second === undefined || first === "mapper") return second ?? first;
  return `${first.replaceAll("-", "--")}-${second.replaceAll("-", "--")}`;
}
