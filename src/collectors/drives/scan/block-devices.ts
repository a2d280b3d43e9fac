/**
 * One block device as the kernel shows it: which are parts of drives, and their static facts. Names and
 * attributes: kernel, Documentation/ABI/{stable/sysfs-block,testing/sysfs-class-nvme}, drivers/scsi/scsi_sysfs.c,
 * drivers/mmc/core. All of these answer from the kernel's memory; none asks the device.
 */
import type { Files } from "../../../system/files.ts";
import type { DrivePartition, MmcFacts } from "../schema.ts";
import { boolOf, cleanText } from "../text.ts";
import { mmcFacts, nvmeFacts, scsiFacts, typeOf } from "./facts.ts";
import { type FileSystemFacts, fileSystemFacts, readUdev } from "./udev.ts";

/** A whole block device that is a drive or one path to a drive. */
export interface BlockDevice {
  readonly name: string;
  /** What tells that another device has taken the name, or that its size or protection changed. */
  readonly key: string;
  /** false: udev has a database but no word about this device yet, so it is read again. */
  readonly settled: boolean;
  /** Target of /sys/block/NAME as written; its parts tell how the device is attached. */
  readonly link: string;
  /** `8:0`. */
  readonly dev: string | null;
  /** SCSI host:channel:target:lun. */
  readonly hctl: string | null;
  /** `end_device-0:0:12` of the SAS transport. */
  readonly endDevice: string | null;
  /** `nvme0`; null for SCSI and for the head of an NVMe multipath. */
  readonly controller: string | null;
  /** Name of the NVMe head this hidden device is a path of. */
  readonly head: string | null;
  readonly model: string | null;
  readonly vendor: string | null;
  readonly serial: string | null;
  readonly firmware: string | null;
  readonly wwn: string | null;
  readonly sizeBytes: number | null;
  readonly type: "nvme" | "ssd" | "hdd" | "mmc" | "virtual" | null;
  readonly transport: string | null;
  readonly rotational: boolean | null;
  readonly logicalBlockBytes: number | null;
  readonly physicalBlockBytes: number | null;
  readonly removable: boolean | null;
  readonly writeProtected: boolean | null;
  readonly content: FileSystemFacts;
  /** udev's ID_PATH. */
  readonly byPath: string | null;
  readonly partitions: readonly (DrivePartition & {
    readonly dev: string | null;
    readonly content: FileSystemFacts;
  })[];
  readonly mmc: MmcFacts | null;
}

// Built in software, optical, floppy, or a special area of an eMMC.
const NOT_DRIVES =
  /^(?:loop|ram|zram|dm-|md|nbd|rbd|sr|fd|mtdblock|bcache|drbd|zd|pmem|ublkb|zloop|nullb|mmcblk\d+(?:boot|rpmb|gp))/;

/** Whether a name in /sys/block can be a drive; its link decides the rest. */
export function isDriveName(name: string): boolean {
  return !NOT_DRIVES.test(name);
}

/** Changes when another device has the name (diskseq, since Linux 5.15), or with size and write protection. */
export function deviceKey(files: Files, name: string, partitions: readonly string[]): string {
  const at = `/sys/block/${name}`;
  const which = files.text(`${at}/diskseq`) ?? files.text(`${at}/dev`);
  return `${which} ${files.text(`${at}/size`)} ${files.text(`${at}/ro`)} ${partitions.join(" ")}`;
}

/**
 * Static facts of /sys/block/NAME; null when it is no drive: a device made by software, or a card reader
 * without a card.
 * @param partitions kernel names of its partitions
 */
