/**
 * Whether Ceph OSDs live on this host, from the traces that ceph-volume, ceph-disk, cephadm and Rook leave where any
 * user may look. No trace at all is a no; a folder that is closed to us and could hold one is an unknown, which the
 * callers take for a yes.
 */
import type { Files } from "../system/files.ts";
import { enabledUnits } from "./units.ts";
import { UUID } from "./uuid.ts";

export type OsdPresence = { readonly is: "yes" | "no" } | { readonly is: "unknown"; readonly why: string };

/** GPT types that ceph-disk gave the parts of an OSD: data, journal, block, block.db, block.wal, being made; LUKS and plain dm-crypt. */
const PARTITION_TYPES = new Set([
  "4fbd7e29-9d25-41b8-afd0-062c0ceff05d",
  "4fbd7e29-9d25-41b8-afd0-5ec00ceff05d",
  "4fbd7e29-9d25-41b8-afd0-35865ceff05d",
  "45b0969e-9b03-4f30-b4c6-b4b80ceff106",
  "45b0969e-9b03-4f30-b4c6-5ec00ceff106",
  "45b0969e-9b03-4f30-b4c6-35865ceff106",
  "cafecafe-9b03-4f30-b4c6-b4b80ceff106",
  "cafecafe-9b03-4f30-b4c6-5ec00ceff106",
  "cafecafe-9b03-4f30-b4c6-35865ceff106",
  "30cd0809-c2b2-499c-8879-2d6b78529876",
  "5ce17fce-4087-4169-b7ff-056cc58473f9",
  "89c57f98-2fe5-4dc0-89c1-f3ad0ceff2be",
]);
const FSID = new RegExp(`^${UUID}$`);
const UNIT = new RegExp(`^(?:ceph-osd[@-]\\d+|ceph-volume@(?:lvm|simple)-|ceph-${UUID}@osd\\.)`);
const DATA = "/var/lib/ceph";
const ROOK = "/var/lib/rook";
/** Of the snap microceph, whose drives may be whole and encrypted: nothing else names them. */
const SNAP = "/var/snap/microceph/common/data";
/** Sockets of daemons that run, whatever started them: root looks in; others know too little without it already. */
const SOCKETS = "/run/ceph";

/** Plain reads, no device is opened. Never throws. */
export function osdPresence(files: Files): OsdPresence {
  if (onVolumes(files) || onDevices(files) || asUnits(files) || asSockets(files)) return { is: "yes" };
  const doubts = [inData(files), inRook(files), inSnap(files)];
  if (doubts.includes("yes")) return { is: "yes" };
  if (doubts[0] === "unknown") return { is: "unknown", why: `${DATA} is closed to this user` };
  if (doubts[1] === "unknown") return { is: "unknown", why: `Rook keeps data in ${ROOK}` };
  if (doubts[2] === "unknown") return { is: "unknown", why: `${SNAP} is closed to this user` };
  return { is: "no" };
}

/**
 * ceph-volume names its volume groups ceph-<uuid>; device-mapper doubles the hyphens of a name. What it and Rook encrypt
 * without a volume is `…-block-dmcrypt`.
 */
function onVolumes(files: Files): boolean {
  return files.list("/sys/block").some((name) => {
    if (!name.startsWith("dm-")) return false;
    const volume = files.text(`/sys/block/${name}/dm/name`) ?? "";
    return /^ceph--[0-9a-f]{8}--|-osd--(?:block|data|db|wal|journal)--|-(?:block|db|wal)-dmcrypt$/.test(
      volume,
    );
  });
}

/** What udev's blkid saw on disks and partitions. */
function onDevices(files: Files): boolean {
  return files.list("/run/udev/data").some((name) => {
    if (!/^b\d+:\d+$/.test(name)) return false;
    const text = files.text(`/run/udev/data/${name}`) ?? "";
    if (!text.includes("ID_FS_TYPE=ceph_") && !text.includes("ID_PART_ENTRY_TYPE=")) return false;
    if (/^E:ID_FS_TYPE=ceph_bluestore$/m.test(text)) return true;
    const type = /^E:ID_PART_ENTRY_TYPE=(\S+)$/m.exec(text)?.[1];
    return type !== undefined && PARTITION_TYPES.has(type.toLowerCase());
  });
}

/** Units of single OSDs: enabled by ceph-volume (under /run) or by cephadm, directly or in some target's `.wants`. */
function asUnits(files: Files): boolean {
  return enabledUnits(files).some((name) => UNIT.test(name));
}

/** Packages make the folder, closed to others; OSDs are osd/ceph-N in it, with cephadm <fsid>/osd.N. */
function inData(files: Files): "yes" | "no" | "unknown" {
  const present = files.presence(`${DATA}/osd`);
  if (present === "denied") return "unknown";
  const clusters = files.list(DATA).filter((name) => FSID.test(name));
  if (files.list(`${DATA}/osd`).some((name) => /^[a-z0-9]+-\d+$/i.test(name))) return "yes";
  if (clusters.some((fsid) => files.list(`${DATA}/${fsid}`).some((name) => /^osd\.\d+$/.test(name))))
    return "yes";
  const closed = [`${DATA}/osd`, ...clusters.map((fsid) => `${DATA}/${fsid}`)];
  return closed.some((folder) => files.presence(`${folder}/x`) === "denied") ? "unknown" : "no";
}

function asSockets(files: Files): boolean {
  const names = files.list(SOCKETS);
  const inside = names.filter((name) => FSID.test(name)).flatMap((fsid) => files.list(`${SOCKETS}/${fsid}`));
  return [...names, ...inside].some((name) => /^[\w-]+-osd\.\d+\.asok$/.test(name));
}

function inSnap(files: Files): "yes" | "no" | "unknown" {
  if (files.list(`${SNAP}/osd`).some((name) => /^[a-z0-9]+-\d+$/i.test(name))) return "yes";
  return files.presence(`${SNAP}/osd/x`) === "denied" ? "unknown" : "no";
}

/** Its OSDs on raw devices leave nothing else on the host that is sure to be seen. */
function inRook(files: Files): "no" | "unknown" {
  return files.presence(ROOK) === "no" ? "no" : "unknown";
}
