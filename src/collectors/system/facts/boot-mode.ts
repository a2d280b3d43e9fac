/** How the firmware starts the kernel: UEFI or not, secure boot, and a Raspberry Pi's bootloader. Once a life. */
import type { Files } from "../../../system/files.ts";
import { oneLine } from "../../linux/text.ts";
import type { BootMode } from "../schema.ts";

const EFI = "/sys/firmware/efi";
/** UEFI's own variables (UEFI 2.10, 3.3): four bytes of attributes before the value. */
const GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c";
const CHOSEN = "/proc/device-tree/chosen/bootloader";

export function readBootMode(files: Files): BootMode {
  const uefi = files.presence(EFI) === "yes";
  return {
    mode: uefi ? "uefi" : withoutUefi(files),
    secure_boot: uefi ? readSecureBoot(files) : null,
    eeprom: readEeprom(files),
  };
}

/** An empty /sys/firmware is one that is hidden, as in a container. */
function withoutUefi(files: Files): BootMode["mode"] {
  const firmware = files.list("/sys/firmware");
  if (firmware.some((name) => name === "acpi" || name === "memmap" || name === "dmi")) return "bios";
  return files.presence("/proc/device-tree") === "yes" ? "device-tree" : null;
}

/** Not asked again: the kernel makes who is not root wait before it asks the firmware. */
function readSecureBoot(files: Files): boolean | null {
  const read = (path: string): Uint8Array | null => {
    try {
      return files.bytes(path, 16);
    } catch {
      return null;
    }
  };
  const variable = read(`${EFI}/efivars/SecureBoot-${GLOBAL}`);
  const value = variable?.length === 5 ? variable[4] : undefined;
  return value === 0 || value === 1 ? value === 1 : null;
}

/** Raspberry Pi 4 and later (raspberrypi.com, "Device Trees, overlays, and parameters": chosen/bootloader). */
function readEeprom(files: Files): BootMode["eeprom"] {
  const version = oneLine(files.text(`${CHOSEN}/version`), 64);
  const built = readTime(files, `${CHOSEN}/build-timestamp`);
  if (version === null && built === null) return null;
  return { version, built, updated: readTime(files, `${CHOSEN}/update-timestamp`) };
}

/** A cell of the device tree: big-endian seconds since the epoch; 0: never. */
function readTime(files: Files, path: string): string | null {
  try {
    const cell = files.bytes(path, 8);
    if (cell.length !== 4) return null;
    const seconds = new DataView(cell.buffer, cell.byteOffset, 4).getUint32(0);
    return seconds === 0 ? null : new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
  } catch {
    return null;
  }
}
