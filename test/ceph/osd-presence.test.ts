import { chmodSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { osdPresence } from "../../src/ceph/osd-presence.ts";
import { openFiles } from "../../src/system/files.ts";
import { layTree, loadTree, type Tree } from "../support/machine/tree.ts";

const FSID = "2f1d9bd4-6a8e-4d3c-9c1b-0a4a7a1f0c55";
const presence = (tree: Partial<Tree>) => osdPresence(openFiles(layTree({ files: {}, ...tree })));

describe("there are OSDs", () => {
  it.each<[string, Partial<Tree>]>([
    [
      "on a volume of ceph-volume",
      {
        files: {
          "/sys/block/dm-3/dm/name":
            "ceph--2f1d9bd4--6a8e--4d3c--9c1b--0a4a7a1f0c55-osd--block--5f0b1e02--8a3f--4b46--9df4--0f8a7b6f2f11\n",
        },
      },
    ],
    [
      "on a volume group of another name",
      { files: { "/sys/block/dm-0/dm/name": "vg0-osd--db--5f0b1e02--8a3f--4b46--9df4--0f8a7b6f2f11\n" } },
    ],
    ["on a raw disk", { files: { "/run/udev/data/b8:16": "S:disk/by-id/x\nE:ID_FS_TYPE=ceph_bluestore\n" } }],
    [
      "on a partition of ceph-disk",
      { files: { "/run/udev/data/b8:17": "E:ID_PART_ENTRY_TYPE=4FBD7E29-9D25-41B8-AFD0-062C0CEFF05D\n" } },
    ],
    [
      "encrypted without a volume",
      {
        files: { "/sys/block/dm-1/dm/name": "ceph-5f0b1e02-8a3f-4b46-9df4-0f8a7b6f2f11-sdb-block-dmcrypt\n" },
      },
    ],
    ["as a socket of one that runs", { files: { "/run/ceph/ceph-osd.4.asok": "" } }],
    ["as a socket of one in a container", { files: { [`/run/ceph/${FSID}/ceph-osd.4.asok`]: "" } }],
    ["as a folder of the snap", { files: { "/var/snap/microceph/common/data/osd/ceph-1/whoami": "1\n" } }],
    [
      "as a unit of NixOS",
      { files: { "/etc/systemd/system/multi-user.target.wants/ceph-osd-3.service": "" } },
    ],
    ["as a folder", { files: { "/var/lib/ceph/osd/ceph-3/whoami": "3\n" } }],
    ["as a folder of cephadm", { files: { [`/var/lib/ceph/${FSID}/osd.0/whoami`]: "0\n" } }],
    [
      "as a unit that ceph-volume enabled",
      { links: { "/run/systemd/system/ceph-osd.target.wants/ceph-osd@0.service": "/lib/x" } },
    ],
    [
      "as a unit that starts a volume",
      { files: { "/etc/systemd/system/multi-user.target.wants/ceph-volume@lvm-0-5f0b.service": "" } },
    ],
    [
      "as a unit of cephadm",
      { files: { [`/etc/systemd/system/ceph-${FSID}.target.wants/ceph-${FSID}@osd.12.service`]: "" } },
    ],
  ])("%s", (_name, tree) => {
    expect(presence(tree)).toEqual({ is: "yes" });
  });
});

describe("there are none", () => {
  it.each<[string, Partial<Tree>]>([
    ["on a bare host", {}],
    [
      "with a client's configuration only",
      { files: { "/etc/ceph/ceph.conf": "", "/etc/ceph/ceph.client.x.keyring": "" } },
    ],
    ["with the packages' empty folders", { folders: ["/var/lib/ceph/osd", "/var/lib/ceph/mon"] }],
    [
      "with a mon and units of others",
      {
        files: {
          [`/var/lib/ceph/${FSID}/mon.a/kv_backend`]: "",
          "/etc/systemd/system/ceph-mon.target.wants/ceph-mon@a.service": "",
          [`/etc/systemd/system/ceph-${FSID}.target.wants/ceph-${FSID}@mon.a.service`]: "",
          "/etc/systemd/system/multi-user.target.wants/ceph-osd.target": "",
        },
      },
    ],
    [
      "with disks and volumes of other kinds",
      {
        files: {
          "/sys/block/dm-0/dm/name": "cephalon-root\n",
          "/sys/block/dm-1/dm/name": "vg-ceph--iso\n",
          "/run/udev/data/b8:1":
            "E:ID_FS_TYPE=ext4\nE:ID_PART_ENTRY_TYPE=0fc63daf-8483-4772-8e79-3d69d8477de4\n",
          "/run/udev/data/c1:1": "E:ID_FS_TYPE=ceph_bluestore\n",
        },
      },
    ],
  ])("%s", (_name, tree) => {
    expect(presence(tree)).toEqual({ is: "no" });
  });
});

it.each([
  ["ceph-node", "yes"],
  ["pi4", "no"],
  ["vm", "no"],
  ["vm-hardened", "no"],
  ["container", "no"],
])("the machine %s: %s", (name, is) => {
  expect(presence(loadTree(name, ["drives", "captured"]))).toEqual({ is });
});

it("can't be told where Rook keeps data", () => {
  expect(presence({ folders: ["/var/lib/rook"] })).toEqual({
    is: "unknown",
    why: "Rook keeps data in /var/lib/rook",
  });
});

it("can't be told where /var/lib/ceph is closed, unless something else tells", () => {
  const errors = { "/var/lib/ceph/osd": "EACCES" };
  const closed = (files: Record<string, string>) =>
    osdPresence(openFiles(layTree({ files, folders: ["/var/lib/ceph"] }), errors));
  expect(closed({})).toEqual({ is: "unknown", why: "/var/lib/ceph is closed to this user" });
  expect(closed({ "/run/udev/data/b8:16": "E:ID_FS_TYPE=ceph_bluestore\n" })).toEqual({ is: "yes" });
});

it.runIf(process.getuid?.() !== 0)("can't be told where a real folder is closed", () => {
  const root = layTree({ files: {}, folders: ["/var/lib/ceph/osd"] });
  chmodSync(join(root, "var/lib/ceph"), 0);
  onTestFinished(() => chmodSync(join(root, "var/lib/ceph"), 0o700));
  expect(osdPresence(openFiles(root)).is).toBe("unknown");
});

it.each(["EIO", "ESTALE", "EACCES"])("can't tell where a folder answers %s", (code) => {
  const root = layTree({ files: {}, folders: ["/var/lib/ceph/osd"] });
  expect(osdPresence(openFiles(root, { "/var/lib/ceph/osd": code }))).toMatchObject({ is: "unknown" });
});
