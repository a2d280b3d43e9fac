/**
 * What the firmware says the hardware is: DMI (/sys/class/dmi/id, x86 and ARM servers) or the device tree
 * (Raspberry Pi and other boards). Boards ship with placeholders in half of the DMI fields; those are null.
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
function deviceTreeText(files: Files, property: string): string | null {
  const raw = files.text(`${TREE}/${property}`);
  return raw === null ? null : (raw.split("\0", 1)[0] as string);
}
