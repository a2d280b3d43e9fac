/** What is in use never vanishes without a word, whatever its bus; and a move is a move, not a replacement. */
import { describe, expect, it } from "vitest";
import { isNoData } from "../../../src/collectors/collector.ts";
import { driveConditions, driveEvents } from "../../../src/collectors/drives/conditions.ts";
import { drivesCollector } from "../../../src/collectors/drives/drives.ts";
import { loadOf } from "../../../src/collectors/drives/memory/expected.ts";
import type { DriveMemory } from "../../../src/collectors/drives/memory/kept.ts";
import { forgetDrive, missingOf, remember } from "../../../src/collectors/drives/missing.ts";
import type { Drive } from "../../../src/collectors/drives/schema.ts";
import { addBlock } from "../../support/drives/block-tree.ts";
import { collectDrives, driveNamed, jsonMemory, treeOf } from "../../support/drives/drives.ts";
import { ENCLOSURE_ID, jbod } from "../../support/drives/jbod.ts";
import { collectContext, loadTree, treeMachine } from "../../support/machine/tree.ts";

/** A drive of a machine that has nothing else to say of it. */
function drive(id: string, slot: string | null, more: Partial<Drive> = {}): Drive {
  const known = { id, serial: id, model: "X", name: `sd${id}`, enclosure: "0x500", slot, size_bytes: 1 };
  return { ...known, hotplug: false, type: "hdd", transport: "sas", ...more } as Drive;
}

/** Looks one after the other, a day apart. */
function looks(...days: Drive[][]): DriveMemory {
  let memory: DriveMemory | null = null;
  for (const [day, present] of days.entries())
    memory = remember(memory, present, false, `2026-01-${String(day + 1).padStart(2, "0")}T00:00:00Z`);
  return memory as DriveMemory;
}

function told({ history }: DriveMemory): string[] {
  return history.map(({ what, id, from_slot: from, slot }) =>
    what === "moved" ? `${id} moved ${from} to ${slot}` : `${id} ${what}`,
  );
}

function missed(memory: DriveMemory): string[] {
  return missingOf(memory).map(({ id }) => id);
}

describe("drives that change their slots", () => {
  it("misses a drive in whose slot another known one was put", () => {
    const memory = looks([drive("A", "1"), drive("B", "5")], [drive("B", "1")]);
    expect(missed(memory)).toEqual(["A"]);
    expect(told(memory).sort()).toEqual(["A missing", "B moved 5 to 1"]);
  });

  it("takes a swap of two and a ring of three for moves", () => {
    const before = [drive("A", "1"), drive("B", "2"), drive("C", "3")];
    const two = looks(before, [drive("A", "2"), drive("B", "1"), drive("C", "3")]);
    expect([missed(two), told(two)]).toEqual([[], ["A moved 1 to 2", "B moved 2 to 1"]]);
    const three = looks(before, [drive("A", "2"), drive("B", "3"), drive("C", "1")]);
    expect([missed(three), told(three)]).toEqual([
      [],
      ["A moved 1 to 2", "B moved 2 to 3", "C moved 3 to 1"],
    ]);
  });

  it("misses the one that a chain with a new drive at its end has pushed out", () => {
    const memory = looks([drive("A", "1"), drive("B", "2")], [drive("A", "2"), drive("N", "1")]);
    expect(missed(memory)).toEqual(["B"]);
    expect(told(memory).sort()).toEqual(["A moved 1 to 2", "B missing", "N added"]);
  });

  it("still misses it when the other one has moved only later", () => {
    const memory = looks([drive("A", "1"), drive("B", "2")], [drive("B", "2")], [drive("B", "1")]);
    expect(missed(memory)).toEqual(["A"]);
  });

  it("has a new drive replace the last one in its slot, and only that", () => {
    const memory = looks(
      [drive("A", "1"), drive("B", "2")],
      [drive("B", "1")],
      [drive("Z", "9")],
      [drive("N", "1"), drive("Z", "9")],
    );
    expect(missed(memory)).toEqual(["A"]);
    expect(told(memory)).toContain("B replaced");
  });

  it("takes another id of a whole enclosure for no move, and a slot that is not told for none", () => {
    const before = [drive("A", "1"), drive("B", "2")];
    const renamed = before.map((one) => ({ ...one, enclosure: "0x501" }));
    const silent = before.map((one) => ({ ...one, enclosure: null, slot: null }));
    expect(told(looks(before, renamed))).toEqual([]);
    expect(told(looks(before, silent, before))).toEqual([]);
    expect(told(looks(before, [drive("A", "1"), drive("B", "2", { enclosure: "0x501" })]))).toEqual([
      "B moved 2 to 2",
    ]);
    // Where it was is known although its enclosure was silent when it went.
    expect(told(looks(before, silent, [drive("A", "1"), drive("N", "2")]))).toEqual(["B replaced"]);
  });

  it("knows a drive under another kernel name, and one that says 0 bytes", () => {
    const memory = looks([drive("A", "1")], [drive("A", "1", { name: "sdq", size_bytes: 0 })]);
    expect([missed(memory), told(memory)]).toEqual([[], []]);
    const worse = looks(
      [drive("wwn-A", "1", { serial: "S" })],
      [drive("A2", "1", { serial: "S", size_bytes: 0 })],
    );
    expect([missed(worse), told(worse)]).toEqual([[], []]);
  });
});

