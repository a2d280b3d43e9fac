/** Drives that leave, come back and are replaced: over restarts, with damaged memory, and what is never missed. */
import { describe, expect, it } from "vitest";
import { driveEvents } from "../../../src/collectors/drives/conditions.ts";
import { drivesCollector } from "../../../src/collectors/drives/drives.ts";
import { parseDriveMemory } from "../../../src/collectors/drives/memory/kept.ts";
import { forgetDrive } from "../../../src/collectors/drives/missing.ts";
import type { DrivesData } from "../../../src/collectors/drives/schema.ts";
import { openFiles } from "../../../src/system/files.ts";
import { hostMachine, type Machine } from "../../../src/system/machine.ts";
import { addBlock } from "../../support/drives/block-tree.ts";
import { changeTree, collectDrives, driveNamed, jsonMemory } from "../../support/drives/drives.ts";
import { ENCLOSURE_ID, jbod, jbodSerial } from "../../support/drives/jbod.ts";
import { layTree, loadTree, type Tree, treeMachine } from "../../support/machine/tree.ts";

const T0 = 1_760_000_000_000;

/** A machine whose drives are changed while it runs. */
function changingMachine(first: Tree): (next: Tree, now: number) => Machine {
  const root = layTree(first);
  const files = openFiles(root);
  let tree = first;
  return (next, now) => {
    changeTree(root, tree, next);
    tree = next;
    return { ...hostMachine(), files, clock: { now: () => now, monotonic: () => now } };
  };
}

function types(before: DrivesData | null, after: DrivesData): string[] {
  return driveEvents(before, after).map((event) => `${event.type} ${event.data.serial}`);
}

function unmount(tree: Tree, mountpoint: string): void {
  const lines = String(tree.files["/proc/self/mountinfo"]).split("\n");
  tree.files["/proc/self/mountinfo"] = lines.filter((line) => !line.includes(` ${mountpoint} `)).join("\n");
}

