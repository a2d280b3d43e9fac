/**
 * The shape of the section `drives`, as it goes over every wire. Types are inferred from it, so the shape is
 * written down once; a reader of the code finds here what each field means and in which unit.
 */
import * as v from "valibot";

const text = (description: string) => v.pipe(v.nullable(v.string()), v.description(description));
const count = (description: string) => v.pipe(v.nullable(v.number()), v.description(description));
const flag = (description: string) => v.pipe(v.nullable(v.boolean()), v.description(description));

const slotFields = {
  enclosure: text("Stable id of the enclosure (its logical id), or the kernel's name of it"),
  slot: text("Slot or bay in the enclosure; for NVMe the name of the PCI slot"),
};

const pathSchema = v.object({
  name: v.pipe(v.string(), v.description("Kernel name of this way to the drive: sda, nvme0c0n1")),
  address: text(
    "SAS address of the port, PCI address of the NVMe controller, else SCSI host:channel:target:lun",
  ),
  by_path: text("udev's name of the way there (ID_PATH): pci-0000:00:17.0-ata-1"),
  state: text("As the kernel says: running, offline, blocked (SCSI); live, resetting, dead (NVMe)"),
});

const partitionSchema = v.object({
  name: v.string(),
  size_bytes: v.nullable(v.number()),
  fstype: text("What udev found in it: ext4, LVM2_member, crypto_LUKS, ceph_bluestore"),
  label: v.nullable(v.string()),
});

const HOLDER_KINDS = [
  ...(["lvm", "crypt", "md", "multipath", "partition", "integrity", "verity", "vdo", "stratis"] as const),
  ...(["dmraid", "bcache", "drbd", "zfs", "dm", "other"] as const),
] as const;

const holderSchema = v.object({
  name: v.pipe(v.string(), v.description("Kernel name: dm-0, md127; a pool's own")),
  kind: v.pipe(
    v.picklist(HOLDER_KINDS),
    v.description("What is built on the drive; partition: one of a map; zfs: a pool in use"),
  ),
  label: text("Name of the device-mapper device"),
  level: text("RAID level of md"),
  degraded: count("Members that md lacks"),
  on: v.pipe(
    v.string(),
    v.description("Kernel name of the device directly below: drive, partition or other holder"),
  ),
  size_bytes: v.nullable(v.number()),
});

const mountSchema = v.object({
  device: v.pipe(v.string(), v.description("As mounted: /dev/sda1, /dev/mapper/vg-root")),
  mountpoint: v.string(),
  fstype: v.string(),
  read_only: v.pipe(
    v.boolean(),
    v.description("State of the file system itself, not of this one mount of it"),
  ),
  read_only_expected: flag("From fstab, the kind of file system or the mount's own options; null: not known"),
  size_bytes: v.nullable(v.number()),
  used_bytes: v.nullable(v.number()),
  available_bytes: count("To unprivileged users"),
  files: count("Inodes; null or 0: the file system makes them as needed"),
  files_free: count("Inodes that are free"),
  use_problem: text("Code of the reason why size and use are not known"),
  errors: count("Errors ext4 counted since the last fsck; null: no ext4"),
  first_error_at: text("RFC 3339, of the oldest of these errors"),
});

const swapSchema = v.object({
  device: v.string(),
  size_bytes: v.number(),
  used_bytes: v.number(),
});

const ioSchema = v.object({
  reads_completed: v.number(),
  read_bytes: v.number(),
  read_ms: v.number(),
  writes_completed: v.number(),
  written_bytes: v.number(),
  write_ms: v.number(),
  in_flight: v.pipe(v.number(), v.description("Requests under way now")),
  io_ms: v.pipe(v.number(), v.description("Time with at least one request under way")),
  weighted_io_ms: v.number(),
});

const mmcSchema = v.object({
  kind: text("SD or MMC (eMMC)"),
  manfid: v.nullable(v.string()),
  cid: v.nullable(v.string()),
  life_used_percent: count(
    "eMMC's own estimate in steps of 10, the worse of its two; 110: beyond its life; SD: null",
  ),
  reserve: v.pipe(
    v.nullable(v.picklist(["normal", "warning", "urgent"])),
    v.description("eMMC pre_eol_info: reserved blocks; warning: 80 % used up"),
  ),
});

const driveSchema = v.object({
  id: v.pipe(v.string(), v.description("Stays over reboots: wwn-…, else serial-…, else path-…")),
  name: v.pipe(v.string(), v.description("Kernel name of its first path")),
  model: v.nullable(v.string()),
  vendor: v.nullable(v.string()),
  serial: v.nullable(v.string()),
  firmware: v.nullable(v.string()),
  wwn: text("0x… (NAA), eui.…, uuid.… or nvme.…"),
  size_bytes: v.nullable(v.number()),
  type: v.nullable(v.picklist(["nvme", "ssd", "hdd", "mmc", "virtual"])),
  transport: text("nvme, nvme-tcp, sata, sas, usb, virtio, xen, mmc, iscsi, fc, scsi"),
  rotational: v.nullable(v.boolean()),
  logical_block_bytes: v.nullable(v.number()),
  physical_block_bytes: v.nullable(v.number()),
  removable: flag("The medium can be taken out of the device"),
  hotplug: v.pipe(
    v.boolean(),
    v.description("Made to come and go (USB, SD card, removable medium): missed only when it was in use"),
  ),
  write_protected: flag("The kernel refuses writes to the block device"),
  ...slotFields,
  enclosure_model: v.nullable(v.string()),
  state: v.pipe(
    v.nullable(v.picklist(["online", "degraded", "waiting", "offline"])),
    v.description(
      "degraded: not all paths take requests; waiting: none does now, and the kernel still tries; offline: it has given up; null: it has no such state",
    ),
  ),
  answering: v.pipe(v.boolean(), v.description("false: a question to the drive was never answered")),
  paths: v.array(pathSchema),
  fstype: text("What udev found on the whole drive"),
  partitions: v.array(partitionSchema),
  holders: v.array(holderSchema),
  osd_ids: v.pipe(
    v.array(v.number()),
    v.description("Ceph OSDs that have data, DB or WAL on it, as far as this user may know which they are"),
  ),
  mounts: v.array(mountSchema),
  swap: v.array(swapSchema),
  io: v.pipe(v.nullable(ioSchema), v.description("Since boot, all paths together")),
  temperature_c: v.nullable(v.number()),
  temperature_problem: text("Code of the reason why a sensor that is there gave nothing"),
  mmc: v.nullable(mmcSchema),
});

