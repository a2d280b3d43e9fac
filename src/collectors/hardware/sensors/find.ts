/**
 * The hardware monitors' sensors (kernel, Documentation/hwmon/sysfs-interface.rst): which there are, with what is
 * fixed of each. Those of processors and drives are other sections'; nothing is asked twice.
 */
import type { Files } from "../../../system/files.ts";
import { chipLabel, findSensors } from "../../cpu/temperature.ts";
import { oneLine } from "../../linux/text.ts";
import type { Sensor } from "./schema.ts";

export const HWMON = "/sys/class/hwmon";
/** A drive answers behind these, and a read can keep it from sleeping. */
const OF_DRIVES = /^(?:nvme|drivetemp)$/;
/** From the kernel's unit to ours: thousandths, millionths, or as it is. */
const SCALE: Readonly<Record<Sensor["kind"], number>> = {
  temp: 1e-3,
  fan: 1,
  in: 1e-3,
  curr: 1e-3,
  power: 1e-6,
  energy: 1e-6,
};
const MOST = 256;

/** What is fixed of a sensor, and where the rest is read. */
export interface Found extends Omit<Sensor, "value" | "alarm" | "fault" | "problem"> {
  readonly valueFile: string;
  readonly alarmFile: string | null;
  readonly faultFile: string | null;
  /** `power/runtime_status` of its device: who is asked while it sleeps would be woken. */
  readonly sleepFile: string;
}

interface Chip {
  readonly folder: string;
  readonly name: string | null;
  readonly label: string;
}

export function findAll(files: Files): { readonly found: readonly Found[]; readonly leftOut: number } {
  const ofProcessor = new Set(findSensors(files).map(({ path }) => path.slice(0, path.lastIndexOf("/"))));
  const all = unique(chips(files))
    .filter(({ folder, name }) => !ofProcessor.has(folder) && !OF_DRIVES.test(name ?? ""))
    .flatMap((chip) => sensorsOf(files, chip));
  return { found: all.slice(0, MOST), leftOut: Math.max(0, all.length - MOST) };
}

function chips(files: Files): Chip[] {
  return files.list(HWMON).map((entry) => {
    const folder = `${HWMON}/${entry}`;
    const name = oneLine(files.text(`${folder}/name`), 64);
    const device = files.resolve(`${folder}/device`);
    const label = (device === null ? null : chipLabel(device)) || plain(name ?? "") || entry;
    return { folder, name, label };
  });
}

/** Two chips of one device are told apart by their names, as by node_exporter. */
function unique(all: readonly Chip[]): readonly Chip[] {
  const count = (is: (chip: Chip) => boolean): number => all.filter(is).length;
  return all.map((chip) => {
    if (count(({ label }) => label === chip.label) < 2) return chip;
    const named = plain(chip.name ?? "");
    const twice = count(({ label, name }) => label === chip.label && name === chip.name) > 1;
    const suffix = named === "" || twice ? chip.folder.slice(HWMON.length + 1) : named;
    return { ...chip, label: `${chip.label}_${suffix}` };
  });
}

function sensorsOf(files: Files, { folder, name, label }: Chip): Found[] {
  const entries = new Set(files.list(folder));
  const found: Found[] = [];
  for (const entry of entries) {
    const [, sensor = "", kind = "", property] = /^(([a-z]+)\d{1,4})_(input|average)$/.exec(entry) ?? [];
    if (!isKind(kind) || (property === "average" && (kind !== "power" || entries.has(`${sensor}_input`))))
      continue;
    const file = (which: string): string | null =>
      entries.has(`${sensor}_${which}`) ? `${folder}/${sensor}_${which}` : null;
    const fixed = (which: string): number | null => {
      const path = file(which);
      return path === null ? null : scaled(kind, files.number(path));
    };
    const labelFile = file("label");
    found.push({
      id: `${label}/${sensor}`,
      chip: label,
      chip_name: name,
      sensor,
      label: labelFile === null ? null : oneLine(files.text(labelFile), 64),
      kind,
      averaged: property === "average",
      min: fixed("min"),
      max: fixed("max"),
      critical: fixed("crit"),
      valueFile: `${folder}/${entry}`,
      alarmFile: file("alarm"),
      faultFile: file("fault"),
      sleepFile: `${folder}/device/power/runtime_status`,
    });
  }
  return found;
}

/** In our unit, without the noise of binary arithmetic; null for what is no number. */
export function scaled(kind: Sensor["kind"], raw: number | null): number | null {
  return raw === null || !Number.isFinite(raw) ? null : Math.round(raw * SCALE[kind] * 1e6) / 1e6;
}

function isKind(kind: string): kind is Sensor["kind"] {
  return Object.hasOwn(SCALE, kind);
}

function plain(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9:_]/g, "_")
    .replace(/^_+|_+$/g, "");
}
