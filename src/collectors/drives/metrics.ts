/**
 * Metrics of the drives, with the names and labels of node_exporter (diskstats and filesystem collectors) and
 * smartctl_exporter where the meaning is the same. Their counters are read at each scrape, with those of all block
 * devices: src/sockets/metrics/live/disks.ts.
 *
 * Serial numbers are labels as far as the data has them: give redacted data where they must not be seen.
 */
import type { Metric, Sample } from "../collector.ts";
import type { Drive, DriveMount, DrivesData } from "./schema.ts";

type DriveMetric = Metric<DrivesData>;

function fileSystem(name: string, help: string, of: (mount: DriveMount) => number | null): DriveMetric {
  return {
    name: `node_filesystem_${name}`,
    help,
    type: "gauge",
    *samples(data) {
      const seen = new Set<string>();
      for (const { device, fstype, mountpoint, ...rest } of data.drives.flatMap((drive) => drive.mounts)) {
        const value = of({ device, fstype, mountpoint, ...rest });
        if (value === null || seen.has(mountpoint)) continue;
        seen.add(mountpoint); // a RAID's file system is listed on each of its drives
        yield { value, labels: { device, fstype, mountpoint } };
      }
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
  fileSystem(
    "avail_bytes",
    "Space available to users that are not root, in bytes.",
    (mount) => mount.available_bytes,
  ),
  fileSystem("readonly", "1 when the file system is read-only.", (mount) => Number(mount.read_only)),
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
  {
    name: "foundry_agent_drives_missing",
    help: "Drives seen before that are gone and not replaced.",
    type: "gauge",
    samples: (data) => [{ value: data.missing.length }],
  },
];

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
