/**
 * Mounts that a boot makes: those of fstab(5) and of mount units that a target pulls in, of zfs, and the root. What
 * somebody mounted by hand, what comes when it is touched (noauto, automount) and what containers mount is gone after
 * every boot, and is nobody's loss.
 */

import type { Item } from "../../../commands/after-boot/picture.ts";
import { readMounts } from "../../../commands/facts/mounts.ts";
import type { Files } from "../../../system/files.ts";
import { type MountLine, unescapeOctal } from "../../../system/mountinfo.ts";

/** Where links stand that have a target pull a unit in, systemd.unit(5). */
const UNIT_FOLDERS = [
  "/etc/systemd/system",
  "/run/systemd/generator",
  "/run/systemd/generator.late",
] as const;
/** What is mounted by the properties of a pool, and stands in no table. */
const OWN_TABLE = new Set(["zfs"]);
/** Never missed: they are the kernel's own, and there as soon as it is. */
const KERNELS_OWN =
  /^(?:proc|sysfs|devtmpfs|devpts|cgroup2?|securityfs|debugfs|tracefs|mqueue|hugetlbfs|configfs|bpf|pstore|efivarfs|fusectl|binfmt_misc|autofs)$/;

/** Those that are mounted, and whether they can be written; null where nobody can say. */
export function mountItems(files: Files): Item[] | null {
  const mounts = readMounts(files);
  if (mounts.length === 0) return null;
  const wanted = wantedMounts(files);
  // Of several in one place the last covers the others.
  const shown = new Map(mounts.map((mount) => [mount.mountpoint, mount]));
  return [...shown.values()]
    .filter(({ mountpoint, fstype }) => wanted.has(mountpoint) || OWN_TABLE.has(fstype))
    .filter(({ fstype }) => !KERNELS_OWN.test(fstype))
    .map((mount) => ({
      kind: "mount" as const,
      id: mount.mountpoint,
      name: mount.mountpoint,
      is: isReadOnly(mount) ? "read-only" : "writable",
    }));
}

/** Mount points that are mounted at boot. */
export function wantedMounts(files: Files): Set<string> {
  const wanted = new Set(["/", ...fstabMounts(files.text("/etc/fstab") ?? "")]);
  for (const folder of UNIT_FOLDERS)
    for (const target of files.list(folder))
      if (/\.target\.(?:wants|requires)$/.test(target))
        for (const unit of files.list(`${folder}/${target}`))
          if (unit.endsWith(".mount")) wanted.add(pathOfUnit(unit.slice(0, -".mount".length)));
  return wanted;
}

/** Without what waits until it is asked for. Pure. */
export function fstabMounts(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    const [source, mountpoint, fstype, options = ""] = line.trim().split(/\s+/);
    if (source === undefined || source.startsWith("#") || !mountpoint?.startsWith("/")) return [];
    const given = options.split(",");
    if (fstype === "swap" || given.includes("noauto") || given.includes("x-systemd.automount")) return [];
    const path = unescapeOctal(mountpoint);
    return [path.length > 1 ? path.replace(/\/+$/, "") : path];
  });
}

/** `srv-my\x2ddata` → /srv/my-data, systemd-escape(1). Pure. */
export function pathOfUnit(name: string): string {
  if (name === "-") return "/";
  const bytes = name
    .replaceAll("-", "/")
    .replace(/\\x([0-9a-f]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  // Escapes are of bytes, so what is beyond ASCII is put together here.
  return `/${/[\x80-\xff]/.test(bytes) && !/[^\x00-\xff]/.test(bytes) ? Buffer.from(bytes, "latin1").toString("utf8") : bytes}`;
}

/** Of the file system itself: in a unit with ProtectSystem= every mount is read-only. */
function isReadOnly({ superOptions }: MountLine): boolean {
  return ["ro", "emergency_ro", "shutdown"].some((option) => superOptions.includes(option));
}