describe("what is on a drive", () => {
  const usb = { hotplug: true, transport: "usb", slot: null, enclosure: null } as const;
  const holder = { level: null, degraded: null, on: "sda", size_bytes: 1 };
  const mount = (mountpoint: string): Partial<Drive> => ({ mounts: [{ mountpoint }] as Drive["mounts"] });

  it.each<[string, Partial<Drive>, string | null]>([
    ["an OSD", { osd_ids: [3] }, "osd.3"],
    ["a mount", mount("/srv"), "/srv"],
    ["swap", { swap: [{ device: "/dev/sda1", size_bytes: 1, used_bytes: 0 }] }, "swap"],
    ["a RAID", { holders: [{ ...holder, name: "md0", kind: "md", label: null }] }, "md md0"],
    ["a pool", { holders: [{ ...holder, name: "tank", kind: "zfs", label: "tank" }] }, "zfs tank"],
    ["bcache", { holders: [{ ...holder, name: "bcache0", kind: "bcache", label: null }] }, "bcache bcache0"],
    ["dm-crypt", { holders: [{ ...holder, name: "dm-1", kind: "crypt", label: "safe" }] }, "crypt safe"],
    ["a member of LVM by udev's word", { fstype: "LVM2_member" }, "LVM2_member"],
    [
      "a member of md in a partition",
      { partitions: [{ name: "sda1", size_bytes: 1, fstype: "linux_raid_member", label: null }] },
      "linux_raid_member",
    ],
    ["nothing", { fstype: "ext4" }, null],
    ["what a desktop mounts", mount("/run/media/ann/stick"), null],
    ["what Kubernetes mounts", mount("/var/lib/kubelet/plugins/x/globalmount"), null],
  ])("%s decides whether a USB drive is missed", (_what, load, words) => {
    expect(loadOf(load)).toBe(words);
    const memory = looks([drive("A", "1"), drive("U", null, { ...usb, ...load })], [drive("A", "1")]);
    expect(missed(memory)).toEqual(words === null ? [] : ["U"]);
    expect(missingOf(memory)[0]?.carried).toBe(words === null ? undefined : words);
  });

  it.each([
    ["virtual", "virtio"],
    ["hdd", "iscsi"],
    ["ssd", "fc"],
    ["nvme", "nvme-tcp"],
    ["mmc", "mmc"],
  ] as const)("misses a %s drive over %s that carries something, and no other", (type, transport) => {
    const kind = { type, transport, hotplug: type === "mmc", slot: null };
    const gone = [drive("A", "1")];
    expect(missed(looks([...gone, drive("V", null, kind)], gone))).toEqual([]);
    expect(missed(looks([...gone, drive("V", null, { ...kind, ...mount("/srv") })], gone))).toEqual(["V"]);
  });

  it("misses what has no id of its own too once it carries something", () => {
    const gone = [drive("A", "1")];
    const plain = drive("path-0000:00:14.0-2", null, { ...usb, serial: null });
    expect(missed(looks([...gone, plain], gone))).toEqual([]);
    expect(missed(looks([...gone, { ...plain, ...mount("/srv") }], gone))).toEqual([plain.id]);
  });

  it("knows what has no id of its own by what is on it, in another port too", () => {
    const at = (port: string, where: string): Drive =>
      drive(`path-${port}`, null, { ...usb, serial: null, ...mount(where) });
    expect(missed(looks([at("1", "/srv"), at("2", "/a")], [at("3", "/srv"), at("2", "/a")]))).toEqual([]);
    expect(missed(looks([at("1", "/srv"), at("2", "/a")], [at("3", "/b"), at("2", "/a")]))).toEqual([
      "path-1",
    ]);
  });

  it("lets go of a USB drive that was unmounted first, but not of one that failed first", () => {
    const gone = [drive("A", "1")];
    const mounted = drive("U", null, { ...usb, ...mount("/srv") });
    const free = drive("U", null, usb);
    expect(missed(looks([...gone, mounted], [...gone, free], gone))).toEqual([]);
    const failed: Drive = { ...free, state: "offline" };
    expect(missed(looks([...gone, mounted], [...gone, failed], gone))).toEqual(["U"]);
  });
});

