/**
 * Whether a path still leads to what was mounted there. A later mount over it, or over a folder above it, covers it:
 * statfs(2) would answer for the other one, wait for a server, or have an automount mount something. Pure.
 */
import type { MountLine } from "../../../system/mountinfo.ts";

/** Code of the reason why a mount is not to be asked through its path; null: it may be. */
export type Unreachable = "covered" | "behind_network" | null;

/** What is behind these may never answer. */
export function isRemote(fstype: string): boolean {
  return /^(?:nfs4?|cifs|smb3?|smbfs|ceph|9p|afs|lustre|beegfs|gpfs|panfs|ncpfs|coda|fuse(?:\..*)?)$/.test(
    fstype,
  );
}

/** Answers for the mounts of one table, in the kernel's order. */
export function coverage(lines: readonly MountLine[]): (line: MountLine) => Unreachable {
  const byId = new Map(lines.map((line) => [line.id, line]));
  const order = new Map(lines.map((line, index) => [line, index]));

  /** Whether `line` is mounted, over however many others, on `other`. */
  function standsOn(line: MountLine, other: MountLine): boolean {
    const seen = new Set<MountLine>();
    let below = byId.get(line.parent);
    while (below !== undefined && !seen.has(below)) {
      if (below === other) return true;
      seen.add(below);
      below = byId.get(below.parent);
    }
    return false;
  }

  function covers(other: MountLine, line: MountLine): boolean {
    if (other === line || !isAtOrAbove(other.mountpoint, line.mountpoint)) return false;
    if (other.mountpoint === line.mountpoint && other.parent === line.id) return true;
    return (order.get(other) ?? 0) > (order.get(line) ?? 0) && !standsOn(line, other);
  }

  return (line) => {
    if (lines.some((other) => covers(other, line))) return "covered";
    const behind = lines.some(
      ({ fstype, mountpoint }) =>
        isRemote(fstype) &&
        mountpoint !== "/" &&
        mountpoint !== line.mountpoint &&
        isAtOrAbove(mountpoint, line.mountpoint),
    );
    return behind ? "behind_network" : null;
  };
}

function isAtOrAbove(folder: string, path: string): boolean {
  return folder === "/" || path === folder || path.startsWith(`${folder}/`);
}
