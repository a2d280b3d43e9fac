/**
 * What the firmware says the hardware is: DMI (/sys/class/dmi/id, x86 and ARM servers) and the device tree (Raspberry Pi
 * and other boards). Boards ship with placeholders in half of the DMI fields; those are null. A board behind U-Boot or
 * UEFI has both, of which the device tree is the one that knows: that loader makes its DMI of what it happens to have.
 */

import { errorCode } from "../../model/errors.ts";
import { cleanDmi, cleanUuid, isoBiosDate } from "../../model/text/dmi-text.ts";
import type { Files } from "../../system/files.ts";
import type { CpuInfo } from "../linux/cpuinfo.ts";
import type { Hardware } from "./schema.ts";

const DMI = "/sys/class/dmi/id";
const TREE = "/proc/device-tree";

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
  const treeModel = cleanDmi(deviceTreeText(files, "model"));
  const treeSerial = cleanDmi(deviceTreeText(files, "serial-number"));
  const product = cleanDmi(here("product_name", "product.name"));
  // A server with ACPI may have a stub of a device tree, without a model.
  const isTree = treeModel !== null && (product === null || madeByLoader(files, names));
  const serial = cleanDmi(here("product_serial", "product.serial"));
  const uuid = cleanUuid(here("product_uuid", "product.uuid"));
  const vendor = cleanDmi(here("sys_vendor", "product.vendor"));

  return {
    source: isTree ? "device-tree" : names.length > 0 ? "dmi" : null,
    product: {
      vendor: pi === null ? vendor : "Raspberry Pi",
      name: isTree ? treeModel : (product ?? pi?.model ?? null),
      version: cleanDmi(here("product_version", "product.version")),
      serial: serial ?? treeSerial ?? pi?.serial ?? null,
      uuid: isSerialInHex(uuid) ? null : uuid,
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

/** U-Boot fills its DMI from the device tree or with words of its own, and says so. */
function madeByLoader(files: Files, names: readonly string[]): boolean {
  return names.includes("bios_vendor") && /^(?:das )?u-?boot\b/i.test(files.text(`${DMI}/bios_vendor`) ?? "");
}

/** U-Boot takes the first sixteen characters of the serial number for a uuid: 30303030-3030-3030-3839-356636326537. */
function isSerialInHex(uuid: string | null): boolean {
  return uuid !== null && /^(?:3[0-9]|4[1-6]|6[1-6]){16}$/.test(uuid.replaceAll("-", ""));
}

/**
 * Model and serial from the device tree, revision from /proc/cpuinfo (Raspberry Pi's own kernels write all three there,
 * Debian's arm64 kernel none); by DMI where UEFI boots it with ACPI, which takes the device tree away.
 */
export function readRaspberryPi(files: Files, cpuInfo: CpuInfo): Hardware["raspberry_pi"] {
  const known = [
    cleanDmi(deviceTreeText(files, "model")),
    cleanDmi(cpuInfo.board.get("Model") ?? null),
    cleanDmi(files.text(`${DMI}/product_name`)),
  ].find((model) => model !== null && /^Raspberry Pi\b/i.test(model));
  if (known === undefined || known === null) return null;
  const revision = cpuInfo.board.get("Revision") ?? "";
  const serials = [
    deviceTreeText(files, "serial-number"),
    cpuInfo.board.get("Serial") ?? null,
    files.text(`${DMI}/product_serial`),
  ];
  return {
    model: known,
    serial: serials.map(cleanDmi).find((serial) => serial !== null) ?? null,
    revision: /^[0-9a-f]{4,8}$/i.test(revision) ? revision.toLowerCase() : null,
  };
}

/** A string property, which ends in a NUL; of a list the first. */
function deviceTreeText(files: Files, property: string): string | null {
  const raw = files.text(`${TREE}/${property}`);
  return raw === null ? null : (raw.split("\0", 1)[0] as string);
}
