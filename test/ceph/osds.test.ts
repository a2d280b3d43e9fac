/** Which OSDs are on which drive, from what any user may see and from what root may. */
import { expect, it } from "vitest";
import { localOsds, osdsOn } from "../../src/ceph/osds.ts";
import { openFiles } from "../../src/system/files.ts";
import { layTree, type Tree } from "../support/machine/tree.ts";

const A = "5f0b1e02-8a3f-4b46-9df4-0f8a7b6f2f11";
const B = "6f0b1e02-8a3f-4b46-9df4-0f8a7b6f2f12";
const CLUSTER = "2f1d9bd4-6a8e-4d3c-9c1b-0a4a7a1f0c55";
const osds = (tree: Partial<Tree>) => localOsds(openFiles(layTree({ files: {}, ...tree })));
const mangled = (part: string, uuid: string): string => `ceph--x-osd--${part}--${uuid.replaceAll("-", "--")}`;

it("the units that ceph-volume enables name id and volume for every user", () => {
  const found = osds({
    files: {
      [`/etc/systemd/system/multi-user.target.wants/ceph-volume@lvm-7-${A}.service`]: "",
      [`/etc/systemd/system/multi-user.target.wants/ceph-volume@lvm-12-${B}.service`]: "",
      "/run/systemd/system/ceph-osd.target.wants/ceph-osd@7.service": "",
      "/etc/systemd/system/multi-user.target.wants/ssh.service": "",
    },
  });
  expect(found).toEqual([
    { id: 7, uuid: A, devices: [] },
    { id: 12, uuid: B, devices: [] },
  ]);
  expect(osdsOn(found, ["sdb", mangled("block", A)])).toEqual([7]);
  expect(osdsOn(found, ["nvme0n1", mangled("db", A), mangled("db", B)])).toEqual([7, 12]);
  expect(osdsOn(found, ["sda", "vg0-root"])).toEqual([]);
});

it("the folders of cephadm, which only root may open, name devices of every kind", () => {
  const found = osds({
    files: {
      "/var/lib/ceph/osd/ceph-9/fsid": `${B}\n`,
      [`/var/lib/ceph/${CLUSTER}/osd.3/fsid`]: `${A}\n`,
      [`/var/lib/ceph/${CLUSTER}/osd.4/fsid`]: "no uuid\n",
      [`/var/lib/ceph/${CLUSTER}/mon.a/x`]: "",
    },
    links: {
      [`/var/lib/ceph/${CLUSTER}/osd.3/block`]: "/dev/ceph-x/osd-block-1",
      [`/var/lib/ceph/${CLUSTER}/osd.3/block.db`]: "/dev/mapper/fast-db",
      [`/var/lib/ceph/${CLUSTER}/osd.4/block`]: "/dev/sdc1",
      [`/var/lib/ceph/${CLUSTER}/osd.4/block.wal`]: "../elsewhere",
    },
  });
  expect(found).toEqual([
    { id: 3, uuid: A, devices: ["ceph--x-osd--block--1", "fast-db"] },
    { id: 4, uuid: null, devices: ["sdc1"] },
    // A mount, perhaps on the drive that hangs: known by its name, and not looked into.
    { id: 9, uuid: null, devices: [] },
  ]);
  expect(osdsOn(found, ["sdc", "sdc1"])).toEqual([4]);
  expect(osdsOn(found, ["nvme0n1", "fast-db"])).toEqual([3]);
});

it("a unit of cephadm tells that there is one, and a host without Ceph that there is none", () => {
  const unit = `/etc/systemd/system/ceph-${CLUSTER}.target.wants/ceph-${CLUSTER}@osd.12.service`;
  expect(osds({ files: { [unit]: "" } })).toEqual([{ id: 12, uuid: null, devices: [] }]);
  expect(osds({ folders: ["/var/lib/ceph/osd"] })).toEqual([]);
});

it("a unit of NixOS names its OSD too", () => {
  const unit = "/etc/systemd/system/multi-user.target.wants/ceph-osd-3.service";
  expect(osds({ files: { [unit]: "" } })).toEqual([{ id: 3, uuid: null, devices: [] }]);
});

it("what is mounted for an OSD tells its id to any user, also where neither unit nor folder does", () => {
  const mount = (at: string): string =>
    `200 29 0:60 / ${at} rw,relatime shared:100 - tmpfs tmpfs rw,inode64\n`;
  const mounts = [
    "/var/lib/ceph/osd/ceph-0",
    "/var/lib/ceph/osd/site-17",
    "/srv/osd/ceph-9",
    "/var/lib/ceph/osd",
  ];
  expect(osds({ files: { "/proc/self/mountinfo": mounts.map(mount).join("") } })).toEqual([
    { id: 0, uuid: null, devices: [] },
    { id: 17, uuid: null, devices: [] },
  ]);
});
