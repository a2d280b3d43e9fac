/**
 * Which daemons of Ceph this host is set up to run, from the names of its enabled units: those of packages
 * (`ceph-mon@a`), of cephadm (`ceph-FSID@mon.a`), for any user to see. OSDs: osds.ts.
 */
import type { Files } from "../system/files.ts";
import { enabledUnits } from "./units.ts";
import { UUID } from "./uuid.ts";

export interface CephDaemon {
  /** `mon`, `mgr`, `mds`, `rgw`, or another word of cephadm's: `nfs`, `iscsi`, `rbd-mirror`, … */
  readonly kind: string;
  readonly name: string;
}

const PACKAGED = /^ceph-(mon|mgr|mds|radosgw|rbd-mirror|cephfs-mirror|immutable-object-cache)@(.+)\.service$/;
const CEPHADM = new RegExp(`^ceph-${UUID}@([a-z][a-z-]{0,31})\\.(.+)\\.service$`);
const MAX_DAEMONS = 100;
const MAX_NAME = 128;

/** By kind and name, at most 100. Never throws. */
export function localDaemons(files: Files): CephDaemon[] {
  const found = new Map<string, CephDaemon>();
  for (const unit of enabledUnits(files)) {
    const [, word = "", name = ""] = PACKAGED.exec(unit) ?? CEPHADM.exec(unit) ?? [];
    if (word === "" || word === "osd") continue;
    const kind = word === "radosgw" ? "rgw" : word;
    const daemon = { kind, name: name.slice(0, MAX_NAME) };
    found.set(`${kind}.${daemon.name}`, daemon);
  }
  return [...found.values()]
    .sort((a, b) => (a.kind === b.kind ? (a.name < b.name ? -1 : 1) : a.kind < b.kind ? -1 : 1))
    .slice(0, MAX_DAEMONS);
}
