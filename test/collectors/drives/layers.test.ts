/** What is stacked on drives, drives with several controllers, and devices that are no drives. */
import { describe, expect, it } from "vitest";
import { drivesCollector } from "../../../src/collectors/drives/drives.ts";
import { addBlock, addStacked, linksOf } from "../../support/drives/block-tree.ts";
import { collectDrives, driveNamed, jsonMemory } from "../../support/drives/drives.ts";
import { ENCLOSURE_ID, jbod } from "../../support/drives/jbod.ts";
import { loadTree, type Tree, treeMachine } from "../../support/machine/tree.ts";

describe("layers and odd devices", () => {
  it("follows multipath, dm-crypt and LVM to the mount on top, and swap on an encrypted volume", async () => {
    const tree = jbod(1);
    const bytes = 2 ** 40;
    const dm = (index: number, slave: string[], name: string, uuid: string): void =>
      addStacked(tree, {
        name: `dm-${index}`,
        dev: `253:${index}`,
        bytes,
        slaves: slave,
        own: { "dm/name": name, "dm/uuid": uuid },
      });
    dm(0, ["sdc", "sdd"], "mpatha", "mpath-35000c500cafe0010");
    dm(1, ["dm-0"], "mpatha-part1", "part1-mpath-35000c500cafe0010");
    dm(2, ["dm-1"], "secret", "CRYPT-LUKS2-aa-secret");
    dm(3, ["dm-2"], "vg-data", "LVM-abc");
    tree.files["/proc/self/mountinfo"] +=
      "50 22 253:3 / /srv rw - xfs /dev/mapper/vg-data rw\n51 22 0:44 /@ /b rw - btrfs /dev/mapper/vg-data rw\n";
    tree.files["/proc/swaps"] += "/dev/dm-2 partition 1000 10 -2\n";
    const drive = driveNamed(await collectDrives(drivesCollector(), treeMachine(tree)), "sdc");
    expect(drive.holders.map((it) => [it.name, it.kind, it.on])).toEqual([
      ["dm-0", "multipath", "sdc"],
      ["dm-1", "partition", "dm-0"],
      ["dm-2", "crypt", "dm-1"],
      ["dm-3", "lvm", "dm-2"],
    ]);
    expect(drive.mounts.map((mount) => mount.mountpoint)).toEqual(["/b", "/srv"]);
    expect(drive.swap).toMatchObject([{ device: "/dev/dm-2" }]);
  });

  it("shows an NVMe drive with two controllers once, with both as paths", async () => {
    const tree: Tree = { files: {}, links: {} };
    const subsystem = "virtual/nvme-subsystem/nvme-subsys0";
    const owner = { model: "Dual port", serial: "DP1", firmware_rev: "1" };
    const own = { wwid: "eui.0025385500000001" };
    addBlock(
      tree,
      { name: "nvme0n1", dev: "259:0", parent: subsystem, between: "", bytes: 2 ** 40, owner, own },
      1,
    );
    for (const [index, pci] of ["0000:01:00.0", "0000:02:00.0"].entries()) {
      const parent = `pci0000:00/${pci}/nvme/nvme${index}`;
      const controller = { ...owner, state: index === 1 ? "dead" : "live", transport: "pcie", address: pci };
      addBlock(
        tree,
        { name: `nvme0c${index}n1`, dev: "", parent, between: "", bytes: 2 ** 40, owner: controller, own },
        2 + index,
      );
      linksOf(tree)[`/sys/class/nvme/nvme${index}`] = `../../devices/${parent}`;
    }
    const data = await collectDrives(drivesCollector(), treeMachine(tree));
    expect(data.drives).toMatchObject([
      {
        name: "nvme0n1",
        id: "wwn-eui.0025385500000001",
        serial: "DP1",
        state: "degraded",
        paths: [
          { name: "nvme0c0n1", address: "0000:01:00.0", state: "live" },
          { name: "nvme0c1n1", address: "0000:02:00.0", state: "dead" },
        ],
      },
    ]);
  });

  it("leaves out card readers without a card, optical drives and what is made by software", async () => {
    const tree = jbod(1);
    const usb = "pci0000:00/0000:00:14.0/usb1/1-3/1-3:1.0/host9/target9:0:0/9:0:0:0";
    addBlock(
      tree,
      { name: "sdz", dev: "65:144", parent: usb, bytes: 0, removable: true, owner: { vendor: "Generic-" } },
      5,
    );
    addBlock(
      tree,
      { name: "sr0", dev: "11:0", parent: "pci0000:00/ata9/host8/target8:0:0/8:0:0:0", bytes: 2 ** 20 },
      6,
    );
    for (const name of ["loop0", "zram0", "ram0", "nbd0", "rbd0", "xyz0"])
      addBlock(tree, { name, dev: "7:0", parent: "virtual", bytes: 2 ** 20 }, 7);
    const data = await collectDrives(drivesCollector(), treeMachine(tree));
    expect(data.drives.map((drive) => drive.name)).toEqual(["nvme0n1", "nvme1n1", "sda", "sdb", "sdc"]);
  });

  it("takes the SAS controller's word for the bay where no enclosure answers for itself", async () => {
    const tree = jbod(2);
    for (const record of [tree.files, linksOf(tree)])
      for (const path of Object.keys(record))
        if (path.startsWith("/sys/class/enclosure/")) delete record[path];
    const data = await collectDrives(drivesCollector(), treeMachine(tree));
    expect(driveNamed(data, "sdd")).toMatchObject({
      slot: "1",
      enclosure: ENCLOSURE_ID,
      enclosure_model: null,
    });
  });

  it("asks SATA drives for their temperature only when told to", async () => {
    const tree = loadTree("ceph-node");
    const folder = "/sys/devices/pci0000:00/0000:00:17.0/ata1/host1/target1:0:0/1:0:0:0/hwmon/hwmon9";
    tree.files[`${folder}/name`] = "drivetemp\n";
    tree.files[`${folder}/temp1_input`] = "27000\n";
    linksOf(tree)["/sys/class/hwmon/hwmon9"] = `../..${folder.slice(4)}`;
    const machine = treeMachine(tree);
    expect(driveNamed(await collectDrives(drivesCollector(), machine), "sdm").temperature_c).toBeNull();
    const asked = await collectDrives(drivesCollector(), machine, jsonMemory(), { drivetemp: true });
    expect(driveNamed(asked, "sdm").temperature_c).toBe(27);
  });
});
