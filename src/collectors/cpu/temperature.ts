/**
 * Temperatures of the processor: hwmon chips that measure it (Linux Documentation/hwmon/sysfs-interface.rst),
 * and thermal zones where no chip does. Found once in a while, read at each collection.
 */
import type { Files } from "../../system/files.ts";
import { oneLine } from "../linux/text.ts";
import type { Temperature } from "./schema.ts";

const HWMON = "/sys/class/hwmon";
const THERMAL = "/sys/class/thermal";
/** Chips that measure nothing but the processor. */
const CPU_CHIPS = /^(?:coretemp|k10temp|k8temp|zenpower|via_cputemp|apm_xgene|sfctemp)$/;
/** Chips that measure the processor among other things, and the labels it has there. */
const CHIP_LABELS: Readonly<Record<string, RegExp>> = {
  smpro_hwmon: /^soc$/i,
  scmi_sensors: /\b(?:cpu|soc|core|cluster|big|little)/i,
  scpi_sensors: /\b(?:cpu|soc|core|cluster|big|little)/i,
  macsmc_hwmon: /\bcpu\b/i,
};
/**
 * Thermal zones of the processor or the chip it is on, by the names of device trees: `cpu-thermal`, `soc-thermal`,
 * `bigcore0-thermal`, `cluster6-7-thermal`, `CPU-therm`. A hwmon chip made of one has `_` instead of `-`.
 */
const CPU_ZONES =
  /^(?:x86-pkg-temp|(?:ap-)?m?cpu[a-z0-9-]*|(?:soc|package|tj)(?:\d*(?:-max)?(?:-thermal|-therm)?)|(?:big|little|mid|prime)-?(?:core)?s?\d*(?:-\d+)?-therm(?:al)?|(?:core-)?(?:cluster|core)\d*[\d-]*-therm(?:al)?|a[57]\d-therm(?:al)?|(?:bcm2835|armada|imx|exynos|hisi|brcmstb)-therm(?:al)?(?:-zone)?)$/;
/** Sensors that stand for the whole package: with them the single cores need no reading. */
const WHOLE = /^(?:Package id|Physical id|Tctl|Tdie)/;
const MAX_SENSORS = 16;

export interface SensorFile extends Omit<Temperature, "celsius"> {
  readonly path: string;
  /** The folder it is in, and what that was: the kernel gives the number of a chip that went to the next that comes. */
  readonly folder: string;
  readonly identity: string;
}

interface Chip {
  readonly folder: string;
  readonly name: string;
  /** `/sys/devices/pci0000:00/0000:00:18.3`, or null where the kernel tells none. */
  readonly device: string | null;
}

export function findSensors(files: Files): SensorFile[] {
  const chips = files
    .list(HWMON)
    .map((entry): Chip | null => {
      const name = files.text(`${HWMON}/${entry}/name`);
      if (name === null || !isOfCpu(name)) return null;
      return { folder: `${HWMON}/${entry}`, name, device: files.resolve(`${HWMON}/${entry}/device`) };
    })
    .filter((chip) => chip !== null)
    .sort(byDevice);
  const found = chips.map((chip) => chipSensors(files, chip)).filter((sensors) => sensors.length > 0);
  if (found.length === 0) return zoneSensors(files).slice(0, MAX_SENSORS);
  // Each of several sockets has its part of what is shown.
  const each = Math.max(1, Math.floor(MAX_SENSORS / found.length));
  return distinct(found.map((sensors) => sensors.slice(0, each)).slice(0, MAX_SENSORS));
}

function isOfCpu(name: string): boolean {
  return CPU_CHIPS.test(name) || Object.hasOwn(CHIP_LABELS, name) || isZoneOfCpu(name);
}

function isZoneOfCpu(type: string): boolean {
  return CPU_ZONES.test(type.toLowerCase().replaceAll("_", "-"));
}

