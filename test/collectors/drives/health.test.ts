/** What the kernel tells of health: read-only and faulty file systems, wear, lost members, drives given up. */
import { describe, expect, it } from "vitest";
import { drivesCollector } from "../../../src/collectors/drives/drives.ts";
import { addBlock } from "../../support/drives/block-tree.ts";
import { collectDrives } from "../../support/drives/drives.ts";
import { jbod } from "../../support/drives/jbod.ts";
import { loadTree, type Tree, treeMachine } from "../../support/machine/tree.ts";

describe("states of health the kernel tells", () => {
  function withMount(line: string, fstab = ""): Tree {
    const tree = loadTree("pi4");
    tree.files["/proc/self/mountinfo"] = `${line}\n`;
    tree.files["/etc/fstab"] = fstab;
    return tree;
  }
  async function codes(tree: Tree): Promise<string[]> {
    const collector = drivesCollector();
    const data = await collectDrives(collector, treeMachine(tree));
    return (collector.conditions?.(data) ?? []).map((condition) => `${condition.code}(${condition.subject})`);
  }

  it.each<[string, string, string, string[]]>([
    [
      "an error made it so",
      "22 1 179:2 / / rw,noatime - ext4 /dev/mmcblk0p2 ro",
      "",
      ["filesystem_read_only(/)"],
    ],
    [
      "ext4 gave up",
      "22 1 179:2 / / rw - ext4 /dev/mmcblk0p2 rw,emergency_ro",
      "",
      ["filesystem_read_only(/)"],
    ],
    ["the unit's own view is", "22 1 179:2 / / ro,noatime - ext4 /dev/mmcblk0p2 rw", "", []],
    ["mounted so by hand", "22 1 179:2 / / ro,noatime - ext4 /dev/mmcblk0p2 ro", "", []],
    ["fstab wants it so", "22 1 179:2 / / rw - ext4 /dev/mmcblk0p2 ro", "/dev/mmcblk0p2 / ext4 ro 0 1\n", []],
    [
      "fstab wants writing, under a unit's view",
      "22 1 179:2 / / ro - ext4 /dev/mmcblk0p2 ro",
      "/dev/mmcblk0p2 / ext4 defaults 0 1\n",
      ["filesystem_read_only(/)"],
    ],
    ["a read-only kind", "22 1 179:2 / /snap rw - squashfs /dev/mmcblk0p2 ro", "", []],
  ])("read-only: %s", async (_what, line, fstab, expected) => {
    expect(await codes(withMount(line, fstab))).toEqual(expected);
  });

  it("ext4 errors with the time of the first", async () => {
    const tree = loadTree("pi4");
    tree.files["/sys/fs/ext4/mmcblk0p2/errors_count"] = "3\n";
    tree.files["/sys/fs/ext4/mmcblk0p2/first_error_time"] = "1759999999\n";
    const collector = drivesCollector();
    const data = await collectDrives(collector, treeMachine(tree));
    expect(collector.conditions?.(data)).toMatchObject([
      {
        code: "filesystem_errors",
        subject: "/",
        text: expect.stringContaining("3 errors, the first on 2025-10-09 08:53 UTC."),
      },
    ]);
  });

  it.each<[string, string, string[]]>([
    ["0x01 0x01", "0x01", []],
    ["0x09 0x02", "0x01", ["emmc_worn(mmcblk0)"]],
    ["0x0b 0x01", "0x01", ["emmc_worn(mmcblk0)"]],
    ["0x02 0x01", "0x03", ["emmc_worn(mmcblk0)"]],
    ["0x00 0x00", "0x00", []],
  ])("eMMC wear %s, reserve %s", async (life, reserve, expected) => {
    const tree: Tree = { files: {} };
    const owner = { type: "MMC", name: "BJTD4R", serial: "0x1", life_time: life, pre_eol_info: reserve };
    const parent = "platform/soc/fe340000.mmc/mmc_host/mmc0/mmc0:0001";
    addBlock(tree, { name: "mmcblk0", dev: "179:0", parent, bytes: 2 ** 35, owner }, 1);
    for (const part of ["boot0", "boot1", "rpmb"])
      addBlock(tree, { name: `mmcblk0${part}`, dev: "179:32", parent, bytes: 2 ** 22 }, 2);
    const collector = drivesCollector();
    const data = await collectDrives(collector, treeMachine(tree));
    expect(data.drives.map((drive) => [drive.name, drive.hotplug])).toEqual([["mmcblk0", false]]);
    expect(codesOf(collector.conditions?.(data))).toEqual(expected);
  });

  it("a RAID that lacks a member, a drive the kernel gave up", async () => {
    const tree = jbod(1, { pathOffline: [1] });
    for (const path of Object.keys(tree.files))
      if (path.endsWith("0:0:0:0/state")) tree.files[path] = "offline\n";
    tree.files["/sys/devices/virtual/block/md127/md/degraded"] = "1\n";
    const collector = drivesCollector();
    const data = await collectDrives(collector, treeMachine(tree));
    expect(codesOf(collector.conditions?.(data)).sort()).toEqual([
      "drive_not_answering(sdc)",
      "raid_degraded(md127)",
    ]);
  });
});

function codesOf(conditions: readonly { code: string; subject?: string }[] = []): string[] {
  return conditions.map((condition) => `${condition.code}(${condition.subject})`);
}
