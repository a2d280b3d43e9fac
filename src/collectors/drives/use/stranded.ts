/**
 * What still stands on a device that is gone. A drive on USB that resets comes back under another name, and for the
 * kernel as another drive: volumes and mounts stay on the one that went, and nothing on them can be read any more.
 */
import type { Files } from "../../../system/files.ts";
import type { Scan } from "../scan/assemble.ts";
import type { Pool, Stranded } from "../schema.ts";
import { baseName } from "../text.ts";
import type { Mount } from "./mounts.ts";

const MAX = 256;

/** By what the kernel lists; a member that a pool or an array lacks is their own affair. */
export function readStranded(
  files: Files,
  scan: Scan,
  mounts: readonly Mount[],
  pools: readonly Pool[],
): Stranded[] {
  const volumes = scan.stacked.flatMap(({ name, kind, label, slaves }) =>
    kind === "md"
      ? []
      : slaves.filter((on) => !scan.present.has(on)).map((on): Stranded => ({ kind, name, label, on })),
  );
  const places = mounts.flatMap((mount): Stranded[] => {
    const on = goneUnder(files, scan, mount, pools);
    return on === null ? [] : [{ kind: "mount", name: mount.mountpoint, label: null, on }];
  });
  return [...volumes, ...places].slice(0, MAX);
}

function goneUnder(files: Files, scan: Scan, mount: Mount, pools: readonly Pool[]): string | null {
  if (!mount.source.startsWith("/dev/")) return null;
  const name = baseName(mount.source);
  if (scan.names.has(mount.dev) || scan.present.has(name)) return null;
  if (mount.dev.startsWith("0:")) {
    // Where a pool has other members it lacks one, and that is said of the pool.
    const alone = /^(?:btrfs|bcachefs)$/.test(mount.fstype) && !mount.source.includes(":");
    const lacking = pools.some(({ kind, devices }) => kind === mount.fstype && devices.length === 0);
    return alone && lacking ? name : null;
  }
  const known = files.presence("/sys/dev/block") === "yes";
  return known && files.presence(`/sys/dev/block/${mount.dev}`) === "no" ? name : null;
}
