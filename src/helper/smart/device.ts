/**
 * Which devices smartctl may be let loose on, and with which `-d` type. What is named here comes from the
 * unprivileged side (a scan handed back, the configuration, a control plane), so nothing of it becomes an
 * argument before it fits a closed grammar and is a drive that the kernel knows.
 */
import * as v from "valibot";
import { AgentError } from "../../model/errors.ts";
import type { SmartScanAnswer } from "../../model/smart.ts";
import type { Files } from "../../system/files.ts";
import type { Lane } from "../operation.ts";

/** At most so many smartctl at once, whoever asks. */
const SMART_LIMIT = 4;

// smartctl(8), -d TYPE. Not in it, because reading must change nothing, whoever asks: `test`; jmb39x and jms56x, which
// talk to their controller by writing to a sector of the disk; intelliprop, which writes a log of whatever ATA drive it
// is pointed at; and usbcypress with a signature of the caller's, which is the first byte of the SCSI command: it could
// be FORMAT UNIT.
const DISK = "(?:[0-9]{1,3})";
const NSID = "(?:,(?:0x[0-9a-f]{1,8}|[0-9]{1,9}))?";
const PLAIN =
  `ata|scsi|auto|marvell|usbprolific|usbsunplus(?:/sat)?|sntasmedia(?:/sat)?|sntrealtek(?:/sat)?|nvme${NSID}` +
  `|sat(?:,auto)?(?:,(?:12|16))?|usbcypress|usbjmicron(?:,p)?(?:,x)?(?:,[01])?|usbasm1352r,[01]|sntjmicron${NSID}(?:/sat)?`;
const MEMBER =
  `megaraid,${DISK}|cciss,${DISK}|3ware,${DISK}|areca,${DISK}(?:/[1-8])?|aacraid,${DISK},${DISK},${DISK}` +
  `|hpt,[1-8]/[0-9]{1,3}(?:/[1-5])?|sssraid,${DISK},${DISK}`;
const TYPE = new RegExp(`^(?:${PLAIN}|${MEMBER}|(?:sat(?:,auto)?(?:,(?:12|16))?|scsi)\\+(?:${MEMBER}))$`);
const IS_MEMBER = new RegExp(`^(?:(?:sat[^+]*|scsi)\\+)?((?:${MEMBER}))$`);

/** What may stand for a type in the configuration, for people; N a number. */
export const TYPES_TEXT =
  "sat, sat,auto, sat,12, ata, scsi, nvme, nvme,0xN, usbjmicron, usbasm1352r,N, usbsunplus, usbprolific, usbcypress, " +
  "sntasmedia, sntrealtek, sntjmicron (these three also with /sat), marvell, megaraid,N, cciss,N, aacraid,N,N,N, " +
  "3ware,N, areca,N/N, hpt,N/N, sssraid,N,N, sat+megaraid,N and the like";

/** Why a device of a scan is not asked. */
export function notPassedOn(type: string): string {
  return `the type ${type} is not passed on`;
}
export const TYPE_NOT_PASSED_ON = /^the type (.*) is not passed on$/;

/** Never SMART devices: virtual disks, SD and eMMC, what software builds, optical, floppy, tape. */
const NEVER =
  /^\/dev\/(?:vd|xvd|mmcblk|loop|ram|zram|dm-|md|nbd|rbd|drbd|zd|pmem|bcache|sr|fd|mtd|st\d|nst|ublk|zloop|nullb)/;
const BLOCK = /^\/dev\/([a-z][a-z0-9]{0,31})$/;
const NVME = /^\/dev\/(nvme\d{1,4})(?:n\d{1,4})?$/;

export const deviceArg = v.pipe(
  v.string(),
  v.maxLength(64),
  v.regex(/^\/dev\/(?:[a-z][a-z0-9]{0,31}|bus\/\d{1,3}|cciss\/c\d{1,2}d\d{1,3})$/),
  v.check((device) => !isNeverAsked(device)),
);
export const typeArg = v.pipe(v.string(), v.maxLength(64), v.regex(TYPE));

/** Where the last scan is kept, for the helper's life. */
export const SCAN_KEPT = "smart.scan";

/** Whether it is a kind of device that has no SMART at all. */
export function isNeverAsked(device: string): boolean {
  return NEVER.test(device);
}

export function isTypeKnown(type: string): boolean {
  return TYPE.test(type);
}

/** The lanes of one drive: a member of a RAID is a drive of its own behind a common device. */
export function smartLanes(device: string, type: string): readonly Lane[] {
  return [
    { name: "smart", limit: SMART_LIMIT },
    { name: driveLane(device, type), limit: 1 },
  ];
}

export function driveLane(device: string, type: string): string {
  const member = IS_MEMBER.exec(type)?.[1];
  if (member !== undefined) return `drive ${device} ${member}`;
  // A namespace and its controller are one drive.
  const nvme = NVME.exec(device)?.[1];
  return `drive ${nvme === undefined ? device : `/dev/${nvme}`}`;
}

/**
 * The device was found by our own scan, or is a whole disk or NVMe controller of this kernel.
 * @throws AgentError `drive_unknown`
 */
export function checkDevice(files: Files, kept: ReadonlyMap<string, unknown>, device: string): void {
  const scan = kept.get(SCAN_KEPT) as SmartScanAnswer | undefined;
  if (scan?.devices.some(({ name }) => name === device)) return;
  const name = BLOCK.exec(device)?.[1];
  if (name !== undefined) {
    if (files.presence(`/sys/block/${name}`) === "yes") return;
    if (NVME.exec(device)?.[1] === name && files.presence(`/sys/class/nvme/${name}`) === "yes") return;
    if (/^sg\d+$/.test(name) && files.presence(`/sys/class/scsi_generic/${name}`) === "yes") return;
  }
  throw new AgentError(
    "drive_unknown",
    `${device} is no drive of this machine`,
    "See which there are: foundry-agent drives",
  );
}
