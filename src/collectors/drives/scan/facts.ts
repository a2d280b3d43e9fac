/**
 * Who a block device is: model, serial number, firmware, WWN, wear, by the kind of driver it has. sysfs
 * first, because it is there in a container too and an id must not depend on whether udev runs; udev's own
 * probes where the kernel cuts a name or has none. All texts are cleaned: firmware holds any bytes.
 */
import type { Files } from "../../../system/files.ts";
import type { MmcFacts } from "../schema.ts";
import { cleanSerial, cleanText } from "../text.ts";
import type { UdevFacts } from "./udev.ts";

const HYPERVISORS =
  /^(?:qemu|vmware|vbox|msft|google|xen|linux scsi_debug|amazon elastic block store|virtual)/i;

export interface Facts {
  readonly model: string | null;
  readonly vendor: string | null;
  readonly serial: string | null;
  readonly firmware: string | null;
  readonly wwn: string | null;
  readonly mmc: MmcFacts | null;
}

export function nvmeFacts(files: Files, at: string, udev: UdevFacts | null): Facts {
  return {
    model: cleanText(files.text(`${at}/device/model`) ?? udev?.model ?? null),
    vendor: null,
    serial: cleanSerial(files.text(`${at}/device/serial`) ?? udev?.serial ?? null),
    firmware: cleanText(files.text(`${at}/device/firmware_rev`) ?? udev?.revision ?? null),
    wwn: wwnOf(files.text(`${at}/wwid`)) ?? wwnOf(udev?.wwn ?? null),
    mmc: null,
  };
}

export function scsiFacts(files: Files, at: string, udev: UdevFacts | null): Facts {
  const vendor = cleanText(files.text(`${at}/device/vendor`));
  const model = cleanText(files.text(`${at}/device/model`));
  const long = cleanText(udev?.model ?? null);
  const ata = vendor === "ATA";
  const serial = unitSerial(files, at) ?? files.text(`${at}/serial`);
  return {
    // INQUIRY cuts the model at 16 characters; udev has an ATA drive's whole name.
    model: long !== null && (model === null || long.startsWith(model)) ? long : model,
    vendor: ata || vendor?.startsWith("0x") ? null : vendor,
    serial: cleanSerial(serial) ?? cleanSerial(udev?.serial ?? null),
    firmware: (ata ? cleanText(udev?.revision ?? null) : null) ?? cleanText(files.text(`${at}/device/rev`)),
    wwn: wwnOf(files.text(`${at}/device/wwid`)) ?? wwnOf(udev?.wwn ?? null),
    mmc: null,
  };
}

/** SPC-4 vital product data page 80h: four bytes of header, then the unit's serial number in ASCII. */
function unitSerial(files: Files, at: string): string | null {
  try {
    return files.read(`${at}/device/vpd_pg80`, 512).slice(4);
  } catch {
    return null; // no such page: udev may still know
  }
}

export function mmcFacts(files: Files, at: string): Facts {
  const get = (attribute: string): string | null => cleanText(files.text(`${at}/device/${attribute}`));
  return {
    model: get("name"),
    vendor: null,
    serial: cleanSerial(get("serial")),
    firmware: get("fwrev"),
    wwn: null,
    mmc: {
      kind: get("type"),
      manfid: get("manfid"),
      cid: get("cid"),
      life_used_percent: lifeUsed(get("life_time")),
      reserve: reserveOf(get("pre_eol_info")),
    },
  };
}

/** JESD84-B51 DEVICE_LIFE_TIME_EST_TYP_A and _B: "0x01 0x02"; 1 is up to 10 %, 0x0b beyond its life, 0 not defined. */
export function lifeUsed(text: string | null): number | null {
  const steps = (text ?? "").split(" ").map(Number);
  const worst = Math.max(0, ...steps.filter((step) => Number.isInteger(step) && step <= 0x0b));
  return worst === 0 ? null : worst * 10;
}

function reserveOf(text: string | null): MmcFacts["reserve"] {
  const value = text === null ? 0 : Number(text);
  return value === 1 ? "normal" : value === 2 ? "warning" : value === 3 ? "urgent" : null;
}

/** `naa.5000c500…` and `0x5000c500…` are the same; a T10 name is a serial number in disguise and no WWN. */
export function wwnOf(text: string | null): string | null {
  const clean = cleanText(text);
  if (clean === null || clean.startsWith("t10.")) return null;
  const wwn = (clean.startsWith("naa.") ? `0x${clean.slice(4)}` : clean).toLowerCase();
  return /^(?:0x|eui\.|uuid\.)?[0-]*$/.test(wwn) ? null : wwn;
}

export function typeOf(
  name: string,
  transport: string | null,
  rotational: boolean | null,
  facts: Facts,
): "nvme" | "ssd" | "hdd" | "mmc" | "virtual" | null {
  if (transport === "virtio" || transport === "xen") return "virtual";
  if (HYPERVISORS.test(`${facts.vendor === null ? "" : `${facts.vendor} `}${facts.model ?? ""}`))
    return "virtual";
  if (name.startsWith("nvme")) return "nvme";
  if (name.startsWith("mmcblk")) return "mmc";
  return rotational === null ? null : rotational ? "hdd" : "ssd";
}