/** By the device they are on, not by hwmonN, which is another after each start. */
function byDevice(a: Chip, b: Chip): number {
  const [one, two] = [a.device ?? a.folder, b.device ?? b.folder];
  // Addresses on a PCI bus are hexadecimal, and all of one length.
  const isAddress = /\/[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.\d$/;
  if (isAddress.test(one) && isAddress.test(two)) return one < two ? -1 : 1;
  return one.localeCompare(two, "en", { numeric: true });
}

/** Two sockets' chips have one name and one label: numbered in the order of their devices, `k10temp 1 Tctl`. */
function distinct(chips: readonly (readonly SensorFile[])[]): SensorFile[] {
  const names = chips.flat().map(({ sensor }) => sensor);
  if (new Set(names).size === names.length) return chips.flat();
  const counts = new Map<string, number>();
  const used = new Set<string>();
  return chips.flatMap((sensors) => {
    const kind = sensors[0]?.identity.split(" ", 1)[0] ?? "";
    const number = counts.get(kind) ?? 0;
    counts.set(kind, number + 1);
    const isAlone = chips.filter(([first]) => first?.identity.split(" ", 1)[0] === kind).length === 1;
    return sensors.map((sensor) => {
      const rest = sensor.sensor.slice(kind.length);
      const numbered = isAlone ? sensor.sensor : `${kind} ${number}${rest}`;
      const unique = used.has(numbered) ? `${numbered} ${sensor.input}` : numbered;
      used.add(unique);
      return { ...sensor, sensor: unique };
    });
  });
}

function chipSensors(files: Files, { folder, name, device }: Chip): SensorFile[] {
  const zone = device === null ? null : (/\/thermal_zone(\d+)$/.exec(device)?.[1] ?? null);
  const zoneType = zone === null ? null : oneLine(files.text(`${THERMAL}/thermal_zone${zone}/type`), 64);
  const label = device === null ? name : chipLabel(device);
  const all: (SensorFile & { label: string | null })[] = [];
  for (const file of files.list(folder)) {
    const input = /^(temp\d+)_input$/.exec(file)?.[1];
    if (input === undefined) continue;
    const own = oneLine(files.text(`${folder}/${input}_label`), 64);
    if (Object.hasOwn(CHIP_LABELS, name) && CHIP_LABELS[name]?.test(own ?? "") === false) continue;
    all.push({
      path: `${folder}/${file}`,
      folder,
      identity: identityOf(files, folder, name),
      label: own,
      sensor: own === null ? (zone === null ? `${name} ${input}` : name) : `${name} ${own}`,
      critical_celsius: degrees(files.number(`${folder}/${input}_crit`)),
      chip: label,
      input,
      zone,
      zone_type: zoneType,
    });
  }
  const whole = all.filter((sensor) => sensor.label !== null && WHOLE.test(sensor.label));
  return (whole.length > 0 ? whole : all).map(({ label: _, ...sensor }) => sensor);
}

/** Its name and where it is: another device under the number has another. */
function identityOf(files: Files, folder: string, name: string | null): string {
  return `${name} ${files.link(folder)}`;
}

/** Whether each sensor's folder is still what was found there; two small reads a chip. */
export function areTheSame(files: Files, sensors: readonly SensorFile[]): boolean {
  let last = "";
  for (const { folder, identity } of sensors) {
    if (folder === last) continue;
    last = folder;
    const name = files.text(`${folder}/${folder.startsWith(THERMAL) ? "type" : "name"}`);
    if (identityOf(files, folder, name) !== identity) return false;
  }
  return true;
}

function zoneSensors(files: Files): SensorFile[] {
  const found: SensorFile[] = [];
  for (const folder of files.list(THERMAL)) {
    const zone = /^thermal_zone(\d+)$/.exec(folder)?.[1];
    const type = zone === undefined ? null : files.text(`${THERMAL}/${folder}/type`);
    if (zone === undefined || type === null || !isZoneOfCpu(type)) continue;
    found.push({
      path: `${THERMAL}/${folder}/temp`,
      folder: `${THERMAL}/${folder}`,
      identity: identityOf(files, `${THERMAL}/${folder}`, type),
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
  for (const { path, folder: _folder, identity: _identity, ...sensor } of sensors) {
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
