/** File systems over several drives: each member shows who uses it, with and without what only some hosts show. */
import { describe, expect, it } from "vitest";
import { driveConditions } from "../../../src/collectors/drives/conditions.ts";
import { drivesCollector } from "../../../src/collectors/drives/drives.ts";
import type { DrivesData } from "../../../src/collectors/drives/schema.ts";
import { btrfsErrors } from "../../../src/collectors/drives/use/pools.ts";
import { addStacked, linksOf } from "../../support/drives/block-tree.ts";
import { collectDrives, driveNamed, jsonMemory, treeOf } from "../../support/drives/drives.ts";
import { jbod } from "../../support/drives/jbod.ts";
import { collectContext, type Tree, treeMachine } from "../../support/machine/tree.ts";

const BTRFS = "/sys/fs/btrfs/11111111-2222-3333-4444-555555555555";

async function collected(tree: Tree): Promise<DrivesData> {
  return await collectDrives(drivesCollector(), treeMachine(tree));
}

function mountsOf(data: DrivesData): [string, string[]][] {
  return data.drives.map(({ name, mounts }) => [name, mounts.map(({ mountpoint }) => mountpoint)]);
}

function usedBy(data: DrivesData): (string | null | undefined)[] {
  return (drivesCollector().table?.rows(data, 0) ?? []).map((row) => row[8]);
}

function addUdev(tree: Tree, dev: string, text: string): void {
  tree.files[`/run/udev/data/b${dev}`] = `${tree.files[`/run/udev/data/b${dev}`] ?? ""}${text}`;
}

describe("btrfs", () => {
  it("is on both of its drives by the kernel's own list", async () => {
    const data = await collected(treeOf("btrfs"));
    expect(mountsOf(data)).toEqual([
      ["sda", ["/srv/data"]],
      ["sdb", ["/srv/data"]],
    ]);
    expect(usedBy(data)).toEqual(["/srv/data", "/srv/data"]);
    expect(data.pools).toMatchObject([{ kind: "btrfs", devices: ["sda", "sdb"] }]);
  });

  it("is on both by what udev found where the kernel's list is hidden", async () => {
    const tree = treeOf("btrfs");
    for (const record of [tree.files, linksOf(tree)])
      for (const path of Object.keys(record)) if (path.startsWith("/sys/fs/btrfs")) delete record[path];
    for (const dev of ["8:0", "8:16"]) addUdev(tree, dev, "E:ID_FS_TYPE=btrfs\nE:ID_FS_UUID=AB-1\n");
    expect(mountsOf(await collected(tree))).toEqual([
      ["sda", ["/srv/data"]],
      ["sdb", ["/srv/data"]],
    ]);
  });

  it("says that a device is missing", async () => {
    const tree = treeOf("btrfs");
    const uuid = Object.keys({ ...tree.files, ...tree.links }).find((path) =>
      path.startsWith("/sys/fs/btrfs/"),
    );
    const at = uuid?.split("/").slice(0, 5).join("/") ?? BTRFS;
    for (const [id, missing] of ["0", "1"].entries())
      tree.files[`${at}/devinfo/${id + 1}/missing`] = `${missing}\n`;
    expect(driveConditions(await collected(tree))).toMatchObject([
      { code: "pool_degraded", text: expect.stringContaining("lacks 1 device.") },
    ]);
  });

  it("says that a device went while it was in use, which the kernel goes on listing", async () => {
    const tree = treeOf("btrfs");
    for (const path of ["/sys/block/sdb", "/sys/class/block/sdb"]) delete tree.links?.[path];
    const data = await collected(tree);
    expect(data.pools).toMatchObject([{ missing_devices: 1, devices: ["sda"] }]);
    expect(driveConditions(data).map(({ code }) => code)).toEqual(["pool_degraded"]);
    delete tree.links?.["/sys/block/sda"];
    tree.folders = ["/sys/block/loop0"];
    const none = await drivesCollector().collect({
      ...collectContext(treeMachine(tree)),
      memory: jsonMemory({ drives: [{ id: "x", serial: null, last_name: "sda" }], history: [] }),
    });
    expect(none).toMatchObject({ stranded: [{ kind: "mount", name: "/srv/data", on: "sda" }] });
  });

  it("counts the errors of its devices", async () => {
    const tree = treeOf("btrfs");
    const at = Object.keys({ ...tree.files, ...tree.links })
      .find((path) => path.startsWith("/sys/fs/btrfs/"))
      ?.split("/")
      .slice(0, 5)
      .join("/");
    // As Linux 6.1 and 6.18 print them.
    tree.files[`${at}/devinfo/1/error_stats`] =
      "write_errs 4\nread_errs 0\nflush_errs 1\ncorruption_errs 0\ngeneration_errs 0\n";
    tree.files[`${at}/devinfo/2/error_stats`] = "write_errs 0\nread_errs 0\n";
    const data = await collected(tree);
    expect(data.pools).toMatchObject([{ errors: 5 }]);
    expect(driveConditions(data)).toMatchObject([
      { code: "filesystem_errors", text: expect.stringContaining("have recorded 5 errors.") },
    ]);
    expect([btrfsErrors("invalid\n"), btrfsErrors("x_errs -1\n"), btrfsErrors("")]).toEqual([
      null,
      null,
      null,
    ]);
  });

  it("is found over dm-crypt too", async () => {
    const tree = treeOf("btrfs");
    const crypt = (index: number, slave: string): void =>
      addStacked(tree, {
        name: `dm-${index}`,
        dev: `253:${index}`,
        bytes: 2 ** 40,
        slaves: [slave],
        own: { "dm/name": `luks-${slave}`, "dm/uuid": `CRYPT-LUKS2-aa-luks-${slave}` },
      });
    crypt(0, "sda");
    crypt(1, "sdb");
    for (const record of [tree.files, linksOf(tree)])
      for (const path of Object.keys(record)) if (path.startsWith("/sys/fs/btrfs")) delete record[path];
    for (const name of ["dm-0", "dm-1"]) tree.files[`${BTRFS}/devices/${name}/x`] = "";
    tree.files["/proc/self/mountinfo"] = "36 35 0:42 / /srv rw - btrfs /dev/mapper/luks-sda rw\n";
    expect(mountsOf(await collected(tree))).toEqual([
      ["sda", ["/srv"]],
      ["sdb", ["/srv"]],
    ]);
  });
});

