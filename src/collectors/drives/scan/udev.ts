/**
 * The udev database, /run/udev/data/b<major>:<minor>: what udev's own probes (ata_id, scsi_id, blkid) found.
 * Format: one `X:value` a line, properties as `E:KEY=VALUE` (systemd, sd-device "db" files). Read straight,
 * because /dev/disk is hidden by PrivateDevices; everything works without it too (containers).
 */
import type { Files } from "../../../system/files.ts";
import { cleanText } from "../text.ts";

export interface UdevFacts {
  readonly serial: string | null;
  /** 0x… or eui.…, with the vendor extension where there is one. */
  readonly wwn: string | null;
  readonly model: string | null;
  readonly revision: string | null;
  /** 0 for a drive that does not turn; null: udev does not know. */
  readonly rpm: number | null;
  readonly fstype: string | null;
  readonly label: string | null;
  /** Of the file system, or of the whole pool where it is a member of one. */
  readonly uuid: string | null;
  /** Its way there: `pci-0000:00:17.0-ata-1`, what /dev/disk/by-path names it. */
  readonly path: string | null;
}

/** What is on a device by a probe of its first blocks. */
export interface FileSystemFacts {
  readonly fstype: string | null;
  readonly label: string | null;
  readonly uuid: string | null;
}

/** Cleaned, because whoever makes a file system chooses its label. */
export function fileSystemFacts(udev: UdevFacts | null): FileSystemFacts {
  return {
    fstype: cleanText(udev?.fstype ?? null),
    label: cleanText(udev?.label ?? null),
    uuid: cleanText(udev?.uuid ?? null)?.toLowerCase() ?? null,
  };
}

/** Properties of one database file. Unknown lines are skipped: udev adds kinds of lines over time. */
export function parseUdevData(text: string): Map<string, string> {
  const properties = new Map<string, string>();
  for (const line of text.split("\n")) {
    if (!line.startsWith("E:")) continue;
    const equals = line.indexOf("=");
    if (equals > 2) properties.set(line.slice(2, equals), line.slice(equals + 1));
  }
  return properties;
}

/** Undo udev's `\x20` escapes (ID_MODEL_ENC, ID_FS_LABEL_ENC). */
export function unescapeUdev(text: string): string {
  return text.replace(/\\x([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** @param dev `major:minor`; null when udev has (or shows) nothing about it. */
export function readUdev(files: Files, dev: string | null): UdevFacts | null {
  const text = dev === null ? null : files.text(`/run/udev/data/b${dev}`);
  if (text === null) return null;
  const found = parseUdevData(text);
  const get = (key: string): string | null => found.get(key) ?? null;
  const encoded = get("ID_MODEL_ENC");
  const rpm = get("ID_ATA_ROTATION_RATE_RPM");
  return {
    // scsi_id puts the WWN into ID_SERIAL_SHORT of a SAS drive; its serial number is in ID_SCSI_SERIAL.
    serial: get("ID_SCSI_SERIAL") ?? get("ID_SERIAL_SHORT"),
    wwn: get("ID_WWN_WITH_EXTENSION") ?? get("ID_WWN"),
    model: encoded === null ? get("ID_MODEL") : unescapeUdev(encoded),
    revision: get("ID_REVISION"),
    rpm: rpm !== null && /^\d+$/.test(rpm) ? Number(rpm) : null,
    fstype: get("ID_FS_TYPE"),
    label: get("ID_FS_LABEL"),
    uuid: get("ID_FS_UUID"),
    path: get("ID_PATH"),
  };
}
