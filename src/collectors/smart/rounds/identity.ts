/**
 * Which drive a smartctl device is. sysfs knows it without asking the drive, so a drive that sleeps, hangs or
 * may not be opened still has its name; behind a RAID controller only the drive itself can tell. Ids are those
 * of the section `drives`.
 */
import type { SmartFacts } from "../../../model/smart.ts";
import type { Files } from "../../../system/files.ts";
import { type Facts, nvmeFacts, scsiFacts } from "../../drives/scan/facts.ts";
import { readUdev } from "../../drives/scan/udev.ts";

export interface SmartIdentity {
  readonly id: string | null;
  readonly wwn: string | null;
  readonly serial: string | null;
  readonly model: string | null;
}

/** Label of a device as smartctl_exporter builds it: `sda`, `nvme0`, `bus_0_megaraid_3`. */
export function deviceLabel(device: string, type: string): string {
  const name = device.replace(/^\/dev\//, "").replaceAll("/", "_");
  // A comma in the type names a drive behind the device; `sat,12` and the like only say how to speak.
  // Of the USB bridges only the ASM1352R shows several drives as one device.
  const member = /(?:^|\+)([a-z0-9]+,.*)$/.exec(type)?.[1];
  if (member === undefined || /^(?:sat|nvme|usb(?!asm)|snt)/.test(member)) return name;
  return `${name}_${type.replaceAll(",", "_")}`;
}

/** What sysfs knows of a directly attached device; null for a member of a RAID or a device that is not there. */
export function sysIdentity(files: Files, device: string): SmartIdentity | null {
  const name = /^\/dev\/((?:sd|hd)[a-z]+|nvme\d+(?:n\d+)?)$/.exec(device)?.[1];
  if (name === undefined) return null;
  const block = /^nvme\d+$/.test(name) ? namespaceOf(files, name) : name;
  if (block === null) {
    const at = `/sys/class/nvme/${name}`;
    const serial = files.text(`${at}/serial`);
    return serial === null ? null : idOf({ wwn: null, serial, model: files.text(`${at}/model`) });
  }
  const at = `/sys/block/${block}`;
  if (files.presence(at) !== "yes") return null;
  const udev = readUdev(files, files.text(`${at}/dev`));
  const facts: Facts = block.startsWith("nvme") ? nvmeFacts(files, at, udev) : scsiFacts(files, at, udev);
  return idOf(facts);
}

/** The first namespace of a controller; with native multipath the head stands for its hidden paths. */
function namespaceOf(files: Files, controller: string): string | null {
  const found = files
    .list(`/sys/class/nvme/${controller}`)
    .find((name) => /^nvme\d+(?:c\d+)?n\d+$/.test(name));
  return found === undefined ? null : found.replace(/c\d+(?=n\d+$)/, "");
}

export function factsIdentity(facts: SmartFacts): SmartIdentity {
  return idOf(facts);
}

function idOf({ wwn, serial, model }: Pick<Facts, "wwn" | "serial" | "model">): SmartIdentity {
  return {
    id: wwn !== null ? `wwn-${wwn}` : serial !== null ? `serial-${serial}` : null,
    wwn,
    serial,
    model,
  };
}

/** The kernel's word where it has one, the drive's own beside it. */
export function mergedIdentity(sys: SmartIdentity | null, own: SmartIdentity | null): SmartIdentity {
  return {
    id: sys?.id ?? own?.id ?? null,
    wwn: sys?.wwn ?? own?.wwn ?? null,
    serial: own?.serial ?? sys?.serial ?? null,
    model: own?.model ?? sys?.model ?? null,
  };
}

/** One drive seen twice: by its WWN; by its serial number only where no two WWNs say otherwise. */
export function isSameDrive(a: SmartIdentity, b: SmartIdentity): boolean {
  if (a.wwn !== null && b.wwn !== null && a.wwn !== b.wwn) return false;
  if (a.wwn !== null && a.wwn === b.wwn) return true;
  if (a.id !== null && a.id === b.id) return true;
  return a.serial !== null && a.serial === b.serial;
}
