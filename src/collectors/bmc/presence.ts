/**
 * Whether this machine has a BMC, from sysfs alone: no process, no rights needed. The kernel's IPMI driver
 * makes a device `ipmi_bmc.N` for each it has talked to; /sys/class/ipmi and /dev/ipmi0 exist only while the
 * module ipmi_devintf is loaded as well, which Debian does not do by itself.
 */
import type { Files } from "../../system/files.ts";
import { oneLine } from "../linux/text.ts";

export interface BmcPresence {
  readonly firmware: string | null;
  readonly ipmi_version: string | null;
  readonly manufacturer_id: number | null;
  readonly product_id: number | null;
}

/** Null: no BMC, as on every Raspberry Pi and most virtual machines. */
export function findBmc(files: Files): BmcPresence | null {
  const folder = bmcFolder(files);
  if (folder === null) return null;
  return {
    firmware: oneLine(files.text(`${folder}/firmware_revision`), 64),
    ipmi_version: oneLine(files.text(`${folder}/ipmi_version`), 64),
    manufacturer_id: files.number(`${folder}/manufacturer_id`),
    product_id: files.number(`${folder}/product_id`),
  };
}

function bmcFolder(files: Files): string | null {
  for (const name of files.list("/sys/class/ipmi")) {
    const folder = `/sys/class/ipmi/${name}/device/bmc`;
    if (files.info(folder)?.isDirectory) return folder;
  }
  const platform = files.list("/sys/devices/platform").find((name) => /^ipmi_bmc\.\d+$/.test(name));
  return platform === undefined ? null : `/sys/devices/platform/${platform}`;
}