describe("no drive at all", () => {
  it("is an alarm on a host whose only one was an OSD on USB, and names what was on it", async () => {
    const memory = jsonMemory();
    const collector = drivesCollector();
    const before = await collectDrives(collector, treeMachine(treeOf("usb-osd")), memory);
    expect(driveNamed(before, "sda")).toMatchObject({ transport: "usb", hotplug: true });
    const after = await collectDrives(drivesCollector(), treeMachine(treeOf("usb-osd-gone")), memory);
    expect(after.missing).toMatchObject([
      { serial: "S5Y2NJ0R123456A", carried: "lvm ceph--x-osd--block--y" },
    ]);
    expect(driveConditions(after)).toMatchObject([
      { code: "drive_missing", subject: "S5Y2NJ0R123456A", severity: "error" },
    ]);
    expect(driveEvents(before, after)).toMatchObject([{ type: "drive.missing" }]);
  });

  it("misses all where none was in use either, in one sentence", () => {
    const usb = { hotplug: true, transport: "usb", slot: null, enclosure: null };
    const missing = missingOf(looks([drive("U", null, usb), drive("W", null, usb)], []));
    expect(
      driveConditions({ drives: [], arrays: [], pools: [], stranded: [], missing } as never),
    ).toMatchObject([
      {
        code: "drives_missing",
        subject: "all",
        text: expect.stringContaining("Every drive of this machine"),
      },
    ]);
  });

  it("believes an empty /sys/block where the rest of /sys is there", async () => {
    const memory = jsonMemory();
    await collectDrives(drivesCollector(), treeMachine(jbod(2)), memory);
    const files = { "/sys/kernel/uevent_seqnum": "9\n", "/proc/uptime": "9999.0 1.0\n" };
    const after = await collectDrives(
      drivesCollector(),
      treeMachine({ files, folders: ["/sys/block"] }),
      memory,
    );
    expect(after.missing).toHaveLength(6);
    expect(driveConditions(after)).toHaveLength(1);
  });

  it("is not yet known while the machine has just booted, and then not `as usual in a container`", async () => {
    const memory = jsonMemory();
    await collectDrives(drivesCollector(), treeMachine(treeOf("usb-osd")), memory);
    const tree = treeOf("usb-osd-gone");
    tree.files["/proc/uptime"] = "20.0 1.0\n";
    const answer = await drivesCollector().collect({ ...collectContext(treeMachine(tree)), memory });
    expect(isNoData(answer) && answer).toMatchObject({
      pending: true,
      noData: expect.not.stringContaining("container"),
    });
    const later = await collectDrives(drivesCollector(), treeMachine(treeOf("usb-osd-gone")), memory);
    expect(later.missing).toHaveLength(1);
  });
});

