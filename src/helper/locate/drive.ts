/**
 * Which drives this host has, by the helper's own look at sysfs: what an argument names must be one of these, so
 * that no name, path or pattern of the main process is ever used as it came.
 *
 * Serial numbers and WWNs as the kernel and udev give them (kernel: drivers/scsi/scsi_sysfs.c, vpd_pg80 and wwid;
 * Documentation/ABI/testing/sysfs-class-nvme; systemd: ID_SERIAL_SHORT of ata_id and scsi_id).
 */
import type { Files } from "../../system/files.ts";

export interface LookedDrive {
  /** Kernel name: `sda`, `nvme0n1`. */
  readonly name: string;
  /** All that claim to be it: udev and the drive itself may write it differently. */
  readonly serials: readonly string[];
  /** Lower case, without `naa.`, `eui.`, `0x`. */
  readonly wwns: readonly string[];
  /** SCSI host:channel:target:lun. */
  readonly hctl: string | null;
}

const NOT_DRIVES = /^(?:loop|ram|zram|dm-|md|nbd|rbd|sr|fd|mtdblock|bcache|drbd|zd|nvme\d+c\d+n)/;
/** Kernel names, and nothing that could climb out of a folder. */
const NAME = /^[a-z][a-z0-9]{1,31}$/;

/** All whole drives, in the order of the kernel's list. */
export function lookAtDrives(files: Files): LookedDrive[] {
  return files
    .list("/sys/block")
    .filter((name) => NAME.test(name) && !NOT_DRIVES.test(name))
    .flatMap((name) => {
      const link = files.link(`/sys/block/${name}`) ?? "";
      if (link.includes("/virtual/") && !name.startsWith("nvme")) return [];
      const at = `/sys/block/${name}`;
      const udev = udevProperties(files, files.text(`${at}/dev`));
      return [
        {
          name,
          serials: known([
            unitSerial(files, at),
            files.text(`${at}/device/serial`),
            files.text(`${at}/serial`),
            udev.get("ID_SCSI_SERIAL"),
            udev.get("ID_SERIAL_SHORT"),
          ]),
          wwns: [
            ...new Set(
              known([
                files.text(`${at}/wwid`),
                files.text(`${at}/device/wwid`),
                udev.get("ID_WWN_WITH_EXTENSION"),
                udev.get("ID_WWN"),
              ])
                .map(plainWwn)
                .filter((wwn) => wwn !== ""),
            ),
          ],
          hctl: /\/(\d+:\d+:\d+:\d+)\/block\//.exec(link)?.[1] ?? null,
        },
      ];
    });
}

/** A WWN as it is compared: `0x5000C500…`, `naa.5000c500…` and `eui.…` are ways to write one number. */
export function plainWwn(text: string): string {
  const found = /^(?:naa\.|eui\.|0x)?([0-9a-f]{16,32})$/i.exec(text.trim());
  return found ? (found[1] as string).toLowerCase() : "";
}

function known(texts: readonly (string | null | undefined)[]): string[] {
  const clean = texts.map((text) => text?.replace(/[\s\0]+/g, " ").trim() ?? "");
  return [...new Set(clean.filter((text) => text !== "" && !/^(?:0+|none|unknown|n\/?a)$/i.test(text)))];
}

/** SPC-4 vital product data page 80h: four bytes of header, then the serial number in ASCII. */
function unitSerial(files: Files, at: string): string | null {
  try {
    return files.read(`${at}/device/vpd_pg80`, 512).slice(4);
  } catch {
    return null; // no such page: udev may still know
  }
}

/** /run/udev/data/b8:0, one `E:KEY=VALUE` a line. */
function udevProperties(files: Files, dev: string | null): Map<string, string> {
  const found = new Map<string, string>();
  const text = dev !== null && /^\d+:\d+$/.test(dev) ? files.text(`/run/udev/data/b${dev}`) : null;
  for (const line of text?.split("\n") ?? []) {
    const equals = line.indexOf("=");
    if (line.startsWith("E:") && equals > 2) found.set(line.slice(2, equals), line.slice(equals + 1));
  }
  return found;
}