const knownFields = {
  id: v.string(),
  serial: v.nullable(v.string()),
  model: v.nullable(v.string()),
  last_name: v.pipe(v.string(), v.description("Kernel name when it was last there")),
  ...slotFields,
  size_bytes: v.nullable(v.number()),
  carried: text("What of this host was on it when it was last seen: osd.3, /srv"),
};

const missingSchema = v.object({
  ...knownFields,
  since: v.pipe(v.string(), v.description("RFC 3339, when its absence was noticed")),
});

const historySchema = v.object({
  seq: v.pipe(v.number(), v.description("Rises by one each, over restarts")),
  at: v.pipe(v.string(), v.description("RFC 3339")),
  what: v.picklist(["missing", "added", "returned", "replaced", "moved"]),
  ...knownFields,
  replaced_by: text("Id of the drive that is in its slot now"),
  from_enclosure: text("Of one that moved: where it was before"),
  from_slot: text("Of one that moved: its slot before"),
});

const arraySchema = v.object({
  name: v.pipe(v.string(), v.description("Kernel name: md127")),
  level: text("raid1, raid5; container: a set of drives whose volumes are arrays of their own"),
  state: text("The kernel's array_state: clean, active, inactive, read-auto, broken"),
  sync_action: text(
    "idle, resync, recover, check, repair, reshape, frozen; null: a level without redundancy",
  ),
  sync_done_bytes: count("Of each member, of what goes on now"),
  sync_total_bytes: v.nullable(v.number()),
  raid_disks: count("Members it should have"),
  degraded: count("Members it lacks, or that are not up to date yet"),
  size_bytes: v.nullable(v.number()),
  members: v.array(
    v.object({
      name: v.pipe(v.string(), v.description("Kernel name: sda1")),
      state: text("The kernel's words: in_sync, spare, faulty, write_error, want_replacement, journal"),
      slot: count("Its number in the array; null: it has none, as a spare that waits"),
    }),
  ),
});

const poolSchema = v.object({
  kind: v.picklist(["zfs", "btrfs", "bcachefs"]),
  name: v.pipe(v.string(), v.description("Of the pool; else the file system's UUID")),
  state: text("zfs: ONLINE, DEGRADED, SUSPENDED, … as the kernel module says"),
  missing_devices: count("Members of btrfs that are gone"),
  errors: count("Errors btrfs counted on its members since somebody reset them"),
  devices: v.pipe(v.array(v.string()), v.description("Kernel names of its members that are there")),
});

const strandedSchema = v.object({
  kind: v.pipe(v.picklist(["mount", ...HOLDER_KINDS]), v.description("As of a holder; mount: a file system")),
  name: v.pipe(v.string(), v.description("Kernel name, or mount point")),
  label: text("Name of the device-mapper device"),
  on: v.pipe(v.string(), v.description("Kernel name of the device that is gone")),
});

const totalSchema = v.object({ count: v.number(), bytes: v.number() });

export const drivesSchema = v.object({
  drives: v.array(driveSchema),
  totals: v.pipe(
    v.object({ hdd: totalSchema, flash: totalSchema }),
    v.description("Drives that are there; flash: SSD, NVMe, eMMC and SD; virtual disks are neither"),
  ),
  arrays: v.pipe(v.array(arraySchema), v.description("Linux software RAID (md)")),
  pools: v.pipe(
    v.array(poolSchema),
    v.description("File systems over one or several drives that are in use"),
  ),
  stranded: v.pipe(
    v.array(strandedSchema),
    v.description("What still stands on a device that is gone; its drive may be back under another name"),
  ),
  missing: v.array(missingSchema),
  history: v.pipe(v.array(historySchema), v.description("The last 20 comings and goings, oldest first")),
  history_base: v.pipe(v.number(), v.description("Highest seq before the agent started")),
});

export type DrivesData = v.InferOutput<typeof drivesSchema>;
export type Drive = DrivesData["drives"][number];
export type DrivePath = Drive["paths"][number];
export type DriveMount = Drive["mounts"][number];
export type DriveSwap = Drive["swap"][number];
export type DriveHolder = Drive["holders"][number];
export type DrivePartition = Drive["partitions"][number];
export type DriveIo = v.InferOutput<typeof ioSchema>;
export type MmcFacts = v.InferOutput<typeof mmcSchema>;
export type MdArray = DrivesData["arrays"][number];
export type Pool = DrivesData["pools"][number];
export type Stranded = DrivesData["stranded"][number];
export type MissingDrive = DrivesData["missing"][number];
export type HistoryEntry = DrivesData["history"][number];
