/** How the machine came up: what brought the boot about, and whether the firmware or a kernel did it. */
import type { Files } from "../../system/files.ts";
import type { LastBoot } from "./schema.ts";

const PSTORE = "/sys/fs/pstore";
/** A dump written this long before the boot is taken for its cause. */
const DUMP_BEFORE_BOOT_MS = 60 * 60 * 1000;
const KEXEC_LOADER = 0xd;
/** "Type undefined": a loader without a number of its own. */
const UNDEFINED_LOADER = 0xff;

/**
 * The cause of the last boot where hardware or kernel kept it: crash records, the watchdog's boot status
 * (Linux Documentation/watchdog/watchdog-api.rst), a Raspberry Pi's reset registers.
 * @param bootTime of this boot, milliseconds since the epoch, or null
 */
export function readLastBoot(files: Files, bootTime: number | null): LastBoot {
  const dumps = readDumps(files, bootTime);
  const way = readBootWay(files);
  const found: [LastBoot["cause"], string] | null =
    (dumps.panicBeforeBoot ? ["kernel_panic", "pstore"] : null) ??
    // Past the firmware these registers still tell of the boot before.
    (way === "kexec" ? null : (watchdogCause(files) ?? raspberryPiCause(files)));
  return { cause: found?.[0] ?? null, source: found?.[1] ?? null, kernel_dumps: dumps.count, way };
}

/**
 * Whether the kernel was started by the firmware, or by the kernel before it. On x86 each boot loader leaves its number
 * (Linux Documentation/arch/x86/boot.rst: 0xD is kexec); a kexec on a device tree leaves a mark in it, but only where
 * the kernel loaded it (drivers/of/kexec.c), so that there is none proves nothing.
 * @returns null: not known
 */
function readBootWay(files: Files): LastBoot["way"] {
  if (files.presence("/proc/device-tree/chosen/linux,booted-from-kexec") === "yes") return "kexec";
  const loader = files.number("/proc/sys/kernel/bootloader_type");
  if (loader === null || loader <= 0 || loader >= UNDEFINED_LOADER) return null;
  return loader >> 4 === KEXEC_LOADER ? "kexec" : "firmware";
}

function readDumps(
  files: Files,
  bootTime: number | null,
): { count: number | null; panicBeforeBoot: boolean } {
  const names = files.list(PSTORE).filter((name) => name.startsWith("dmesg-"));
  if (names.length === 0) {
    const denied = files.presence(`${PSTORE}/x`) === "denied";
    return { count: denied ? null : 0, panicBeforeBoot: false };
  }
  let panicBeforeBoot = false;
  for (const name of names.slice(0, 32)) {
    const path = `${PSTORE}/${name}`;
    const written = files.info(path)?.mtimeMs;
    if (bootTime === null || written === undefined) continue;
    if (written > bootTime || bootTime - written > DUMP_BEFORE_BOOT_MS) continue;
    // The first line is "Panic#1 Part1"; an oops alone does not restart a machine.
    if (/^Panic#/.test(files.text(path) ?? "")) panicBeforeBoot = true;
  }
  return { count: names.length, panicBeforeBoot };
}

function watchdogCause(files: Files): [LastBoot["cause"], string] | null {
  for (const name of files.list("/sys/class/watchdog")) {
    const status = files.number(`/sys/class/watchdog/${name}/bootstatus`);
    if (status === null || status <= 0) continue;
    const cause = watchdogBits(status);
    if (cause !== null) return [cause, name];
  }
  return null;
}

/** WDIOF_CARDRESET, WDIOF_OVERHEAT, WDIOF_POWERUNDER, WDIOF_POWEROVER of linux/watchdog.h. */
export function watchdogBits(status: number): LastBoot["cause"] {
  if (status & 0x20) return "watchdog";
  if (status & 0x01) return "overheat";
  if (status & 0x10) return "under_voltage";
  if (status & 0x40) return "over_voltage";
  return null;
}

function raspberryPiCause(files: Files): [LastBoot["cause"], string] | null {
  const power = word(files, "/proc/device-tree/chosen/power/power_reset");
  if (power !== null) {
    const cause = powerResetBits(power);
    if (cause !== null) return [cause, "raspberry-pi power_reset"];
  }
  const status = word(files, "/proc/device-tree/chosen/bootloader/rsts");
  const cause = status === null ? null : resetStatusBits(status);
  return cause === null ? null : [cause, "raspberry-pi rsts"];
}

/** The Pi 5's power chip, since its last reset: over- and under-voltage, over-temperature, -, watchdog. */
export function powerResetBits(value: number): LastBoot["cause"] {
  if (value & 0x02) return "under_voltage";
  if (value & 0x01) return "over_voltage";
  if (value & 0x04) return "overheat";
  if (value & 0x10) return "watchdog";
  return null;
}

/** PM_RSTS: every restart of a Pi goes through its watchdog, so 0x20 says "not by power" and no more. */
export function resetStatusBits(value: number): LastBoot["cause"] {
  if (value & 0x0760) return "reset";
  if (value & 0x1000) return "power_on";
  return null;
}

/** A device-tree cell: 32 bits, big endian. Bytes above 0x7f do not survive decoding, then it is not known. */
function word(files: Files, path: string): number | null {
  let raw: string;
  try {
    raw = files.read(path, 16);
  } catch {
    return null;
  }
  if (raw.length !== 4 || /[^\x00-\x7f]/.test(raw)) return null;
  return [...raw].reduce((value, char) => value * 256 + char.charCodeAt(0), 0);
}
