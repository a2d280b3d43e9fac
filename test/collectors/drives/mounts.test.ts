/** Mounts that are asked for their space and those that must not be; what fstab means, not how it is written. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drivesCollector } from "../../../src/collectors/drives/drives.ts";
import { withoutLinks } from "../../../src/collectors/drives/use/fstab.ts";
import { localMounts } from "../../../src/collectors/drives/use/mounts.ts";
import { openFiles } from "../../../src/system/files.ts";
import {
  collectDrives,
  driveNamed,
  jsonMemory,
  treeOf,
  watchedMachine,
} from "../../support/drives/drives.ts";
import { forAll } from "../../support/for-all.ts";
import { layTree, treeMachine } from "../../support/machine/tree.ts";
import { conditionCodes } from "../../support/text/shape.ts";

describe("what covers a mount point", () => {
  const data = "36 22 8:1 / /data rw - ext4 /dev/sda1 rw";
  it.each<[string, string[], [string, string | null]]>([
    ["nothing", [data], ["/data", null]],
    ["a server's export on top", [data, "40 36 0:50 / /data rw - nfs4 h:/x rw"], ["/data", "covered"]],
    ["an automount on top", [data, "40 36 0:51 / /data rw - autofs systemd-1 rw"], ["/data", "covered"]],
    [
      "an automount below",
      ["30 22 0:51 / /data rw - autofs systemd-1 rw", "36 30 8:1 / /data rw - ext4 /dev/sda1 rw"],
      ["/data", null],
    ],
    [
      "a later mount over a folder above",
      ["36 22 8:1 / /mnt/a rw - ext4 /dev/sda1 rw", "40 22 0:52 / /mnt rw - tmpfs tmpfs rw"],
      ["/mnt/a", "covered"],
    ],
    [
      "an earlier mount of a folder above, on which it stands",
      ["40 22 0:52 / /mnt rw - tmpfs tmpfs rw", "36 40 8:1 / /mnt/a rw - ext4 /dev/sda1 rw"],
      ["/mnt/a", null],
    ],
    [
      "a later line that it stands on nevertheless",
      ["36 40 8:1 / /mnt/a rw - ext4 /dev/sda1 rw", "40 22 0:52 / /mnt rw - tmpfs tmpfs rw"],
      ["/mnt/a", null],
    ],
    ["itself once more", [data, "40 36 8:1 / /data rw - ext4 /dev/sda1 rw"], ["/data", null]],
    ["a name that only begins alike", [data, "40 22 0:52 / /data2 rw - tmpfs tmpfs rw"], ["/data", null]],
    [
      "the way leads through a server",
      [
        "22 1 0:40 / / rw - overlay overlay rw",
        "39 22 0:50 / /net rw - nfs h:/x rw",
        "40 39 8:1 / /net/l rw - ext4 /dev/sda1 rw",
      ],
      ["/net/l", "behind_network"],
    ],
    [
      "the root is a server's",
      ["22 1 0:40 / / rw - nfs h:/root rw", "40 22 8:1 / /data rw - ext4 /dev/sda1 rw"],
      ["/data", null],
    ],
    [
      "a second place is free",
      [data, "41 22 8:1 / /a/longer/path rw - ext4 /dev/sda1 rw", "40 36 0:50 / /data rw - nfs4 h:/x rw"],
      ["/a/longer/path", null],
    ],
  ])("%s", (_what, lines, expected) => {
    const mount = localMounts(`22 1 0:1 / / rw - rootfs rootfs rw\n${lines.join("\n")}`)[0];
    expect([mount?.mountpoint, mount?.unreachable]).toEqual(expected);
  });

  it("a covered file system is not asked, and says so", async () => {
    const tree = treeOf("fstab-slash");
    tree.files["/proc/self/mountinfo"] =
      "36 35 8:1 / /data rw - ext4 /dev/sda1 rw\n37 36 0:50 / /data rw - nfs4 host:/x rw\n";
    const { machine, paths } = watchedMachine(tree);
    const collected = await collectDrives(drivesCollector(), machine);
    expect(driveNamed(collected, "sda").mounts).toMatchObject([
      { mountpoint: "/data", use_problem: "covered", size_bytes: null, files: null },
    ]);
    expect(paths).not.toContain("/data");
    const [error] = drivesCollector()
      .metrics.filter(({ name }) => name === "node_filesystem_device_error")
      .flatMap((metric) => [...metric.samples(collected)]);
    expect(error).toEqual({
      value: 1,
      labels: { device: "/dev/sda1", mountpoint: "/data", fstype: "ext4", device_error: "covered" },
    });
  });

  it("any table gives mounts or none, in bounded time", () => {
    const part = fc.constantFrom(
      "1",
      "22",
      "36",
      "/",
      "/data",
      "/data/x",
      "8:1",
      "0:5",
      "-",
      "ext4",
      "nfs",
      "rw",
    );
    const line = fc.array(part, { minLength: 8, maxLength: 11 }).map((words) => words.join(" "));
    const likely = fc
      .tuple(part, part, part, part)
      .map(([a, b, c, d]) => `${a} ${b} 8:${c.length} / ${d} rw - ext4 /dev/sda1 rw`);
    forAll(
      fc.property(fc.array(fc.oneof(line, likely), { maxLength: 12 }), (lines) => {
        for (const mount of localMounts(lines.join("\n")))
          expect(mount.mountpoints).toContain(mount.mountpoint);
      }),
      { seed: 20261202, cases: 1000 },
    );
  });
});

describe("fstab", () => {
  const udev =
    "S:disk/by-uuid/AB12-cd\nS:disk/by-id/wwn-0x5-part1\nE:ID_FS_UUID=AB12-cd\nE:ID_FS_LABEL=my_data\n" +
    "E:ID_FS_LABEL_ENC=my\\x20data\nE:ID_PART_ENTRY_UUID=0a0b-01\nE:ID_PART_ENTRY_NAME=part\\x20one\n";

  async function codes(
    fstab: string,
    mountinfo?: string,
    links: Record<string, string> = {},
  ): Promise<string[]> {
    const tree = treeOf("fstab-slash");
    tree.files["/etc/fstab"] = fstab;
    tree.files["/run/udev/data/b8:1"] = udev;
    if (mountinfo !== undefined) tree.files["/proc/self/mountinfo"] = mountinfo;
    tree.links = { ...tree.links, ...links };
    const data = await collectDrives(drivesCollector(), treeMachine(tree), jsonMemory());
    return conditionCodes(drivesCollector(), data);
  }

  it.each([
    "/dev/sda1 /data/ ext4 defaults 0 2",
    "/dev/sda1\t//data//  ext4\tdefaults 0 2",
    "   /dev/sda1 /./data ext4 rw,noatime",
    "/dev/sda1 /data",
    "# /dev/sda1 /data ext4 ro\n/dev/sda1 /data ext4 defaults",
    "UUID=ab12-CD /other ext4 defaults",
    'UUID="AB12-cd" /other ext4 defaults',
    "LABEL=my\\040data /other ext4 defaults",
    "PARTUUID=0A0B-01 /other ext4 defaults",
    "PARTLABEL=part\\040one /other ext4 defaults",
    "/dev/disk/by-uuid/AB12-cd /other ext4 defaults",
    "/dev/disk/by-id/wwn-0x5-part1 /other ext4 defaults",
    "/dev/sda1 /data ext4 ro,rw",
    "/dev/sda1 /data ext4 defaults\n/data /ro none bind,ro",
    "/dev/sda1 /data ext4 defaults,errors=remount-ro",
  ])("%j wants it writable", async (fstab) => {
    expect(await codes(`${fstab}\n`)).toEqual(["filesystem_read_only(/data)"]);
  });

  it.each([
    "/dev/sda1 /data/ ext4 ro 0 2",
    "UUID=AB12-CD /elsewhere ext4 nofail,ro",
    "/dev/sda1 /data ext4 rw,ro",
    "",
    "LABEL=other /x ext4 defaults",
    "/dev/sda1 /data none bind,rw",
  ])("%j does not", async (fstab) => {
    expect(await codes(`${fstab}\n`)).toEqual([]);
  });

  it("takes a blank, a link and a second place for what they are", async () => {
    const line = (mountpoint: string): string => `36 35 8:1 / ${mountpoint} ro - ext4 /dev/sda1 ro\n`;
    expect(await codes("LABEL=x /my\\040data/ ext4 defaults\n", line("/my\\040data"))).toEqual([
      "filesystem_read_only(/my data)",
    ]);
    expect(await codes("LABEL=x /link/data ext4 defaults\n", line("/srv/data"), { "/link": "srv/" })).toEqual(
      ["filesystem_read_only(/srv/data)"],
    );
    const twice = `${line("/b")}${line("/data").replace("36", "37")}`;
    expect(await codes("/dev/sda1 /data ext4 defaults\n/data /b none bind,ro\n", twice)).toEqual([
      "filesystem_read_only(/b)",
    ]);
  });

  it("says nothing of what an overlay keeps read-only below it", async () => {
    const lower = "36 35 8:1 / /media/root-ro ro,relatime - ext4 /dev/sda1 ro\n";
    const upper =
      "35 1 0:30 / / rw - overlay overlayroot rw,lowerdir=/media/root-ro,upperdir=/media/root-rw/u\n";
    const fstab = "UUID=ab12-CD / ext4 defaults,noatime 0 1\n";
    expect(await codes(fstab, `${upper}${lower}`)).toEqual([]);
    expect(await codes(fstab, lower)).toEqual(["filesystem_read_only(/media/root-ro)"]);
    expect(
      await codes(fstab, `${upper}${lower.replace("ext4 /dev/sda1 ro", "ext4 /dev/sda1 ro,emergency_ro")}`),
    ).toEqual(["filesystem_read_only(/media/root-ro)"]);
  });

  it("follows links no further than an automount or a server, and not for ever", () => {
    const links = { "/a": "b", "/b": "a", "/net/x": "/elsewhere", "/ok": "../srv/./deep" };
    const files = openFiles(layTree({ files: {}, links }));
    const stop = (folder: string): boolean => folder === "/net";
    expect(withoutLinks(files, "/ok/data", stop)).toBe("/srv/deep/data");
    expect(withoutLinks(files, "/net/x/data", stop)).toBe("/net/x/data");
    expect(withoutLinks(files, "/a/data", stop)).toMatch(/^\/[ab]\/data$/);
  });
});