export function readDevice(
  files: Files,
  name: string,
  key: string,
  partitions: readonly string[],
): BlockDevice | null {
  const at = `/sys/block/${name}`;
  const link = files.link(at) ?? "";
  if (link.includes("/virtual/") && !name.startsWith("nvme")) return null;
  const sectors = files.number(`${at}/size`);
  const removable = boolOf(files.text(`${at}/removable`));
  const attached = attachment(files, name, link);
  const bay = files.text(`${at}/device/model`);
  // A reader without a card, a dock without a drive. A fixed drive that lost its electronics says 0 too.
  if (sectors === 0 && (attached.transport === "usb" || isRemovable(removable, attached.transport, bay)))
    return null;

  const dev = files.text(`${at}/dev`);
  const hidden = /^(nvme\d+)c\d+(n\d+)$/.exec(name);
  const udev = readUdev(files, dev);
  const facts = name.startsWith("nvme")
    ? nvmeFacts(files, at, udev)
    : name.startsWith("mmcblk")
      ? mmcFacts(files, at)
      : scsiFacts(files, at, udev);
  const rotational = udev?.rpm != null ? udev.rpm > 0 : boolOf(files.text(`${at}/queue/rotational`));
  return {
    name,
    key,
    settled: udev !== null || dev === null || hidden !== null || files.presence("/run/udev/data") !== "yes",
    link,
    dev,
    ...attached,
    head: hidden ? `${hidden[1]}${hidden[2]}` : null,
    ...facts,
    sizeBytes: sectors === null ? null : sectors * 512,
    type: typeOf(name, attached.transport, rotational, facts),
    rotational,
    logicalBlockBytes: files.number(`${at}/queue/logical_block_size`),
    physicalBlockBytes: files.number(`${at}/queue/physical_block_size`),
    removable,
    writeProtected: boolOf(files.text(`${at}/ro`)),
    content: fileSystemFacts(udev),
    byPath: cleanText(udev?.path ?? null),
    partitions: partitions.map((part) => readPartition(files, `${at}/${part}`, part)),
  };
}

function readPartition(files: Files, at: string, name: string): BlockDevice["partitions"][number] {
  const dev = files.text(`${at}/dev`);
  const sectors = files.number(`${at}/size`);
  const content = fileSystemFacts(readUdev(files, dev));
  const { fstype, label } = content;
  return { name, dev, size_bytes: sectors === null ? null : sectors * 512, fstype, label, content };
}

/**
 * Whether a medium comes out of it. On a port of its own the flag only says that the port may be plugged (AHCI's
 * hot-plug and eSATA ports, libata-scsi.c), or that the controller likes to say so (aacraid).
 */
export function isRemovable(flag: boolean | null, transport: string | null, model: string | null): boolean {
  if (flag !== true) return false;
  if (/\b(?:RDX|ZIP|JAZ|SuperDisk|LS-120|MO drive)\b/i.test(model ?? "")) return true;
  return !/^(?:sata|sas|scsi|fc|iscsi|nvme.*)$/.test(transport ?? "");
}

type Attachment = Pick<BlockDevice, "hctl" | "endDevice" | "controller" | "transport">;

/** How it is attached, from the folders of its device path. */
function attachment(files: Files, name: string, link: string): Attachment {
  const hctl = /\/(\d+:\d+:\d+:\d+)\/block\//.exec(link)?.[1] ?? null;
  const endDevice = /\/(end_device-[\d:]+)\//.exec(link)?.[1] ?? null;
  const controller = /\/(nvme\d+)\/nvme\d+(?:c\d+)?n\d+$/.exec(link)?.[1] ?? null;
  return { hctl, endDevice, controller, transport: transportOf(files, name, link, controller) };
}

function transportOf(files: Files, name: string, link: string, controller: string | null): string | null {
  if (name.startsWith("nvme")) {
    const fabric = cleanText(
      files.text(`/sys/class/nvme/${controller ?? firstController(files, name)}/transport`),
    );
    return fabric === null || fabric === "pcie" ? "nvme" : `nvme-${fabric}`;
  }
  if (name.startsWith("mmcblk")) return "mmc";
  if (name.startsWith("xvd")) return "xen";
  if (/\/usb\d+\//.test(link)) return "usb";
  if (/\/session\d+\//.test(link)) return "iscsi";
  if (link.includes("/rport-")) return "fc";
  if (/\/ata\d+\//.test(link)) return "sata";
  // libata and SAS controllers alike name a SATA drive's vendor so (SAT, the SCSI / ATA translation standard).
  if (files.text(`/sys/block/${name}/device/vendor`) === "ATA") return "sata";
  if (link.includes("/end_device-")) return "sas";
  if (/\/virtio\d+\//.test(link)) return "virtio";
  return /\/\d+:\d+:\d+:\d+\/block\//.test(link) ? "scsi" : null;
}

/** Controllers of a namespace's subsystem, from the links in /sys/block/NAME/device (NVMe multipath). */
export function subsystemControllers(files: Files, name: string): string[] {
  return files.list(`/sys/block/${name}/device`).filter((entry) => /^nvme\d+$/.test(entry));
}

function firstController(files: Files, name: string): string {
  return subsystemControllers(files, name)[0] ?? (/^nvme\d+/.exec(name)?.[0] as string);
}
