/**
 * Temperatures of the processor: hwmon chips that measure it (Linux Documentation/hwmon/sysfs-interface.rst),
 * and thermal zones where no chip does. Found once in a while, read at each collection.
 */
import type { Files } from "../../system/files.ts";
import { oneLine } from "../linux/text.ts";
import type { Temperature } from "./schema.ts";

const HWMON = "/sys/class/hwmon";
const THERMAL = "/sys/class/thermal";
const CPU_CHIPS =
  /^(?:coretemp|k10temp|k8temp|zenpower|cpu_?-?thermal|soc_?-?thermal|cpu\d+_thermal|via_cputemp)$/;
const CPU_ZONES =
  /^(?:x86_pkg_temp|(?:cpu|soc|core|package|cluster)[\w-]*[-_]?thermal[\w-]*|cpu[\w-]*|soc)$/i;
/** Sensors that stand for the whole package: with them the single cores need no reading. */
const WHOLE = /^(?:Package id|Physical id|Tctl|Tdie)/;
const MAX_SENSORS = 16;

export interface SensorFile extends Omit<Temperature, "celsius"> {
  readonly path: string;
}

export function findSensors(files: Files): SensorFile[] {
  const found: SensorFile[] = [];
  for (const folder of files.list(HWMON)) {
    const name = files.text(`${HWMON}/${folder}/name`);
    if (name !== null && CPU_CHIPS.test(name)) found.push(...chipSensors(files, `${HWMON}/${folder}`, name));
  }
  if (found.length === 0) found.push(...zoneSensors(files));
  return found.slice(0, MAX_SENSORS);
}

function chipSensors(files: Files, chip: string, name: string): SensorFile[] {
  const device = files.resolve(`${chip}/device`);
  const zone = device === null ? null : (/\/thermal_zone(\d+)$/.exec(device)?.[1] ?? null);
  const zoneType = zone === null ? null : oneLine(files.text(`${THERMAL}/thermal_zone${zone}/type`), 64);
  const label = device === null ? name : chipLabel(device);
  const all: (SensorFile & { label: string | null })[] = [];
  for (const file of files.list(chip)) {
    const input = /^(temp\d+)_input$/.exec(file)?.[1];
    if (input === undefined) continue;
    const own = oneLine(files.text(`${chip}/${input}_label`), 64);
    all.push({
      path: `${chip}/${file}`,
      label: own,
      sensor: own === null ? (zone === null ? `${name} ${input}` : name) : `${name} ${own}`,
      critical_celsius: degrees(files.number(`${chip}/${input}_crit`)),
      chip: label,
      input,
      zone,
      zone_type: zoneType,
    });
  }
  const whole = all.filter((sensor) => sensor.label !== null && WHOLE.test(sensor.label));
  return (whole.length > 0 ? whole : all).map(({ label: _, ...sensor }) => sensor);
}

function zoneSensors(files: Files): SensorFile[] {
  const found: SensorFile[] = [];
  for (const folder of files.list(THERMAL)) {
    const zone = /^thermal_zone(\d+)$/.exec(folder)?.[1];
    const type = zone === undefined ? null : files.text(`${THERMAL}/${folder}/type`);
    if (zone === undefined || type === null || !CPU_ZONES.test(type)) continue;
    found.push({
      path: `${THERMAL}/${folder}/temp`,
      sensor: found.some((other) => other.sensor === type) ? `${type} ${zone}` : type,
      critical_celsius: zoneCritical(files, `${THERMAL}/${folder}`),
      chip: null,
      input: null,
      zone,
      zone_type: type,
    });
  }
  return found;
}

function zoneCritical(files: Files, zone: string): number | null {
  for (let trip = 0; trip < 12; trip++) {
    const type = files.text(`${zone}/trip_point_${trip}_type`);
    if (type === null) return null;
    if (type === "critical") return degrees(files.number(`${zone}/trip_point_${trip}_temp`));
  }
  return null;
}

/** Every sensor's value; those that give an error or nonsense are named in `failed`. */
export function readTemperatures(
  files: Files,
  sensors: readonly SensorFile[],
): { temperatures: Temperature[]; failed: string[] } {
  const temperatures: Temperature[] = [];
  const failed: string[] = [];
  for (const { path, ...sensor } of sensors) {
    const celsius = degrees(files.number(path));
    if (celsius === null) failed.push(sensor.sensor);
    else temperatures.push({ ...sensor, celsius });
  }
  return { temperatures, failed };
}

/** Thousandths of a degree to degrees; null outside of what a processor can have. */
export function degrees(thousandths: number | null): number | null {
  if (thousandths === null || thousandths < -60_000 || thousandths > 250_000) return null;
  return Math.round(thousandths / 100) / 10;
}

/**
 * node_exporter's `chip` label: bus and device of the path the chip's device resolves to, `platform_coretemp_0`.
 * @param device `/sys/devices/platform/coretemp.0`
 */
export function chipLabel(device: string): string {
  const [bus, name] = device.split("/").slice(-2).map(clean) as [string, string?];
  return [bus, name].filter(Boolean).join("_");
}

function clean(part: string): string {
  return part
    .toLowerCase()
    .replace(/[^a-z0-9:_]/g, "_")
    .replace(/^_+|_+$/g, "");
}
