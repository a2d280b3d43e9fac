/** Names of enabled units: what stands in systemd's folders, directly or in some target's `.wants` or `.requires`. */
import type { Files } from "../system/files.ts";

/** Enabled for good, and for this boot only (ceph-volume). */
const UNIT_FOLDERS = ["/etc/systemd/system", "/run/systemd/system"];

/** Plain listings, a name as often as it stands there. Never throws. */
export function enabledUnits(files: Files): string[] {
  return UNIT_FOLDERS.flatMap((folder) =>
    files
      .list(folder)
      .flatMap((name) => (/\.(?:wants|requires)$/.test(name) ? files.list(`${folder}/${name}`) : [name])),
  );
}