describe("a drive that is back under another name", () => {
  const mountinfo = (dev: string, source: string): string => `36 35 ${dev} / /srv rw - ext4 ${source} rw\n`;

  it("is not missed, and what stayed on the device that went is told", async () => {
    const memory = jsonMemory();
    await collectDrives(drivesCollector(), treeMachine(treeOf("usb-osd")), memory);
    const text = JSON.stringify(treeOf("usb-osd")).replaceAll("/block/sda", "/block/sdb");
    const tree = JSON.parse(text.replaceAll('"8:0\\n"', '"8:16\\n"').replaceAll("data/b8:0", "data/b8:16"));
    const slaves = "/sys/devices/virtual/block/dm-0/slaves";
    for (const path of Object.keys(tree.links)) if (path.startsWith(slaves)) delete tree.links[path];
    tree.links[`${slaves}/sda`] = "../../../../gone/block/sda";
    tree.files["/proc/self/mountinfo"] = mountinfo("8:1", "/dev/sda1");
    tree.files["/sys/dev/block/8:16/x"] = "";
    const after = await collectDrives(drivesCollector(), treeMachine(tree), memory);
    expect(after.missing).toEqual([]);
    expect(after.stranded).toEqual([
      { kind: "lvm", name: "dm-0", label: "ceph--x-osd--block--y", on: "sda" },
      { kind: "mount", name: "/srv", label: null, on: "sda1" },
    ]);
    expect(driveConditions(after).map(({ code, subject }) => `${code}(${subject})`)).toEqual([
      "device_gone_in_use(ceph--x-osd--block--y)",
      "device_gone_in_use(/srv)",
    ]);
  });

  it("what stands on a loop device, or where the devices are hidden, is not", async () => {
    const tree = treeOf("usb-osd");
    tree.files["/proc/self/mountinfo"] = mountinfo("7:3", "/dev/loop3");
    tree.files["/sys/dev/block/7:3/x"] = "";
    expect((await collectDrives(drivesCollector(), treeMachine(tree))).stranded).toEqual([]);
    delete tree.files["/sys/dev/block/7:3/x"];
    expect((await collectDrives(drivesCollector(), treeMachine(tree))).stranded).toEqual([]);
  });
});

describe("several at once", () => {
  const all = Array.from({ length: 24 }, (_, index) => index + 1);

  it("says in one sentence that a whole shelf is gone, and forgets it by its id", async () => {
    const memory = jsonMemory();
    await collectDrives(drivesCollector(), treeMachine(jbod(24)), memory);
    const gone = await collectDrives(drivesCollector(), treeMachine(jbod(24, { pulled: all })), memory);
    expect(driveConditions(gone)).toMatchObject([
      {
        code: "drives_missing",
        subject: ENCLOSURE_ID,
        severity: "error",
        text: `All 24 drives of the enclosure ${ENCLOSURE_ID} are gone (slot 1, slot 2, slot 3, slot 4 and 20 more), noticed 2025-10-09 08:53 UTC.`,
      },
    ]);
    expect(forgetDrive(memory, ENCLOSURE_ID)).toBe(true);
    const after = await collectDrives(drivesCollector(), treeMachine(jbod(24, { pulled: all })), memory);
    expect(driveConditions(after)).toEqual([]);
  });

  it("names two that went at once each, and those of a controller together", () => {
    const shelf = (count: number, enclosure: string | null) =>
      Array.from({ length: count }, (_, index) => drive(`D${index}`, enclosure && `${index}`, { enclosure }));
    const rest = drive("A", "1");
    const conditions = (gone: Drive[]) =>
      driveConditions({
        drives: [{ ...rest, paths: [], mounts: [], mmc: null, state: null, answering: true }],
        arrays: [],
        pools: [],
        stranded: [],
        missing: missingOf(looks([rest, ...gone], [rest])),
      } as never).map(({ code }) => code);
    expect(conditions(shelf(2, "0x9"))).toEqual(["drive_missing", "drive_missing"]);
    expect(conditions(shelf(8, null))).toEqual(["drives_missing"]);
  });
});

