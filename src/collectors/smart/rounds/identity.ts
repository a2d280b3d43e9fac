/**
 * Which drive a smartctl device is. sysfs knows it without asking the drive, so a drive that sleeps, hangs or
 * may not be opened still has its name; behind a RAID controller only the drive itself can tell. Ids are those
 * of the section `drives`, made in the same place (../../drives/scan/keys.ts).
 */
import type { SmartFacts } from "../../../model/smart.ts";
import type { Files } from "../../../system/files.ts";
import { type BlockDevice, isDriveName, readDevice } from "../../drives/scan/block-devices.ts";
import { groupDrives } from "../../drives/scan/group.ts";
import type { DriveKeys } from "../../drives/scan/keys.ts";
import { areTwo, isSameDrive, sharesSerial, type Told } from "../../drives/scan/same-drive.ts";
import { cleanSerial, cleanText } from "../../drives/text.ts";

/** What is told of a drive; `id` where sysfs is enough for one. */
export interface SmartIdentity extends Told {
  readonly id: string | null;
}

/** What sysfs knows of a directly attached device. */
export interface SysIdentity extends SmartIdentity {
  /** What is told is that of a USB bridge, and not the drive's own. */
  readonly bridge: boolean;
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

/** What sysfs knows of all drives, by the kernel's names of block devices; grouped and named as the section `drives`. */
export function sysIdentities(files: Files, keys: DriveKeys): ReadonlyMap<string, SysIdentity> {
  const devices = files
    .list("/sys/block")
    .filter(isDriveName)
    .map((name) => readDevice(files, name, "", []))
    .filter((device) => device !== null);
  const found = new Map<string, SysIdentity>();
  for (const { id, devices: members, hidden } of groupDrives(devices, keys))
    for (const member of [...members, ...hidden]) found.set(member.name, identityOfBlock(id, member));
  return found;
}

function identityOfBlock(
  id: string,
  { wwn, serial, model, sizeBytes, name, transport }: BlockDevice,
): SysIdentity {
  return {
    // Where nothing is told the drive itself may tell more; a place alone is no drive.
    id: wwn === null && serial === null ? null : id,
    wwn,
    serial,
    model,
    // smartctl gives an NVMe controller's capacity, the kernel that of one namespace.
    sizeBytes: name.startsWith("nvme") ? null : sizeBytes,
    bridge: transport === "usb",
  };
}

/** @returns null for a member of a RAID or a device that is not there */
export function sysIdentity(
  files: Files,
  device: string,
  blocks: ReadonlyMap<string, SysIdentity>,
): SysIdentity | null {
  const name = /^\/dev\/((?:sd|hd)[a-z]+|nvme\d+(?:n\d+)?)$/.exec(device)?.[1];
  if (name === undefined) return null;
  const controller = /^nvme\d+/.exec(name)?.[0];
  if (controller === undefined) return blocks.get(name) ?? null;
  // Health is the controller's, whichever of its namespaces is named.
  const first = blocks.get(namespaceOf(files, controller) ?? "") ?? blocks.get(name);
  if (first !== undefined) return first;
  const at = `/sys/class/nvme/${controller}`;
  const serial = cleanSerial(files.text(`${at}/serial`));
  if (serial === null) return null;
  const model = cleanText(files.text(`${at}/model`));
  return { id: `serial-${serial}`, wwn: null, serial, model, sizeBytes: null, bridge: false };
}

/** The first namespace of a controller; with native multipath the head stands for its hidden paths. */
function namespaceOf(files: Files, controller: string): string | null {
  const found = files
    .list(`/sys/class/nvme/${controller}`)
    .find((name) => /^nvme\d+(?:c\d+)?n\d+$/.test(name));
  return found === undefined ? null : found.replace(/c\d+(?=n\d+$)/, "");
}

export function factsIdentity({ wwn, serial, model, size_bytes, protocol }: SmartFacts): SmartIdentity {
  return { id: null, wwn, serial, model, sizeBytes: protocol === "NVMe" ? null : size_bytes };
}

/** A way to a drive with all that is known of it. */
export interface Known {
  readonly way: { readonly device: string; readonly label: string; readonly lane: string };
  readonly sys: SysIdentity | null;
  /** What the drive says itself. */
  readonly own: SmartIdentity | null;
}

/** The kernel's word where it has one, the drive's own beside it. */
export function mergedIdentity({ sys, own }: Pick<Known, "sys" | "own">): SmartIdentity {
  return {
    id: sys?.id ?? null,
    wwn: sys?.wwn ?? own?.wwn ?? null,
    serial: own?.serial ?? sys?.serial ?? null,
    model: own?.model ?? sys?.model ?? null,
    sizeBytes: own?.sizeBytes ?? sys?.sizeBytes ?? null,
  };
}

/** Whether two ways lead to one drive. */
export function leadToOne(a: Known, b: Known): boolean {
  if (a.way.lane === b.way.lane) return true;
  if (a.own !== null && b.own !== null && areTwo(a.own, b.own)) return false;
  if (a.sys !== null && b.sys !== null) return areSamePaths(a, b, a.sys, b.sys);
  // Two numbers behind one controller are two slots.
  if (a.way.device === b.way.device) return false;
  const [left, right] = [evidence(a), evidence(b)];
  return left !== null && right !== null && isSameDrive(left, right);
}

/** Both directly attached: as the kernel tells; the drives' own word where it knows no serial number. */
function areSamePaths(a: Known, b: Known, left: SysIdentity, right: SysIdentity): boolean {
  if (left.id !== null && left.id === right.id) return true;
  if (left.bridge || right.bridge || (left.serial !== null && right.serial !== null)) return false;
  const [one, other] = [mergedIdentity(a), mergedIdentity(b)];
  return one.wwn !== null && one.wwn === other.wwn && sharesSerial(one, other) && isSameDrive(one, other);
}

/** What may be compared with a drive behind a controller: of a bridge only what the drive behind it says. */
function evidence(known: Known): SmartIdentity | null {
  return known.sys?.bridge === true || known.sys === null ? known.own : mergedIdentity(known);
}
