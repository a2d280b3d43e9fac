/**
 * Puts a scan together: drives of groups of block devices, each with its place, its ways, what is built on it and whose
 * it is; and by which names and numbers whatever is mounted finds its drives.
 */
import { localOsds, osdsOn } from "../../../ceph/osds.ts";
import type { Files } from "../../../system/files.ts";
import { findSensors } from "../ask.ts";
import type { Drive, DrivePath } from "../schema.ts";
import { cleanText } from "../text.ts";
import { isRemovable, subsystemControllers } from "./block-devices.ts";
import { placeOfDrive, readPciSlots, type Slots } from "./enclosure.ts";
import type { DriveGroup } from "./group.ts";
import { holdersOf, indexBySlave, type StackedDevice } from "./holders.ts";
import type { FileSystemFacts } from "./udev.ts";

/** One drive without what changes from run to run. */
export interface ScannedDrive {
  readonly group: DriveGroup;
  readonly facts: Omit<
    Drive,
    "state" | "answering" | "paths" | "mounts" | "swap" | "io" | keyof TemperatureFields
  >;
  readonly paths: readonly (DrivePath & { readonly stateFile: string | null })[];
  /** Where its temperature is read, or null. */
  readonly sensor: string | null;
}

type TemperatureFields = Pick<Drive, "temperature_c" | "temperature_problem">;

export interface Scan {
  /** Block devices of any kind; none at all means that /sys is not to be believed. */
  readonly blockCount: number;
  /** The kernel's count of device events; null: /sys does not show it. */
  readonly seq: string | null;
  readonly drives: readonly ScannedDrive[];
  /** Drives by what may be mounted: `8:1`, and kernel or device-mapper names (`sda1`, `vg-root`). */
  readonly owners: ReadonlyMap<string, readonly ScannedDrive[]>;
  /** Kernel names by `major:minor`. */
  readonly names: ReadonlyMap<string, string>;
  /** What is built on block devices, all of it. */
  readonly stacked: readonly StackedDevice[];
  /** Kernel names of all block devices and partitions. */
  readonly present: ReadonlySet<string>;
  /** What udev found on drives, partitions and what is built on them, by kernel name. */
  readonly contents: ReadonlyMap<string, FileSystemFacts>;
  /** Names whose counters are a drive's. */
  readonly counted: ReadonlySet<string>;
}

interface Owned {
  readonly name: string;
  readonly dev: string | null;
  readonly content: FileSystemFacts;
}

/** Everything about the drives of `groups` that stays until a device comes, goes or changes. */
export function assemble(
  files: Files,
  groups: readonly DriveGroup[],
  slots: Slots,
  stacked: readonly StackedDevice[],
  drivetemp: boolean,
): Omit<Scan, "blockCount" | "seq" | "present"> {
  const bySlave = indexBySlave(stacked);
  const pciSlots = readPciSlots(files);
  const sensors = findSensors(files, drivetemp);
  const owners = new Map<string, ScannedDrive[]>();
  const names = new Map<string, string>();
  const contents = new Map<string, FileSystemFacts>();
  const counted = new Set<string>();
  const osds = localOsds(files);
  const drives = groups.map((group): ScannedDrive => {
    const held = holdersOf(
      group.devices.flatMap((device) => [device.name, ...device.partitions.map((part) => part.name)]),
      bySlave,
    );
    const paths = pathsOf(files, group);
    const nvme = group.devices[0].name.startsWith("nvme");
    const addresses = nvme ? paths.flatMap((path) => path.address ?? []) : [];
    const place = placeOfDrive(files, group.devices, addresses, slots, pciSlots);
    const hidden = group.hidden.map((path) => path.controller);
    const candidates = [...group.devices.flatMap((it) => [it.controller, it.hctl]), ...hidden, ...addresses];
    const sensor =
      candidates.map((name) => sensors.get(name ?? "")).find((file) => file !== undefined) ?? null;
    const osdIds = osdsOn(osds, [
      ...group.devices.flatMap((device) => [device.name, ...device.partitions.map((part) => part.name)]),
      ...held.flatMap(({ device }) => device.label ?? []),
    ]);
    const facts = { ...factsOf(group, place, held), osd_ids: osdIds };
    const drive: ScannedDrive = { group, facts, paths, sensor };
    const isOf = (key: string | null): void => {
      if (key !== null) owners.set(key, [...(owners.get(key) ?? []), drive]);
    };
    const own = ({ name, dev, content }: Owned): void => {
      isOf(name);
      isOf(dev);
      if (dev !== null) names.set(dev, name);
      contents.set(name, content);
    };
    for (const device of group.devices) {
      counted.add(device.name);
      for (const owned of [device, ...device.partitions]) own(owned);
    }
    for (const { device } of held) {
      for (const owned of [device, ...device.partitions]) own(owned);
      isOf(device.label);
    }
    return drive;
  });
  return { drives, owners, names, counted, stacked, contents };
}

function factsOf(
  group: DriveGroup,
  place: ReturnType<typeof placeOfDrive>,
  held: ReturnType<typeof holdersOf>,
): Omit<ScannedDrive["facts"], "osd_ids"> {
  const [first] = group.devices;
  const { id } = group;
  return {
    id,
    name: first.name,
    model: first.model,
    vendor: first.vendor,
    serial: first.serial,
    firmware: first.firmware,
    wwn: first.wwn,
    size_bytes: first.sizeBytes,
    type: first.type,
    transport: first.transport,
    rotational: first.rotational,
    logical_block_bytes: first.logicalBlockBytes,
    physical_block_bytes: first.physicalBlockBytes,
    removable: first.removable,
    hotplug:
      isRemovable(first.removable, first.transport, first.model) ||
      first.transport === "usb" ||
      first.mmc?.kind === "SD",
    write_protected: first.writeProtected,
    ...place,
    fstype: first.content.fstype,
    partitions: first.partitions.map(({ name, size_bytes, fstype, label }) => ({
      name,
      size_bytes,
      fstype,
      label,
    })),
    holders: held.map(({ device, on }) => ({
      name: device.name,
      kind: device.kind,
      label: device.label,
      level: device.level,
      degraded: null,
      on,
      size_bytes: device.sizeBytes,
    })),
    mmc: first.mmc,
  };
}

function pathsOf(files: Files, group: DriveGroup): ScannedDrive["paths"] {
  const nvme = (name: string, controller: string, byPath: string | null): ScannedDrive["paths"][number] => {
    const at = `/sys/class/nvme/${controller}`;
    const address = cleanText(files.text(`${at}/address`));
    return { name, address, by_path: byPath, state: null, stateFile: `${at}/state` };
  };
  const paths = group.hidden.map((path) => nvme(path.name, path.controller ?? path.name, path.byPath));
  if (paths.length > 0) return paths;
  return group.devices.flatMap((device): ScannedDrive["paths"] => {
    const { name, hctl, endDevice, controller, byPath } = device;
    if (controller !== null) return [nvme(name, controller, byPath)];
    if (name.startsWith("nvme"))
      return subsystemControllers(files, name).map((found) => nvme(found, found, byPath));
    const sas =
      endDevice === null ? null : cleanText(files.text(`/sys/class/sas_device/${endDevice}/sas_address`));
    const stateFile = hctl === null ? null : `/sys/block/${name}/device/state`;
    return [{ name, address: sas ?? hctl, by_path: byPath, state: null, stateFile }];
  });
}