describe("ports that may be plugged", () => {
  it("takes a SATA drive on a hot-plug port for fixed, and misses it", async () => {
    const memory = jsonMemory();
    const tree = treeOf("hot-plug-port");
    const before = await collectDrives(drivesCollector(), treeMachine(tree), memory);
    expect(before.drives.map(({ name, hotplug, removable }) => [name, hotplug, removable])).toEqual([
      ["sda", false, true],
      ["sdb", false, false],
    ]);
    for (const path of ["/sys/block/sda", "/sys/class/block/sda"]) delete tree.links?.[path];
    const after = await collectDrives(drivesCollector(), treeMachine(tree), memory);
    expect(after.missing).toMatchObject([{ last_name: "sda", serial: "ZC1ABCD0" }]);
  });

  it("was there all the time also where an older version did not remember it", async () => {
    const known = { model: null, enclosure: null, slot: null, size_bytes: null, since: null };
    const tree = treeOf("hot-plug-port");
    const [, other] = (await collectDrives(drivesCollector(), treeMachine(tree))).drives;
    const { id, serial, name: last_name } = other as Drive;
    const memory = jsonMemory();
    for (const drives of [[{ ...known, id, serial, last_name }], []]) {
      memory.set({ drives, history: [] });
      const { history, missing } = await collectDrives(drivesCollector(), treeMachine(tree), memory);
      const news = history.map(({ what, last_name: name }) => `${what} ${name}`);
      expect([news, missing]).toEqual([drives.length === 0 ? [`added ${last_name}`] : [], []]);
      expect(JSON.stringify(memory.get())).not.toContain("fixedOnly");
    }
  });

  it("keeps it in sight when it says 0 bytes, and says that", async () => {
    const tree = treeOf("hot-plug-port");
    const at = Object.keys(tree.files).find((path) => path.endsWith("/sda/size")) as string;
    tree.files[at] = "0\n";
    const data = await collectDrives(drivesCollector(), treeMachine(tree));
    expect(driveConditions(data)).toMatchObject([
      { code: "drive_without_capacity", subject: "sda", severity: "error" },
    ]);
    // What an array on a network shows to a host that has no volume of it yet.
    const drives = data.drives.map((drive) => ({ ...drive, transport: "fc" }));
    expect(driveConditions({ ...data, drives })).toEqual([]);
  });

  it("knows a drive with a serial number and a WWN that says 0 bytes after a restart", async () => {
    const memory = jsonMemory();
    const tree = treeOf("hot-plug-port");
    const before = await collectDrives(drivesCollector(), treeMachine(tree), memory);
    const at = Object.keys(tree.files).find((path) => path.endsWith("/sda/size")) as string;
    tree.files[at] = "0\n";
    const after = await collectDrives(drivesCollector(), treeMachine(tree), memory);
    expect(driveNamed(after, "sda").id).toBe(driveNamed(before, "sda").id);
    expect(driveConditions(after).map(({ code }) => code)).toEqual(["drive_without_capacity"]);
  });

  it("takes a medium that comes out for what it is, whatever the bus", async () => {
    const tree = loadTree("vm");
    const parent = "pci0000:00/0000:00:1f.2/ata3/host2/target2:0:0/2:0:0:0";
    const owner = { vendor: "ATA", model: "TANDBERG RDX", vpd_pg80: "xxxxRDX1" };
    addBlock(tree, { name: "sdr", dev: "65:16", parent, bytes: 2 ** 40, removable: true, owner }, 9);
    expect(driveNamed(await collectDrives(drivesCollector(), treeMachine(tree)), "sdr").hotplug).toBe(true);
  });
});
