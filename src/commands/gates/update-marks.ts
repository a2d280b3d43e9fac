/**
 * What package managers and system updaters leave visible in the file system while they change the host. Only what an
 * unprivileged process can see without asking anybody; docs/maintenance-windows.md says what can't be seen.
 */

export interface Mark {
  /** As a person knows it. */
  readonly name: string;
  readonly path: string;
  /**
   * `locked`: somebody holds an exclusive lock on the file. `exists`: it is there. `this_boot`: it is there, and was
   * made (or is mounted) since this boot: what a power cut left behind does not count. `pid`: it holds the number
   * of a process that is there, or may be.
   */
  readonly sign: "locked" | "exists" | "this_boot" | "pid";
}

/** fcntl(2) locks, but for zypper (a PID file) and pacman (a file that is there as long as it works). */
// biome-ignore format: a table is read by its columns
export const PACKAGE_MARKS: readonly Mark[] = [
  { name: "dpkg",   path: "/var/lib/dpkg/lock-frontend",        sign: "locked" },
  { name: "dpkg",   path: "/var/lib/dpkg/lock",                 sign: "locked" },
  { name: "rpm",    path: "/var/lib/rpm/.rpm.lock",             sign: "locked" },
  { name: "rpm",    path: "/usr/lib/sysimage/rpm/.rpm.lock",    sign: "locked" },
  { name: "zypper", path: "/run/zypp.pid",                      sign: "pid" },
  { name: "pacman", path: "/var/lib/pacman/db.lck",             sign: "this_boot" },
  { name: "apk",    path: "/lib/apk/db/lock",                   sign: "locked" },
];

/**
 * OSTree: libostree locks the sysroot while it deploys, whoever drives it (aktualizr-lite's own lock is no sign: its
 * daemon holds it for as long as it runs). Mender: the payload's tree is there from download to commit, over the
 * reboot in between, and a reboot before the commit rolls back. RAUC: see `raucMarks`.
 */
// biome-ignore format: a table is read by its columns
export const UPDATE_MARKS: readonly Mark[] = [
  { name: "OSTree (rpm-ostree, bootc, aktualizr-lite)", path: "/ostree/lock",         sign: "locked" },
  { name: "OSTree (rpm-ostree, bootc, aktualizr-lite)", path: "/sysroot/ostree/lock", sign: "locked" },
  { name: "Mender", path: "/var/lib/mender/modules/v3/payloads/0000/tree",            sign: "exists" },
];

/** Where RAUC reads its configuration; the first that is there. */
export const RAUC_CONFIGS = ["/etc/rauc/system.conf", "/run/rauc/system.conf", "/usr/lib/rauc/system.conf"];

/**
 * RAUC makes the folder `bundle` below its mount prefix before it mounts a bundle there, and removes it after. The
 * folder shows also where its service has mounts of its own. Pure.
 * @param config text of its system.conf; null: there is no RAUC here
 */
export function raucMarks(config: string | null): Mark[] {
  if (config === null) return [];
  const set = /^\s*mountprefix\s*=\s*(\/[^\s;#]*)/m.exec(config)?.[1];
  const prefixes = new Set([
    "/mnt/rauc",
    "/run/rauc",
    "/run/rauc/mnt",
    ...(set ? [set.replace(/\/+$/, "")] : []),
  ]);
  return [...prefixes].map((prefix) => ({ name: "RAUC", path: `${prefix}/bundle`, sign: "this_boot" }));
}

const BUSY_FILE = /^(?:locked:)?\/[^\0\n]*[^\0\n/]$/;

/** An entry of `commands.busy_files`: an absolute path, or `locked:` before one. */
export function isBusyFile(text: string): boolean {
  return BUSY_FILE.test(text) && !text.split("/").includes("..");
}

/** A site's own: it waits while the file is there, with `locked:` while somebody has locked it. Pure. */
export function busyMark(text: string): Mark {
  const path = text.replace(/^locked:/, "");
  return { name: path, path, sign: path === text ? "exists" : "locked" };
}
