/**
 * The kernels that are installed, when they were, and which of them would run after a reboot in place of the one that
 * does: a newer one of its line, or its own release built anew.
 */
import type { Files } from "../../../system/files.ts";
import { oneLine } from "../../linux/text.ts";
import { compareReleases, type KernelRelease, packagingOf, parseKernelRelease } from "./release.ts";

/** `/usr/lib/modules` on a merged /usr, which is where the link /lib leads. */
const MODULES = "/lib/modules";
const DPKG = "/var/lib/dpkg/info";
/** x86 keeps its version text in the set-up code, which is no longer than this (Documentation/arch/x86/boot.rst). */
const HEAD_BYTES = 64 * 1024;
/** What a package manager leaves beside an image. */
const LEFT_BESIDE = /\.(?:old|bak|orig|hmac|sig|signed|gz|dpkg-\w+|rpm\w+|efi)$/;

export interface InstalledKernel {
  readonly release: string;
  /** Its image, or the folder of its modules where the image has no version in its name. */
  readonly path: string;
}

/** Of the operating system, as far as it decides what an update of a kernel is. */
export interface System {
  readonly id: string | null;
  readonly id_like: string | null;
  readonly version_id: string | null;
}

/** What runs: its release and its build, `#1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)`. */
export interface RunningKernel {
  readonly release: string;
  readonly version: string | null;
}

/**
 * Images in /boot, and module folders with an image in them (Fedora, openSUSE, Arch); where neither is (Alpine, older
 * Raspberry Pi OS) module folders that have modules in them.
 */
export function installedKernels(files: Files): InstalledKernel[] {
  const found = new Map<string, string>();
  const modules = files.list(MODULES).filter((name) => /^\d+\.\d/.test(name));
  for (const name of files.list("/boot")) {
    const release = /^(?:vmlinu[xz]|kernel|[Ii]mage)-(\d+\.\d.*)$/.exec(name)?.[1];
    if (release !== undefined && !LEFT_BESIDE.test(release)) found.set(release, `/boot/${name}`);
  }
  for (const release of modules) {
    const path = `${MODULES}/${release}/vmlinuz`;
    if (!found.has(release) && files.presence(path) === "yes") found.set(release, path);
  }
  if (found.size === 0)
    for (const release of modules)
      if (files.presence(`${MODULES}/${release}/kernel`) === "yes")
        found.set(release, `${MODULES}/${release}`);
  return [...found].map(([release, path]) => ({ release, path }));
}

/** Proxmox: for the next start only, else for all (`proxmox-boot-tool kernel pin`). */
const PINS = ["/etc/kernel/next-boot-pin", "/etc/kernel/proxmox-boot-pin"];

/** The kernel that somebody chose to be started, whatever newer ones are installed beside it; null: nobody did. */
export function pinnedKernel(
  files: Files,
  running: RunningKernel,
  installed: readonly InstalledKernel[],
): InstalledKernel | null {
  if (!running.release.includes("pve")) return null;
  const pins = PINS.map((path) => files.text(path));
  const found = pins.map((pin) => installed.find(({ release }) => release === pin));
  return found.find((kernel) => kernel !== undefined) ?? null;
}

export interface NewerKernel {
  /** Whether any installed kernel is of the running one's line: else nothing here tells, and "no" would be a guess. */
  readonly looked: boolean;
  readonly newest: InstalledKernel | null;
}

/** The newest of `installed` that would be an update of the running kernel. Pure but for Arch's names of packages. */
export function newerKernel(
  files: Files,
  running: RunningKernel,
  installed: readonly InstalledKernel[],
  system: System | null,
): NewerKernel {
  const told = packagingOf(system);
  const now = parseKernelRelease(running.release, told);
  if (now === null) return { looked: false, newest: null };
  let looked = false;
  let best: { kernel: InstalledKernel; release: KernelRelease } | null = null;
  for (const kernel of installed) {
    const release = parseKernelRelease(kernel.release, told);
    if (release === null || release.line !== now.line || release.packaging !== now.packaging) continue;
    if (!isSameSeries(running, kernel.release, system)) continue;
    if (told === "arch" && !isSamePackage(files, running.release, kernel.release)) continue;
    looked = true;
    if (compareReleases(release, best?.release ?? now) > 0) best = { kernel, release };
  }
  return { looked, newest: best?.kernel ?? null };
}

