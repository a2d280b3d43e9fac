/** Daemons and drives of this host's Ceph, from what any user may see. */
import { expect, it } from "vitest";
import { localDaemons } from "../../src/ceph/daemons.ts";
import { drivesUnder } from "../../src/ceph/drives-under.ts";
import { localOsds } from "../../src/ceph/osds.ts";
import { openFiles } from "../../src/system/files.ts";
import { layTree, type Tree } from "../support/machine/tree.ts";

const A = "5f0b1e02-8a3f-4b46-9df4-0f8a7b6f2f11";
const CLUSTER = "2f1d9bd4-6a8e-4d3c-9c1b-0a4a7a1f0c55";
const WANTS = "/etc/systemd/system/multi-user.target.wants";
const files = (tree: Partial<Tree>) => openFiles(layTree({ files: {}, ...tree }));

it("names daemons of packages and of cephadm, each once, and no OSD among them", () => {
  const found = localDaemons(
    files({
      files: {
        "/etc/systemd/system/ceph-mon.target.wants/ceph-mon@a.service": "",
        "/run/systemd/system/ceph-mon.target.wants/ceph-mon@a.service": "",
        "/etc/systemd/system/ceph-radosgw.target.wants/ceph-radosgw@rgw.gw1.service": "",
        [`/etc/systemd/system/ceph-${CLUSTER}.target.wants/ceph-${CLUSTER}@mgr.node1.abcdef.service`]: "",
        [`/etc/systemd/system/ceph-${CLUSTER}.target.wants/ceph-${CLUSTER}@osd.3.service`]: "",
        "/run/systemd/system/ceph-osd.target.wants/ceph-osd@7.service": "",
        [`${WANTS}/ceph.target`]: "",
        [`${WANTS}/ceph-volume@lvm-7-${A}.service`]: "",
      },
    }),
  );
  expect(found).toEqual([
    { kind: "mgr", name: "node1.abcdef" },
    { kind: "mon", name: "a" },
    { kind: "rgw", name: "rgw.gw1" },
  ]);
  expect(localDaemons(files({}))).toEqual([]);
});

it("follows an OSD through LVM, dm-crypt, multipath and a partition to whole drives", () => {
  const disk = "/sys/devices/pci0/ata1/block";
  const virtual = "/sys/devices/virtual/block";
  const machine = files({
    files: {
      [`${WANTS}/ceph-volume@lvm-7-${A}.service`]: "",
      [`${disk}/sda/size`]: "1",
      [`${disk}/sdb/size`]: "1",
      [`${disk}/nvme0n1/nvme0n1p2/partition`]: "2",
      [`${virtual}/dm-0/dm/name`]: "mpatha",
      [`${virtual}/dm-1/dm/name`]: "secret",
      [`${virtual}/dm-2/dm/name`]: `ceph--x-osd--block--${A.replaceAll("-", "--")}`,
      [`${virtual}/dm-3/dm/name`]: `ceph--db-osd--db--${A.replaceAll("-", "--")}`,
      [`${virtual}/dm-4/dm/name`]: "vg0-root",
    },
    links: {
      ...Object.fromEntries(
        [0, 1, 2, 3, 4].flatMap((n) => [
          [`/sys/block/dm-${n}`, `../devices/virtual/block/dm-${n}`],
          [`/sys/class/block/dm-${n}`, `../../devices/virtual/block/dm-${n}`],
        ]),
      ),
      "/sys/class/block/sda": "../../devices/pci0/ata1/block/sda",
      "/sys/class/block/sdb": "../../devices/pci0/ata1/block/sdb",
      "/sys/class/block/nvme0n1p2": "../../devices/pci0/ata1/block/nvme0n1/nvme0n1p2",
      [`${virtual}/dm-0/slaves/sda`]: "x",
      [`${virtual}/dm-0/slaves/sdb`]: "x",
      [`${virtual}/dm-1/slaves/dm-0`]: "x",
      [`${virtual}/dm-2/slaves/dm-1`]: "x",
      [`${virtual}/dm-3/slaves/nvme0n1p2`]: "x",
      [`${virtual}/dm-4/slaves/sdz`]: "x",
    },
  });
  expect([...drivesUnder(machine, localOsds(machine))]).toEqual([[7, ["nvme0n1", "sda", "sdb"]]]);
  expect([...drivesUnder(files({}), [{ id: 1, uuid: null, devices: ["sdq1"] }])]).toEqual([]);
});
