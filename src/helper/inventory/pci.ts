/**
 * Display adapters and network cards on the PCI bus, from sysfs. Names come from the host's own pci.ids where
 * there is one; it is read once, only for the ids that are there, and not kept.
 *
 * Serial numbers of cards (VPD) are not read: a card may take seconds to answer, and some never do.
 */

import { errorCode } from "../../model/errors.ts";
import { cleanDmi } from "../../model/text/dmi-text.ts";
import type { Files } from "../../system/files.ts";
import type { PciDevice } from "./schema.ts";

const DEVICES = "/sys/bus/pci/devices";
const SLOTS = "/sys/bus/pci/slots";
const ID_FILES = ["/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids"];
const MAX_ID_BYTES = 4 * 1024 * 1024;
const MAX_DEVICES = 256;

export function readPci(files: Files): { gpus: PciDevice[]; nics: PciDevice[] } {
  const slots = slotNames(files);
  const gpus: PciDevice[] = [];
  const nics: PciDevice[] = [];
  for (const address of files.list(DEVICES)) {
    const kind = /^0x(03|02)[0-9a-f]{4}$/i.exec(files.text(`${DEVICES}/${address}/class`) ?? "")?.[1];
    // A virtual function is a part of its card, not a card.
    if (kind === undefined || files.link(`${DEVICES}/${address}/physfn`) !== null) continue;
    const found = kind === "03" ? gpus : nics;
    if (found.length < MAX_DEVICES) found.push(deviceOf(files, address, slots));
  }
  const all = [...gpus, ...nics];
  if (all.length > 0) name(all, readIds(files));
  return { gpus, nics };
}

function deviceOf(files: Files, address: string, slots: ReadonlyMap<string, string>): PciDevice {
  const folder = `${DEVICES}/${address}`;
  const id = (file: string): string | null =>
    /^0x([0-9a-f]{4})$/i.exec(files.text(`${folder}/${file}`) ?? "")?.[1]?.toLowerCase() ?? null;
  const [card, board] = [id("subsystem_vendor"), id("subsystem_device")];
  return {
    address,
    slot: slots.get(address.replace(/\.[0-7]$/, "")) ?? null,
    vendor_id: id("vendor") ?? "",
    device_id: id("device") ?? "",
    subsystem: card === null || board === null || card === "0000" ? null : `${card}:${board}`,
    vendor: null,
    name: null,
    driver: files.link(`${folder}/driver`)?.split("/").at(-1) ?? null,
    interfaces: interfacesOf(files, folder),
    link_speed: speed(files, `${folder}/current_link_speed`),
    link_width: width(files, `${folder}/current_link_width`),
    max_link_speed: speed(files, `${folder}/max_link_speed`),
    max_link_width: width(files, `${folder}/max_link_width`),
  };
}

/** virtio cards have theirs one floor down. */
function interfacesOf(files: Files, folder: string): string[] {
  const own = files.list(`${folder}/net`);
  if (own.length > 0) return own;
  return files
    .list(folder)
    .filter((entry) => /^virtio\d+$/.test(entry))
    .flatMap((entry) => files.list(`${folder}/${entry}/net`));
}

function speed(files: Files, path: string): string | null {
  const text = cleanDmi(files.text(path));
  return text === null || /^unknown/i.test(text) ? null : text;
}

function width(files: Files, path: string): number | null {
  const lanes = files.number(path);
  return lanes === null || lanes <= 0 || lanes >= 255 ? null : lanes;
}

/** `0000:3b:00` → the name of its slot. */
function slotNames(files: Files): Map<string, string> {
  const names = new Map<string, string>();
  for (const slot of files.list(SLOTS)) {
    const address = files.text(`${SLOTS}/${slot}/address`);
    if (address !== null) names.set(address, slot);
  }
  return names;
}

function readIds(files: Files): string {
  for (const path of ID_FILES) {
    try {
      // Its own size, not the limit: a buffer of that size is made for it.
      return files.read(path, Math.min(MAX_ID_BYTES, (files.info(path)?.size ?? 0) + 1));
    } catch (error) {
      if (!["ENOENT", "ENOTDIR", "EACCES"].includes(errorCode(error))) return "";
    }
  }
  return "";
}

/** Fill in vendor and name; those that pci.ids does not know keep null. */
function name(devices: PciDevice[], ids: string): void {
  for (const device of devices) {
    const { vendor, name: found } = lookUp(ids, device.vendor_id, device.device_id);
    device.vendor = vendor;
    device.name = found;
  }
}

/** `8086  Intel Corporation`, below it with one tab `1572  Ethernet Controller …`. Pure. */
export function lookUp(
  ids: string,
  vendorId: string,
  deviceId: string,
): { vendor: string | null; name: string | null } {
  const none = { vendor: null, name: null };
  if (!/^[0-9a-f]{4}$/.test(vendorId)) return none;
  const start = ids.startsWith(`${vendorId}  `) ? 0 : ids.indexOf(`\n${vendorId}  `) + 1;
  if (start === 0 && !ids.startsWith(`${vendorId}  `)) return none;
  const vendor = cleanDmi(lineAt(ids, start).slice(6));
  for (let at = nextLine(ids, start); at < ids.length; at = nextLine(ids, at)) {
    const first = ids.charCodeAt(at);
    if (first !== 0x09 && first !== 0x23 && first !== 0x0a) break; // the next vendor; not a comment, not blank
    if (ids.startsWith(`\t${deviceId}  `, at)) return { vendor, name: cleanDmi(lineAt(ids, at).slice(7)) };
  }
  return { vendor, name: null };
}

function lineAt(text: string, at: number): string {
  const end = text.indexOf("\n", at);
  return text.slice(at, end < 0 ? text.length : end);
}

function nextLine(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end + 1;
}