/** Ubuntu's own kernel of a release stays on one series; the newer ones beside it are the hardware enablement kernels. */
const UBUNTU_SERIES: Readonly<Record<string, string>> = {
  "16.04": "4.4",
  "18.04": "4.15",
  "20.04": "5.4",
  "22.04": "5.15",
  "24.04": "6.8",
  "26.04": "7.0",
};

function isSameSeries({ release, version }: RunningKernel, other: string, system: System | null): boolean {
  if (!/-(?:generic|lowlatency)(?:-|$)/.test(release)) return true;
  const own = UBUNTU_SERIES[system?.version_id ?? ""];
  // `#35~22.04.1-Ubuntu` is such a kernel itself, and goes from series to series.
  if (system?.id !== "ubuntu" || own === undefined || /^#\S*~/.test(version ?? "")) return true;
  return seriesOf(release) !== own || seriesOf(other) === own;
}

function seriesOf(release: string): string {
  return /^\d+\.\d+/.exec(release)?.[0] ?? "";
}

/** Arch's packages leave their name beside the modules; Manjaro's (`linux66`) name the series too. */
function isSamePackage(files: Files, running: string, other: string): boolean {
  const name = files.text(`${MODULES}/${other}/pkgbase`);
  if (name === null || running === other) return true;
  if (/^linux\d{2,3}$/.test(name)) return name === `linux${seriesOf(running).replace(".", "")}`;
  const own = files.text(`${MODULES}/${running}/pkgbase`);
  return own === null || own === name;
}

/**
 * Whether the running release's image is another build than what runs: a security update that keeps its ABI keeps its
 * name. By the build that the image names, and where it names none (compressed, as on ARM, or for root only) by the time
 * it was built.
 * @param boot of this boot and now, milliseconds since the epoch
 * @returns null: it came after the boot, and nothing tells whether it is another one
 */
export function isRebuilt(
  files: Files,
  running: RunningKernel,
  path: string,
  [boot, now]: readonly [boot: number | null, now: number],
): boolean | null {
  const info = files.info(path);
  if (info === null || info.isDirectory || info.size === 0) return false;
  const build = buildOf(headOf(files, path), running.release);
  if (build !== null && running.version !== null)
    // Both are cut at 64 characters, by one kernel earlier than by another.
    return !(build.startsWith(running.version) || running.version.startsWith(build));
  if (boot === null) return false;
  if (info.mtimeMs > boot) return true;
  return info.ctimeMs > boot && info.ctimeMs <= now ? null : false;
}

function headOf(files: Files, path: string): string {
  try {
    return Buffer.from(files.bytes(path, HEAD_BYTES)).toString("latin1");
  } catch {
    return "";
  }
}

/** `6.1.0-18-amd64 (debian-kernel@lists.debian.org) #1 SMP … Debian 6.1.76-1 (2024-02-01)` → from `#1` on. Pure. */
function buildOf(head: string, release: string): string | null {
  for (let at = head.indexOf(release); at >= 0; at = head.indexOf(release, at + 1)) {
    const found = /^ \([^\0\n]{1,200}?\) (#\d[^\0\n]{0,120})/.exec(head.slice(at + release.length, at + 400));
    if (found) return oneLine(found[1], 128);
  }
  return null;
}

/**
 * When a kernel was installed, milliseconds since the epoch: by dpkg's list of its files, else by when its image came to
 * be there (package managers keep the times of the build), else by when its modules were indexed.
 * @param between the boot, before which it can't have been waited for, and now
 * @returns null: nothing of it can be true, as on a machine whose clock was set
 */
export function installedAt(
  files: Files,
  { release, path }: InstalledKernel,
  [boot, now]: readonly [number | null, number],
): number | null {
  const times = [
    dpkgTime(files, release),
    files.info(path)?.ctimeMs,
    files.info(`${MODULES}/${release}/modules.dep`)?.mtimeMs,
  ];
  const at = times.find((time) => time !== null && time !== undefined && time <= now);
  return at === null || at === undefined ? null : Math.max(at, boot ?? at);
}

function dpkgTime(files: Files, release: string): number | null {
  for (const name of [
    `linux-image-${release}`,
    `linux-image-unsigned-${release}`,
    `proxmox-kernel-${release}`,
  ])
    for (const suffix of ["", "-signed"]) {
      const info = files.info(`${DPKG}/${name}${suffix}.list`);
      if (info !== null) return info.mtimeMs;
    }
  return null;
}
