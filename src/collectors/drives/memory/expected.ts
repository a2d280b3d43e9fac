/**
 * Whether a drive that leaves is missed. What is fixed in the machine is expected to stay; what is made to come and
 * go (USB, SD cards, virtual disks, disks over a network) only while something of this host is on it: an OSD, a
 * mount, swap, a member of LVM, md or a file system over several drives. Pure.
 */
import type { Drive } from "../schema.ts";

type Kind = Pick<Drive, "id" | "type" | "transport" | "hotplug">;
type Load = Partial<
  Pick<Drive, "mounts" | "swap" | "osd_ids" | "holders" | "fstype" | "partitions" | "transport" | "hotplug">
>;

// What a udev probe calls a member that nobody keeps on a medium to carry about; others count once they are opened.
const MEMBERS = new Set([
  "LVM2_member",
  "linux_raid_member",
  "ddf_raid_member",
  "isw_raid_member",
  "ceph_bluestore",
  "bcache",
  "drbd",
  "stratis",
  "DM_snapshot_cow",
]);
/** Of media that a desktop mounts (udisks), and volumes that a container platform attaches and takes away itself. */
const FLEETING = /^\/(?:run\/media\/|media\/[^/]+\/[^/]|var\/lib\/(?:kubelet|docker\/plugins|rancher)\/)/;
const MAX_WORDS = 4;
const MAX_LENGTH = 160;

/** Whether this kind of drive stays where it is put. Not told without an id of its own: it is the place's. */
export function isFixed({ id, type, transport, hotplug }: Kind): boolean {
  if (hotplug || type === "virtual" || id.startsWith("path-")) return false;
  return !/^(?:iscsi|fc|nvme-.*)$/.test(transport ?? "");
}

/** What of this host is on the drive, in a few words ("osd.3, /srv"); null when it is free to go. */
export function loadOf(drive: Load): string | null {
  const { mounts = [], swap = [], osd_ids: osds = [], holders = [], partitions = [] } = drive;
  const places = mounts.map(({ mountpoint }) => mountpoint).filter((place) => !FLEETING.test(place));
  const tops = holders
    .filter(({ name }) => !holders.some(({ on }) => on === name))
    .map(({ kind, label, name }) => `${kind} ${label ?? name}`);
  const words = [
    ...osds.map((id) => `osd.${id}`),
    ...places,
    ...(swap.length > 0 ? ["swap"] : []),
    // A mount says more than what it stands on; a fleeting one says that what it stands on is fleeting too.
    ...(mounts.length === 0 ? tops : []),
  ];
  if (words.length === 0) {
    const types = [drive.fstype, ...partitions.map(({ fstype }) => fstype)];
    words.push(...types.filter((type) => type != null && MEMBERS.has(type)).map((type) => type as string));
  }
  const distinct = [...new Set(words)];
  if (distinct.length === 0) return null;
  const more = distinct.length > MAX_WORDS ? ` and ${distinct.length - MAX_WORDS} more` : "";
  return `${distinct.slice(0, MAX_WORDS).join(", ")}${more}`.slice(0, MAX_LENGTH);
}