describe("a drive pulled out of a 90-bay JBOD", () => {
  it("is missing with its slot, also after a restart, until another drive is in its slot", async () => {
    const memory = jsonMemory();
    const first = drivesCollector();
    const machine = changingMachine(jbod(90));
    const full = await collectDrives(first, machine(jbod(90), T0), memory);
    expect(driveEvents(null, full)).toEqual([]);

    const pulled = await collectDrives(first, machine(jbod(90, { pulled: [7] }), T0 + 60_000), memory);
    expect(pulled.missing).toEqual([
      {
        id: "wwn-0x5000c500cafe0070",
        serial: jbodSerial(7),
        model: "ST16000NM002G",
        last_name: "sdi",
        enclosure: ENCLOSURE_ID,
        slot: "7",
        size_bytes: 16_000_000_000_000,
        carried: null,
        since: new Date(T0 + 60_000).toISOString(),
      },
    ]);
    expect(pulled.drives).toHaveLength(93);
    expect(driveEvents(full, pulled)).toMatchObject([
      {
        type: "drive.missing",
        severity: "warning",
        data: { serial: jbodSerial(7), slot: "7", enclosure: ENCLOSURE_ID },
      },
    ]);
    expect(first.conditions?.(pulled)).toMatchObject([
      {
        code: "drive_missing",
        subject: jbodSerial(7),
        text: "A drive is gone (ST16000NM002G, slot 7, last sdi), noticed 2025-10-09 08:54 UTC.",
        nextStep: expect.stringContaining("drives forget"),
      },
    ]);

    const restarted = drivesCollector();
    const still = await collectDrives(restarted, machine(jbod(90, { pulled: [7] }), T0 + 999_000), memory);
    expect(still.missing).toEqual(pulled.missing);
    expect(driveEvents(null, still)).toEqual([]);

    const replaced = await collectDrives(restarted, machine(jbod(90, { replaced: [7] }), T0 + 1e6), memory);
    expect(replaced.missing).toEqual([]);
    expect(driveEvents(still, replaced)).toMatchObject([
      {
        type: "drive.replaced",
        severity: "info",
        data: { serial: jbodSerial(7), slot: "7", replaced_by: "wwn-0x5000c500cafe007f" },
      },
    ]);
    expect(restarted.conditions?.(replaced)).toEqual([]);
  });

  it("comes back as what it was", async () => {
    const memory = jsonMemory();
    const collector = drivesCollector();
    await collectDrives(collector, treeMachine(jbod(4)), memory);
    const gone = await collectDrives(collector, treeMachine(jbod(4, { pulled: [2, 3] })), memory);
    const back = await collectDrives(collector, treeMachine(jbod(4, { pulled: [3] })), memory);
    expect(back.missing.map((drive) => drive.slot)).toEqual(["3"]);
    expect(types(gone, back)).toEqual([`drive.returned ${jbodSerial(2)}`]);
  });

  it("tells a drive that was swapped or lost while the agent was not running, once", async () => {
    const memory = jsonMemory();
    await collectDrives(drivesCollector(), treeMachine(jbod(4)), memory);
    const collector = drivesCollector();
    const tree = jbod(4, { pulled: [1], replaced: [2] });
    const after = await collectDrives(collector, treeMachine(tree), memory);
    expect(types(null, after).sort()).toEqual([
      `drive.missing ${jbodSerial(1)}`,
      `drive.replaced ${jbodSerial(2)}`,
    ]);
    const next = await collectDrives(collector, treeMachine(tree), memory);
    expect(driveEvents(after, next)).toEqual([]);
    const later = await collectDrives(drivesCollector(), treeMachine(tree), memory);
    expect(driveEvents(null, later)).toEqual([]);
  });

  it("tells every drive when a whole enclosure goes", async () => {
    const memory = jsonMemory();
    const collector = drivesCollector();
    const full = await collectDrives(collector, treeMachine(jbod(24)), memory);
    const all = Array.from({ length: 24 }, (_, index) => index + 1);
    const gone = await collectDrives(collector, treeMachine(jbod(24, { pulled: all })), memory);
    expect(gone.missing).toHaveLength(24);
    expect(driveEvents(full, gone)).toHaveLength(24);
  });

  it("tells a drive that is added to an empty slot", async () => {
    const memory = jsonMemory();
    const collector = drivesCollector();
    const before = await collectDrives(collector, treeMachine(jbod(3)), memory);
    const after = await collectDrives(collector, treeMachine({ ...jbod(4) }), memory);
    // One more bay moves the second paths' names, not one drive's id.
    expect(types(before, after)).toEqual([]);
    const fresh = drivesCollector();
    const grown = await collectDrives(fresh, treeMachine(jbod(4)), memory);
    expect(types(null, grown)).toEqual([`drive.added ${jbodSerial(4)}`]);
  });
});

