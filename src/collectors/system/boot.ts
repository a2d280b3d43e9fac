/** How the machine came up and whether it wants to be rebooted: two looks at the same moment, the boot. */
import type { Files } from "../../system/files.ts";
import { newerKernel } from "./debian-version.ts";
import type { LastBoot, RebootRequired } from "./schema.ts";

const MARKER = "/run/reboot-required";
const PSTORE = "/sys/fs/pstore";
const MAX_PACKAGES = 64;
/** A dump written this long before the boot is taken for its cause. */
const DUMP_BEFORE_BOOT_MS = 60 * 60 * 1000;
const KEXEC_LOADER = 0xd;
/** "Type undefined": a loader without a number of its own. */
const UNDEFINED_LOADER = 0xff;

/**
 * Debian's and Ubuntu's marker (with the packages that asked for it), and installed kernels of the running
 * one's flavour. A container does not boot a kernel of its own: `kernel` null leaves that out.
 */
export function readRebootRequired(files: Files, runningKernel: string | null): RebootRequired {
  const since: number[] = [];
  const reasons: RebootRequired["reasons"] = [];
  const marker = files.info(MARKER);
  if (marker !== null) {
    reasons.push("marker");
    since.push(marker.mtimeMs);
  }
  const packages =
    marker === null
      ? []
      : parsePackages(files.info(`${MARKER}.pkgs`) === null ? "" : (files.text(`${MARKER}.pkgs`) ?? ""));
  const installed = runningKernel === null ? [] : installedKernels(files);
  const newest =
    runningKernel === null
      ? null
      : newerKernel(
          runningKernel,
          installed.map((kernel) => kernel.release),
        );
  if (newest !== null) {
    reasons.push("kernel");
    const path = installed.find((kernel) => kernel.release === newest)?.path;
    const info = path === undefined ? null : files.info(path);
    if (info !== null) since.push(info.mtimeMs);
  }
  const known = reasons.length > 0 || installed.length > 0;
  return {
    required: reasons.length > 0 ? true : known ? false : null,
    since: since.length === 0 ? null : new Date(Math.min(...since)).toISOString(),
    reasons,
    packages,
    newest_kernel: newest,
  };
}

/** One name a line, repeated when a package asked more than once. */
export function parsePackages(text: string): string[] {
  const names = text
    .split("\n", 1000)
    .map((line) => line.trim())
    .filter((line) => /^[A-Za-z0-9][A-Za-z0-9+.:_-]{0,100}$/.test(line));
  return [...new Set(names)].sort().slice(0, MAX_PACKAGES);
}

/** Kernel images in /boot, else (Arch, older Raspberry Pi OS) module folders that have modules in them. */
function installedKernels(files: Files): { release: string; path: string }[] {
  const images = files
    .list("/boot")
    .map((name) => ({ release: /^vmlinu[xz]-(\d.*)$/.exec(name)?.[1] ?? "", path: `/boot/${name}` }))
    .filter(({ release }) => release !== "" && !release.endsWith(".old"));
  if (images.length > 0) return images;
  return files
    .list("/lib/modules")
    .map((release) => ({ release, path: `/lib/modules/${release}` }))
    .filter(({ path }) => files.presence(`${path}/kernel`) === "yes");
}

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
