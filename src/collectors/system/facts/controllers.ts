/**
 * RAID cards and host bus adapters: PCI devices that drives hang on, with driver and firmware as far as the driver tells.
 * An NVMe drive is its own controller and stands among the drives, as a virtual disk does.
 */
import type { Files } from "../../../system/files.ts";
import { oneLine } from "../../linux/text.ts";
import type { StorageController } from "../schema.ts";

const PCI = "/sys/bus/pci/devices";
/** PCI Code and ID Assignment Specification, class and subclass. */
const KINDS: Readonly<Record<string, StorageController["kind"]>> = {
  "0100": "scsi",
  "0104": "raid",
  "0106": "sata",
  "0107": "sas",
  "0180": "other",
  "0c04": "fibre-channel",
};
const VIRTIO = "0x1af4";
/** Where drivers tell their firmware's version, below scsi_host: mpt3sas, smartpqi, hpsa, aacraid, lpfc, qla2xxx, … */
const FIRMWARE = [
  "version_fw",
  "firmware_version",
  "firmware_revision",
  "hba_kernel_version",
  "fwrev",
  "fw_version",
  "host_fw_version",
];
const MODEL = ["board_name", "model", "modelname", "model_name", "host_fw_model"];
const SERIAL = ["board_tracer", "serial_number", "serialnum"];
const MOST = 64;

export function readControllers(files: Files): StorageController[] {
  const found: StorageController[] = [];
  for (const address of files.list(PCI)) {
    const at = `${PCI}/${address}`;
    const kind = KINDS[files.text(`${at}/class`)?.slice(2, 6) ?? ""];
    if (kind === undefined || files.text(`${at}/vendor`) === VIRTIO) continue;
    if (found.length < MOST) found.push(read(files, at, address, kind));
  }
  return found;
}

function read(files: Files, at: string, address: string, kind: StorageController["kind"]): StorageController {
  const entries = files.list(at);
  const hosts = entries.filter((name) => /^host\d+$/.test(name));
  const tellers = hosts.slice(0, 1).map((host) => `${at}/${host}/scsi_host/${host}`);
  const first = (names: readonly string[]): string | null => {
    for (const folder of tellers)
      for (const name of names) {
        const text = oneLine(files.text(`${folder}/${name}`), 64);
        if (text !== null) return text;
      }
    return null;
  };
  const udev = files.text(`/run/udev/data/+pci:${address}`) ?? "";
  const named = (key: string): string | null =>
    oneLine(new RegExp(`^E:${key}=(.+)$`, "m").exec(udev)?.[1] ?? null, 128);
  const ids = (...names: string[]): string | null =>
    names
      .flatMap((name) => /^0x([0-9a-f]{4})$/.exec(files.text(`${at}/${name}`) ?? "")?.[1] ?? [])
      .join(":") || null;
  const module = files.resolve(`${at}/driver/module`);
  return {
    pci_address: address,
    vendor: named("ID_VENDOR_FROM_DATABASE"),
    device: named("ID_MODEL_FROM_DATABASE"),
    model: first(MODEL),
    serial: first(SERIAL),
    driver: baseName(files.link(`${at}/driver`)),
    firmware: first(FIRMWARE),
    kind,
    driver_version: module === null ? null : oneLine(files.text(`${module}/version`), 64),
    pci_id: ids("vendor", "device"),
    subsystem_id: ids("subsystem_vendor", "subsystem_device"),
    hosts,
  };
}

function baseName(path: string | null): string | null {
  return path === null ? null : oneLine(path.slice(path.lastIndexOf("/") + 1), 64);
}