describe("what is remembered", () => {
  it("waits with the verdict until a machine that has just booted has spun up its drives", async () => {
    const memory = jsonMemory();
    await collectDrives(drivesCollector(), treeMachine(jbod(3)), memory);
    const collector = drivesCollector();
    const young = jbod(3, { pulled: [1] });
    young.files["/proc/uptime"] = "42.10 80.00\n";
    const early = await collectDrives(collector, treeMachine(young), memory);
    expect(early.missing).toEqual([]);
    young.files["/proc/uptime"] = "242.10 480.00\n";
    const late = await collectDrives(collector, treeMachine(young), memory);
    expect(late.missing).toHaveLength(1);
  });

  it("does not miss USB drives and virtual disks that nothing of this host is on", async () => {
    const memory = jsonMemory();
    const collector = drivesCollector();
    const tree = loadTree("pi4");
    unmount(tree, "/mnt/my\\040data");
    addBlock(
      tree,
      {
        name: "vda",
        dev: "252:0",
        parent: "pci0000:00/0000:00:05.0/virtio2",
        bytes: 2 ** 30,
        own: { serial: "disk1" },
      },
      5,
    );
    const before = await collectDrives(collector, treeMachine(tree), memory);
    expect(driveNamed(before, "vda")).toMatchObject({
      type: "virtual",
      transport: "virtio",
      id: "serial-disk1",
    });
    const rest = loadTree("pi4");
    unmount(rest, "/mnt/my\\040data");
    delete rest.links?.["/sys/block/sda"];
    rest.files["/sys/kernel/uevent_seqnum"] = "1800\n";
    const after = await collectDrives(collector, treeMachine(rest), memory);
    expect(after.drives.map((drive) => drive.name)).toEqual(["mmcblk0"]);
    expect(after.missing).toEqual([]);
    expect(driveEvents(before, after)).toEqual([]);
  });

  it("calls nothing missing when /sys/block shows nothing at all", async () => {
    const memory = jsonMemory();
    const collector = drivesCollector();
    await collectDrives(collector, treeMachine(jbod(2)), memory);
    const kept = memory.get();
    await expect(
      collectDrives(collector, treeMachine({ files: {}, folders: ["/sys/block"] }), memory),
    ).rejects.toThrow(expect.objectContaining({ code: "block_devices_unreadable" }));
    expect(memory.get()).toEqual(kept);
  });

  it("recognises a drive by its serial number whose WWN could not be read at first", async () => {
    const memory = jsonMemory();
    const blind = jbod(1);
    for (const path of Object.keys(blind.files)) if (path.endsWith("/wwid")) delete blind.files[path];
    for (const path of Object.keys(blind.files)) if (path.startsWith("/run/udev")) delete blind.files[path];
    const before = await collectDrives(drivesCollector(), treeMachine(blind), memory);
    expect(driveNamed(before, "sdc")).toMatchObject({ id: `serial-${jbodSerial(1)}`, paths: [{}, {}] });
    const after = await collectDrives(drivesCollector(), treeMachine(jbod(1)), memory);
    expect(driveNamed(after, "sdc").id).toBe("wwn-0x5000c500cafe0010");
    expect(after.missing).toEqual([]);
    expect(driveEvents(null, after)).toEqual([]);
  });

  it.each([
    ["a text", "garbage"],
    ["a list", [1, 2]],
    ["a number", 7],
    ["a wrong shape", { drives: "x", history: 3 }],
    ["half an entry", { drives: [{ id: 1 }, null, { id: "x" }], history: [{ seq: -1 }, "x"] }],
  ])("survives a memory that is %s", async (_what, kept) => {
    const memory = jsonMemory(kept);
    const data = await collectDrives(drivesCollector(), treeMachine(jbod(2)), memory);
    expect(data.missing).toEqual([]);
    expect(parseDriveMemory(memory.get())?.drives).toHaveLength(6);
  });

  it("loses only the damaged entry of a memory, and of an entry only a damaged fact", async () => {
    const memory = jsonMemory();
    const collector = drivesCollector();
    await collectDrives(collector, treeMachine(jbod(3)), memory);
    await collectDrives(collector, treeMachine(jbod(3, { pulled: [1, 2] })), memory);
    const kept = JSON.parse(JSON.stringify(memory.get()));
    const damaged = kept.drives.find((drive: { slot: string }) => drive.slot === "1");
    damaged.size_bytes = "big";
    memory.set(kept);
    const tree = jbod(3, { pulled: [1, 2] });
    const after = await collectDrives(drivesCollector(), treeMachine(tree), memory);
    expect(after.missing.map((drive) => [drive.slot, drive.size_bytes !== null])).toEqual([
      ["1", false],
      ["2", true],
    ]);
    damaged.id = 7;
    memory.set(kept);
    const less = await collectDrives(drivesCollector(), treeMachine(tree), memory);
    expect(less.missing.map((drive) => drive.slot)).toEqual(["2"]);
  });
});

describe("forgetDrive", () => {
  it("forgets a missing drive by serial number or id, and no drive that is there", async () => {
    const memory = jsonMemory();
    const collector = drivesCollector();
    await collectDrives(collector, treeMachine(jbod(4)), memory);
    const tree = jbod(4, { pulled: [1, 2] });
    const gone = await collectDrives(collector, treeMachine(tree), memory);
    expect(forgetDrive(memory, jbodSerial(3))).toBe(false);
    expect(forgetDrive(memory, "nonsense")).toBe(false);
    expect(forgetDrive(memory, jbodSerial(1).toLowerCase())).toBe(true);
    const after = await collectDrives(collector, treeMachine(tree), memory);
    expect(after.missing.map((drive) => drive.slot)).toEqual(["2"]);
    expect(driveEvents(gone, after)).toEqual([]);
    expect(forgetDrive(memory, after.missing[0]?.id ?? "")).toBe(true);
    expect(forgetDrive(memory, jbodSerial(2))).toBe(false);
    expect(forgetDrive(jsonMemory("garbage"), "x")).toBe(false);
  });
});
