/**
 * Which slot a drive sits in. Three sources: the enclosure's own word (SES, /sys/class/enclosure), else what
 * the SAS controller knows (bay_identifier), else the PCI slot of an NVMe drive.
 *
 * Only what the kernel holds in memory is read: `slot`, `id` and the `device` links. `status`, `locate` and
 * `fault` beside them make the enclosure answer (drivers/misc/enclosure.c, drivers/scsi/ses.c).
 */
import type { Files } from "../../../system/files.ts";
import { baseName, cleanText } from "../text.ts";
import type { BlockDevice } from "./block-devices.ts";

export interface Place {
  readonly enclosure: string | null;
  readonly slot: string | null;
  readonly enclosure_model: string | null;
}

/** Slots by SCSI address (`0:0:12:0`) of the drive in them. */
export type Slots = ReadonlyMap<string, Place>;

const NOT_COMPONENTS = new Set(["components", "device", "id", "power", "subsystem", "uevent"]);
const NOWHERE: Place = { enclosure: null, slot: null, enclosure_model: null };

/** All filled slots of all SES enclosures: three system calls a slot, so not for every run. */
export function readSlots(files: Files): Slots {
  const slots = new Map<string, Place>();
  for (const name of files.list("/sys/class/enclosure")) {
    const at = `/sys/class/enclosure/${name}`;
    const words = [files.text(`${at}/device/vendor`), files.text(`${at}/device/model`)];
    const enclosure = cleanText(files.text(`${at}/id`)) ?? name;
    const enclosureModel = cleanText(words.filter((word) => word !== null).join(" "));
    for (const component of files.list(at)) {
      if (NOT_COMPONENTS.has(component)) continue;
      const drive = files.link(`${at}/${component}/device`);
      if (drive === null) continue;
      const slot = cleanText(files.text(`${at}/${component}/slot`)) ?? cleanText(component);
      slots.set(baseName(drive), { enclosure, slot, enclosure_model: enclosureModel });
    }
  }
  return slots;
}

/** PCI address without function (`0000:41:00`) → name of the slot (/sys/bus/pci/slots/NAME/address). */
export function readPciSlots(files: Files): ReadonlyMap<string, string> {
  const slots = new Map<string, string>();
  for (const name of files.list("/sys/bus/pci/slots")) {
    const address = files.text(`/sys/bus/pci/slots/${name}/address`);
    if (address !== null) slots.set(address, name);
  }
  return slots;
}

/** Bay of the SAS controller's own knowledge, as mpt3sas and others give it in /sys/class/sas_device. */
function sasBay(files: Files, endDevice: string): Place {
  const at = `/sys/class/sas_device/${endDevice}`;
  const slot = cleanText(files.text(`${at}/bay_identifier`));
  if (slot === null) return NOWHERE;
  const enclosure = cleanText(files.text(`${at}/enclosure_identifier`));
  return { enclosure: enclosure === "0x0000000000000000" ? null : enclosure, slot, enclosure_model: null };
}

/** Where the drive behind these paths is; of two enclosure controllers the lower id, so that it stays. */
export function placeOfDrive(
  files: Files,
  devices: readonly BlockDevice[],
  pciAddresses: readonly string[],
  slots: Slots,
  pciSlots: ReadonlyMap<string, string>,
): Place {
  let found: Place | null = null;
  for (const { hctl } of devices) {
    const place = hctl === null ? undefined : slots.get(hctl);
    if (place && (found === null || (place.enclosure ?? "") < (found.enclosure ?? ""))) found = place;
  }
  if (found) return found;
  for (const { endDevice } of devices) {
    const place = endDevice === null ? NOWHERE : sasBay(files, endDevice);
    if (place.slot !== null) return place;
  }
  for (const address of pciAddresses) {
    const slot = pciSlots.get(address.replace(/\.\d$/, ""));
    if (slot !== undefined) return { ...NOWHERE, slot };
  }
  return NOWHERE;
}
