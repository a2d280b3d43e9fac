/**
 * The static part of the section, kept between two runs. As long as the kernel has sent no uevent (its counter
 * /sys/kernel/uevent_seqnum stands still) no device has come, gone or changed, and nothing is read again;
 * else only the devices whose key changed. A node with 180 paths pays for its 4000 small files once.
 */
import { localOsds, osdsOn } from "../../../ceph/osds.ts";
import type { Files } from "../../../system/files.ts";
import { findSensors } from "../ask.ts";
import type { Drive, DrivePath } from "../schema.ts";
import { cleanText, partitionParent } from "../text.ts";
import {
  type BlockDevice,
  deviceKey,
  isDriveName,
  readDevice,
  subsystemControllers,
} from "./block-devices.ts";
import { placeOfDrive, readPciSlots, readSlots, type Slots } from "./enclosure.ts";
import { type DriveGroup, groupDrives } from "./group.ts";
import { holdersOf, indexBySlave, readStacked, type StackedDevice } from "./holders.ts";
import type { DriveKeys } from "./keys.ts";

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
  readonly drives: readonly ScannedDrive[];
  /** Drives by what may be mounted: `8:1`, and kernel or device-mapper names (`sda1`, `vg-root`). */
  readonly owners: ReadonlyMap<string, readonly ScannedDrive[]>;
  /** Kernel names by `major:minor`. */
  readonly names: ReadonlyMap<string, string>;
  /** Names whose counters are a drive's. */
  readonly counted: ReadonlySet<string>;
}

export interface Scanner {
  /** What is there now; the very same object while nothing changed. @param nowMs monotonic */
  scan(files: Files, nowMs: number, drivetemp: boolean): Scan;
}

// What sends no uevent (a firmware update, a slot's late label) is seen by then.
const REFRESH_MS = 3_600_000;
/** How often a device is read again while udev has no word about it. */
const MAX_TRIES = 5;

/** @param keys who has which id */
export function driveScanner(keys: DriveKeys): Scanner {
  const devices = new Map<string, BlockDevice | null>();
  const seen = new Map<string, string>();
  const tries = new Map<string, number>();
  let slots: Slots = new Map();
  let slotsSettled = false;
  let last: { scan: Scan; seq: string | null; at: number } | null = null;

  function isSettled(name: string): boolean {
    return devices.get(name)?.settled !== false || (tries.get(name) ?? 0) >= MAX_TRIES;
  }

  /** true when a device was read anew or is gone. */
  function readDevices(
    files: Files,
    blocks: readonly string[],
    parts: ReadonlyMap<string, string[]>,
  ): boolean {
    let changed = false;
    const present = new Set(blocks);
    for (const name of devices.keys()) {
      if (present.has(name)) continue;
      devices.delete(name);
      seen.delete(name);
      tries.delete(name);
      changed = true;
    }
    for (const name of blocks) {
      const partitions = parts.get(name) ?? [];
      const key = deviceKey(files, name, partitions);
      const same = seen.get(name) === key;
      if (same && isSettled(name)) continue;
      tries.set(name, same ? (tries.get(name) ?? 0) + 1 : 1);
      seen.set(name, key);
      devices.set(name, readDevice(files, name, key, partitions));
      changed = true;
    }
    return changed;
  }

  return {
    scan(files, nowMs, drivetemp) {
      const seq = files.text("/sys/kernel/uevent_seqnum");
      const settled = [...devices.keys()].every(isSettled);
      if (last && settled && slotsSettled && seq !== null && seq === last.seq && nowMs - last.at < REFRESH_MS)
        return last.scan;
      const expired = last === null || nowMs - last.at >= REFRESH_MS;
      if (expired) {
        devices.clear();
        seen.clear();
      }
      const blocks = files.list("/sys/block");
      const parts = partitionsByParent(files, blocks);
      const changed = readDevices(files, blocks.filter(isDriveName), parts);
      // A new drive's slot may be labelled a moment later than the drive appears: one more look at the next run.
      if (changed || !slotsSettled) slots = readSlots(files);
      slotsSettled = !changed || last === null;
      const stacked = readStacked(files, blocks, parts);
      const found = [...devices.values()].filter((device) => device !== null);
      const scan = {
        blockCount: blocks.length,
        ...assemble(files, groupDrives(found, keys), slots, stacked, drivetemp),
      };
      last = { scan, seq, at: expired || last === null ? nowMs : last.at };
      return scan;
    },
  };
}

/** One look at /sys/class/block instead of one in each drive's folder. */
function partitionsByParent(files: Files, blocks: readonly string[]): Map<string, string[]> {
  const whole = new Set(blocks);
  const found = new Map<string, string[]>();
  const classNames = files.list("/sys/class/block");
  const names =
    classNames.length > 0 ? classNames : blocks.flatMap((name) => files.list(`/sys/block/${name}`));
  for (const name of names) {
    if (whole.has(name)) continue;
    const parent = partitionParent(name);
    if (parent === null || !whole.has(parent)) continue;
    found.set(parent, [...(found.get(parent) ?? []), name]);
  }
  return found;
}

function assemble(
  files: Files,
  groups: readonly DriveGroup[],
  slots: Slots,
  stacked: readonly StackedDevice[],
  drivetemp: boolean,
): Omit<Scan, "blockCount"> {
  const bySlave = indexBySlave(stacked);
  const pciSlots = readPciSlots(files);
  const sensors = findSensors(files, drivetemp);
  const owners = new Map<string, ScannedDrive[]>();
  const names = new Map<string, string>();
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
    const own = (name: string | null, dev: string | null): void => {
      for (const key of [name, dev]) if (key !== null) owners.set(key, [...(owners.get(key) ?? []), drive]);
      if (name !== null && dev !== null) names.set(dev, name);
    };
    for (const device of group.devices) {
      counted.add(device.name);
      own(device.name, device.dev);
      for (const part of device.partitions) own(part.name, part.dev);
    }
    for (const { device } of held) {
      own(device.name, device.dev);
      own(device.label, null);
      for (const part of device.partitions) own(part.name, part.dev);
    }
    return drive;
  });
  return { drives, owners, names, counted };
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
    hotplug: first.removable === true || first.transport === "usb" || first.mmc?.kind === "SD",
    write_protected: first.writeProtected,
    ...place,
    fstype: first.fstype,
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
  const nvme = (name: string, controller: string): ScannedDrive["paths"][number] => {
    const at = `/sys/class/nvme/${controller}`;
    return { name, address: cleanText(files.text(`${at}/address`)), state: null, stateFile: `${at}/state` };
  };
  const paths = group.hidden.map((path) => nvme(path.name, path.controller ?? path.name));
  if (paths.length > 0) return paths;
  return group.devices.flatMap((device): ScannedDrive["paths"] => {
    const { name, hctl, endDevice, controller } = device;
    if (controller !== null) return [nvme(name, controller)];
    if (name.startsWith("nvme")) return subsystemControllers(files, name).map((found) => nvme(found, found));
    const sas =
      endDevice === null ? null : cleanText(files.text(`/sys/class/sas_device/${endDevice}/sas_address`));
    const stateFile = hctl === null ? null : `/sys/block/${name}/device/state`;
    return [{ name, address: sas ?? hctl, state: null, stateFile }];
  });
}
