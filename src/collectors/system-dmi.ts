/**
 * What the firmware says the hardware is: DMI (/sys/class/dmi/id, x86 and ARM servers) or the device tree
 * (Raspberry Pi and other boards). Boards ship with placeholders in half of the DMI fields; those are null.
 */
import { errorCode } from "../model/errors.ts";
import type { Files } from "../system/files.ts";
import type { CpuInfo } from "./linux-cpuinfo.ts";
import type { Hardware } from "./system-schema.ts";

const DMI = "/sys/class/dmi/id";
const TREE = "/proc/device-tree";
const MAX_LENGTH = 128;

const PLACEHOLDERS = new Set([
  "to be filled by o.e.m.",
  "to be filled by oem",
  "to be filled by o.e.m",
  "filled by oem",
  "fill by oem",
  "o.e.m.",
  "oem",
  "default string",
  "default",
  "system serial number",
  "system product name",
  "system manufacturer",
  "system version",
  "system name",
  "base board serial number",
  "board serial number",
  "type2 - board serial number",
  "chassis serial number",
  "chassis asset tag",
  "chassis manufacture",
  "chassis version",
  "asset tag",
  "no asset tag",
  "no asset information",
  "asset-1234567890",
  "serial number",
  "product name",
  "not specified",
  "not available",
  "not applicable",
  "none",
  "[none]",
  "<none>",
  "null",
  "(null)",
  "n/a",
  "na",
  "unknown",
  "undefined",
  "invalid",
  "empty",
  "0123456789",
  "1234567890",
  "123456789",
  "012345678",
  "0123456789abcdef",
]);

const PLACEHOLDER_UUIDS = new Set([
  "03000200-0400-0500-0006-000700080009",
  "00020003-0004-0005-0006-000700080009",
  "12345678-1234-5678-90ab-cddeefaabbcc",
  "00010203-0405-0607-0809-0a0b0c0d0e0f",
]);

/** A DMI string as a person would write it down, or null for a placeholder, nothing, or mostly binary garbage. */
export function cleanDmi(raw: string | null): string | null {
  if (raw === null) return null;
  const capped = raw.slice(0, 1024);
  const printable = capped.replace(/[^\x20-\x7e\u00a0-\u024f]+/g, " ");
  const kept = printable.replace(/\s+/g, " ").trim();
  const lost = capped.replace(/[\s\0]+/g, "").length - kept.replace(/\s+/g, "").length;
  if (kept === "" || lost > kept.length) return null;
  if (PLACEHOLDERS.has(kept.toLowerCase())) return null;
  // Only fillers (....., -----, *****), or one and the same character over and over (0, 0000, XXXXXX, FFFF).
  if (/^[\s.\-_*#?=/\\]+$/.test(kept) || /^0+$/.test(kept) || /^(.)\1{3,}$/.test(kept)) return null;
  return kept.slice(0, MAX_LENGTH);
}

/** A product uuid in lower case, or null for a placeholder or no uuid at all. */
export function cleanUuid(raw: string | null): string | null {
  const uuid = raw?.trim().toLowerCase() ?? "";
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uuid)) return null;
  if (/^[0-]+$/.test(uuid) || /^[f-]+$/.test(uuid) || PLACEHOLDER_UUIDS.has(uuid)) return null;
  return uuid;
}

/** SMBIOS writes MM/DD/YYYY (or MM/DD/YY of the last century): → YYYY-MM-DD; anything else stays as it is. */
export function isoBiosDate(raw: string | null): string | null {
  const found = raw === null ? null : /^(\d{2})\/(\d{2})\/(\d{4}|\d{2})$/.exec(raw);
  if (!found) return raw;
  const [month, day, year] = [found[1], found[2], found[3]] as [string, string, string];
  return `${year.length === 2 ? `19${year}` : year}-${month}-${day}`;
}

/** Read once and kept: firmware strings do not change while the machine is up. */
export function readHardware(files: Files, cpuInfo: CpuInfo): Hardware {
  const denied: string[] = [];
  const dmi = (file: string, field: string): string | null => {
    try {
      return files.read(`${DMI}/${file}`, 4096);
    } catch (error) {
      const code = errorCode(error);
      if (code === "EACCES" || code === "EPERM") denied.push(field);
      return null;
    }
  };
  const names = files.list(DMI);
  const here = (file: string, field: string): string | null =>
    names.includes(file) ? dmi(file, field) : null;
  const pi = readRaspberryPi(files, cpuInfo);
  const treeModel = names.length === 0 ? deviceTreeText(files, "model") : null;
  const treeSerial = treeModel === null ? null : cleanDmi(deviceTreeText(files, "serial-number"));

  return {
    source: names.length > 0 ? "dmi" : treeModel !== null ? "device-tree" : null,
    product: {
      vendor: pi === null ? cleanDmi(here("sys_vendor", "product.vendor")) : "Raspberry Pi",
      name: cleanDmi(here("product_name", "product.name")) ?? cleanDmi(treeModel),
      version: cleanDmi(here("product_version", "product.version")),
      serial: cleanDmi(here("product_serial", "product.serial")) ?? treeSerial ?? pi?.serial ?? null,
      uuid: cleanUuid(here("product_uuid", "product.uuid")),
      asset_tag: cleanDmi(here("chassis_asset_tag", "product.asset_tag")),
    },
    board: {
      vendor: cleanDmi(here("board_vendor", "board.vendor")),
      name: cleanDmi(here("board_name", "board.name")),
      version: cleanDmi(here("board_version", "board.version")),
      serial: cleanDmi(here("board_serial", "board.serial")),
    },
    chassis: {
      vendor: cleanDmi(here("chassis_vendor", "chassis.vendor")),
      serial: cleanDmi(here("chassis_serial", "chassis.serial")),
    },
    bios: {
      vendor: cleanDmi(here("bios_vendor", "bios.vendor")),
      version: cleanDmi(here("bios_version", "bios.version")),
      date: isoBiosDate(cleanDmi(here("bios_date", "bios.date"))),
    },
    raspberry_pi: pi,
    denied,
  };
}

/**
 * Model and serial from the device tree, revision from /proc/cpuinfo (Raspberry Pi's own kernels write all
 * three there, Debian's arm64 kernel none).
 */
export function readRaspberryPi(files: Files, cpuInfo: CpuInfo): Hardware["raspberry_pi"] {
  const model = cleanDmi(deviceTreeText(files, "model")) ?? cleanDmi(cpuInfo.board.get("Model") ?? null);
  if (model === null || !/^Raspberry Pi\b/i.test(model)) return null;
  const serial = deviceTreeText(files, "serial-number") ?? cpuInfo.board.get("Serial") ?? null;
  const revision = cpuInfo.board.get("Revision") ?? "";
  return {
    model,
    serial: cleanDmi(serial),
    revision: /^[0-9a-f]{4,8}$/i.test(revision) ? revision.toLowerCase() : null,
  };
}

/** A string property, which ends in a NUL; of a list the first. */
export function deviceTreeText(files: Files, property: string): string | null {
  const raw = files.text(`${TREE}/${property}`);
  return raw === null ? null : (raw.split("\0", 1)[0] as string);
}
