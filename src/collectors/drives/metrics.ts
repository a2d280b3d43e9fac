/**
 * Metrics of the drives, with the names and labels of node_exporter (diskstats and filesystem collectors) and
 * smartctl_exporter where the meaning is the same. Their counters are read at each scrape, with those of all block
 * devices: src/sockets/metrics/live/disks.ts.
 *
 * Serial numbers are labels as far as the data has them: give redacted data where they must not be seen.
 */
import type { Metric, Sample } from "../collector.ts";
import type { Drive, DriveMount, DrivesData, MdArray } from "./schema.ts";
import { memberCounts } from "./use/arrays.ts";

type DriveMetric = Metric<DrivesData>;

const MAX_FILE_SYSTEMS = 256;

/** Each once: a RAID's file system is listed on each of its drives. */
function mountsOf(data: DrivesData): DriveMount[] {
  const seen = new Map<string, DriveMount>();
  for (const { mounts } of data.drives)
    for (const mount of mounts) if (!seen.has(mount.mountpoint)) seen.set(mount.mountpoint, mount);
  return [...seen.values()].slice(0, MAX_FILE_SYSTEMS);
}

function fileSystem(name: string, help: string, of: (mount: DriveMount) => number | null): DriveMetric {
  return {
    name: `node_filesystem_${name}`,
    help,
    type: "gauge",
    *samples(data) {
      for (const mount of mountsOf(data)) {
        const { device, fstype, mountpoint, use_problem: problem } = mount;
        const value = of(mount);
        if (value === null) continue;
        const labels = { device, mountpoint, fstype };
        yield { value, labels: problem === null ? labels : { ...labels, device_error: problem } };
      }
    },
  };
}

function array(
  name: string,
  help: string,
  of: (array: MdArray) => Iterable<readonly [value: number | null, state?: string]>,
): DriveMetric {
  return {
    name: `node_md_${name}`,
    help,
    type: "gauge",
    *samples({ arrays }) {
      for (const each of arrays)
        for (const [value, state] of of(each))
          if (value !== null)
            yield { value, labels: { device: each.name, ...(state === undefined ? {} : { state }) } };
    },
  };
}

/** By node_exporter's words for what /proc/mdstat shows of an array. */
const MD_STATES = ["active", "inactive", "recovering", "resync", "check"] as const;
const MD_ACTIONS: Readonly<Record<string, (typeof MD_STATES)[number]>> = {
  recover: "recovering",
  reshape: "recovering",
  resync: "resync",
  repair: "resync",
  check: "check",
};

function mdStates({ state, sync_action: action }: MdArray): (readonly [number, string])[] {
  const stopped = state === null || state === "inactive" || state === "clear";
  const now = stopped ? "inactive" : (MD_ACTIONS[action ?? ""] ?? "active");
  return MD_STATES.map((each) => [Number(each === now), each]);
}

function* mdDisks(each: MdArray): Iterable<readonly [number | null, string]> {
  const { active, failed, spare } = memberCounts(each);
  yield [active, "active"];
  yield [failed, "failed"];
  yield [spare, "spare"];
  yield [each.raid_disks === null ? null : Math.max(0, each.raid_disks - active), "down"];
}

/** In blocks of 1 KiB, as /proc/mdstat counts. */
function mdBlocks(bytes: number | null): number | null {
  return bytes === null ? null : bytes / 1024;
}

function total(name: string, help: string, field: "count" | "bytes"): DriveMetric {
  return {
    name: `foundry_agent_drives_${name}`,
    help,
    type: "gauge",
    *samples({ totals }) {
      for (const kind of ["hdd", "flash"] as const) yield { value: totals[kind][field], labels: { kind } };
    },
  };
}

export const driveMetrics: readonly DriveMetric[] = [
  {
    name: "node_disk_info",
    help: "Info of the drive, value is always 1.",
    type: "gauge",
    *samples(data) {
      for (const drive of data.drives) yield { value: 1, labels: infoOf(drive) };
    },
  },
  fileSystem("size_bytes", "Size of the file system in bytes.", (mount) => mount.size_bytes),
  fileSystem("free_bytes", "Free space in bytes, root's reserve with it.", freeOf),
  fileSystem(
    "avail_bytes",
    "Space available to users that are not root, in bytes.",
    (mount) => mount.available_bytes,
  ),
  fileSystem("files", "File nodes (inodes) of the file system.", (mount) => mount.files),
  fileSystem("files_free", "Free file nodes (inodes) of the file system.", (mount) => mount.files_free),
  fileSystem("device_error", "1 when the file system could not be asked for its space.", (mount) =>
    Number(mount.use_problem !== null),
  ),
  fileSystem("readonly", "1 when the file system is read-only.", (mount) => Number(mount.read_only)),
  array("state", "1 for the state the array is in.", mdStates),
  array("disks", "Members of the array by their state.", mdDisks),
  array("disks_required", "Members the array should have.", (each) => [[each.raid_disks]]),
  array("blocks", "Size of the array in blocks of 1 KiB.", (each) => [[mdBlocks(each.size_bytes)]]),
  array("blocks_synced", "How far the array is in sync, in blocks of 1 KiB.", (each) => [
    [mdBlocks(each.sync_done_bytes ?? each.size_bytes)],
  ]),
  {
    name: "smartctl_device_temperature",
    help: "Device temperature in degrees Celsius.",
    type: "gauge",
    *samples(data) {
      for (const { name: device, temperature_c } of data.drives)
        if (temperature_c !== null)
          yield { value: temperature_c, labels: { device, temperature_type: "current" } };
    },
  },
  {
    name: "foundry_agent_drives",
    help: "Drives that are there, by type.",
    type: "gauge",
    samples: countByType,
  },
  total("by_kind", "Drives that are there, spinning and flash.", "count"),
  total("capacity_bytes", "What the drives hold together, spinning and flash.", "bytes"),
  {
    name: "foundry_agent_drives_missing",
    help: "Drives seen before that are gone and not replaced.",
    type: "gauge",
    samples: (data) => [{ value: data.missing.length }],
  },
];

function freeOf({ size_bytes: size, used_bytes: used }: DriveMount): number | null {
  return size === null || used === null ? null : size - used;
}

function infoOf(drive: Drive): Record<string, string> {
  return {
    device: drive.name,
    model: drive.model ?? "",
    serial: drive.serial ?? "",
    wwn: drive.wwn ?? "",
    revision: drive.firmware ?? "",
    rotational: drive.rotational === null ? "" : String(Number(drive.rotational)),
  };
}

function countByType(data: DrivesData): Sample[] {
  const counts = new Map<string, number>();
  for (const { type } of data.drives) counts.set(type ?? "unknown", (counts.get(type ?? "unknown") ?? 0) + 1);
  return [...counts].sort().map(([type, value]) => ({ value, labels: { type } }));
}
