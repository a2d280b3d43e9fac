/** How many drives there are and how much they hold, spinning and flash. Pure. */
import type { Drive, DrivesData } from "./schema.ts";

const FLASH = new Set<Drive["type"]>(["ssd", "nvme", "mmc"]);

/** Virtual disks, and drives whose kind is not known, are in neither. */
export function totalsOf(drives: readonly Pick<Drive, "type" | "size_bytes">[]): DrivesData["totals"] {
  return {
    hdd: sumOf(drives.filter(({ type }) => type === "hdd")),
    flash: sumOf(drives.filter(({ type }) => FLASH.has(type))),
  };
}

function sumOf(drives: readonly Pick<Drive, "size_bytes">[]): { count: number; bytes: number } {
  return { count: drives.length, bytes: drives.reduce((sum, drive) => sum + (drive.size_bytes ?? 0), 0) };
}
