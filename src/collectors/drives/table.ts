/** The drives as a table for people: one row a drive, then the missing ones. */
import type { TableView } from "../collector.ts";
import type { Drive, DrivesData } from "./schema.ts";

export const driveTable: TableView<DrivesData> = {
  columns: ["slot", "device", "model", "size", "type", "via", "paths", "temp", "used by", "state"],
  rows: (data) => [
    ...data.drives.map((drive) => [
      drive.slot,
      drive.name,
      drive.model,
      sizeText(drive.size_bytes),
      drive.type,
      drive.transport,
      String(drive.paths.length),
      drive.temperature_c === null ? null : `${Math.round(drive.temperature_c)} °C`,
      usedBy(drive),
      drive.answering ? drive.state : "does not answer",
    ]),
    ...data.missing.map((drive) => [
      drive.slot,
      drive.last_name,
      drive.model,
      sizeText(drive.size_bytes),
      null,
      null,
      null,
      null,
      null,
      `missing since ${drive.since}`,
    ]),
  ],
};

/** Decimal units, as drives are sold: `16 TB`, `960 GB`. */
export function sizeText(bytes: number | null): string | null {
  if (bytes === null) return null;
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let [value, unit] = [bytes, 0];
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${value >= 100 ? Math.round(value) : Math.round(value * 10) / 10} ${units[unit]}`;
}

/** The nearest words for what is on it: mount points, else what is built on it, else what udev found. */
function usedBy(drive: Drive): string | null {
  const mounted = drive.mounts.map((mount) => mount.mountpoint);
  if (mounted.length > 0)
    return mounted.length > 2 ? `${mounted.slice(0, 2).join(" ")} …` : mounted.join(" ");
  const top = drive.holders.at(-1);
  if (top) return `${top.kind} ${top.label ?? top.name}`.slice(0, 40);
  return drive.swap.length > 0 ? "swap" : foundOn(drive);
}

/** What udev found on the drive or its partitions; a member of a pool with the pool's name. */
export function foundOn({
  fstype,
  partitions,
}: Partial<Pick<Drive, "fstype" | "partitions">>): string | null {
  if (fstype != null) return fstype;
  const found = (partitions ?? []).flatMap(({ fstype: type, label }) =>
    type === null ? [] : type === "zfs_member" && label !== null ? `zfs ${label}` : type,
  );
  return found.length === 0 ? null : [...new Set(found)].slice(0, 3).join(" ");
}