describe("bcachefs", () => {
  it("is on all the drives it names as its source", async () => {
    const data = await collected(treeOf("bcachefs"));
    expect(mountsOf(data)).toEqual([
      ["sda", ["/bc"]],
      ["sdb", ["/bc"]],
    ]);
  });

  it("is on those that the kernel lists where it names one", async () => {
    const tree = treeOf("bcachefs");
    tree.files["/proc/self/mountinfo"] = "36 35 0:44 / /bc rw - bcachefs /dev/sda rw\n";
    const at = "/sys/fs/bcachefs/11111111-2222-3333-4444-555555555555";
    linksOf(tree)[`${at}/dev-0/block`] = "../../../../devices/x/block/sda";
    linksOf(tree)[`${at}/dev-1/block`] = "../../../../devices/x/block/sdb";
    expect(mountsOf(await collected(tree))).toEqual([
      ["sda", ["/bc"]],
      ["sdb", ["/bc"]],
    ]);
  });
});

describe("ZFS", () => {
  it("shows the pool on its member, in the data and in the table", async () => {
    const data = await collected(treeOf("zfs"));
    expect(driveNamed(data, "sda").holders).toMatchObject([{ kind: "zfs", name: "rpool", on: "sda1" }]);
    expect(mountsOf(data)).toEqual([["sda", ["/"]]]);
    expect(data.pools).toMatchObject([{ kind: "zfs", name: "rpool", state: null, devices: ["sda1"] }]);
  });

  it("names a pool that is mounted nowhere, and one that is not in use", async () => {
    const tree = treeOf("zfs");
    tree.files["/proc/self/mountinfo"] = "";
    expect(usedBy(await collected(tree))).toEqual(["zfs rpool"]);
    expect((await collected(tree)).pools).toEqual([]);
    tree.files["/proc/spl/kstat/zfs/rpool/state"] = "ONLINE\n";
    tree.files["/proc/spl/kstat/zfs/arcstats"] = "x\n";
    const data = await collected(tree);
    expect(usedBy(data)).toEqual(["zfs rpool"]);
    expect(data.pools).toMatchObject([{ name: "rpool", state: "ONLINE" }]);
  });

  it.each<[string, string[]]>([
    ["ONLINE", []],
    ["DEGRADED", ["pool_degraded"]],
    ["SUSPENDED", ["pool_failed"]],
    ["FAULTED", ["pool_failed"]],
    ["UNAVAIL", ["pool_failed"]],
    ["UNKNOWN", []],
  ])("%s", async (state, codes) => {
    const tree = treeOf("zfs");
    tree.files["/proc/spl/kstat/zfs/rpool/state"] = `${state}\n`;
    expect(driveConditions(await collected(tree)).map(({ code }) => code)).toEqual(codes);
  });

  it("asks no snapshot for its space, which would keep it mounted", async () => {
    const tree = treeOf("zfs");
    tree.files["/proc/self/mountinfo"] += "31 30 0:26 / /.zfs/snapshot/a rw - zfs rpool/ROOT@a rw\n";
    expect(mountsOf(await collected(tree))).toEqual([["sda", ["/"]]]);
  });
});

it("knows who made a map by its uuid", async () => {
  const tree = jbod(1);
  const made: [string, string][] = [
    ["VDO-abc", "vdo"],
    ["CRYPT-INTEGRITY-x", "integrity"],
    ["CRYPT-VERITY-x", "verity"],
    ["CRYPT-LUKS2-x", "crypt"],
    ["stratis-1-private", "stratis"],
    ["DMRAID-isw_x", "dmraid"],
    ["part3-mpath-x", "partition"],
    ["part1-LVM-x", "partition"],
    ["", "dm"],
  ];
  for (const [index, [uuid]] of made.entries())
    addStacked(tree, {
      name: `dm-${index}`,
      dev: `253:${index}`,
      bytes: 1024,
      slaves: ["nvme0n1"],
      own: { "dm/name": `m${index}`, "dm/uuid": uuid },
    });
  addStacked(tree, { name: "bcache0", dev: "252:0", bytes: 1024, slaves: ["nvme0n1"], own: {} });
  const { holders } = driveNamed(await collected(tree), "nvme0n1");
  expect(holders.map(({ kind }) => kind)).toEqual(["bcache", ...made.map(([, kind]) => kind)]);
});
