/** Sick drives, broken files and this very machine: whatever one drive does, the rest of the section is there. */
import { closeSync, constants, openSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { isNoData } from "../../../src/collectors/collector.ts";
import { drivesCollector } from "../../../src/collectors/drives/drives.ts";
import { openFiles } from "../../../src/system/files.ts";
import { hostMachine } from "../../../src/system/machine.ts";
import { collectDrives, driveNamed, jsonMemory } from "../../support/drives/drives.ts";
import { jbod } from "../../support/drives/jbod.ts";
import { collectContext, layTree, loadTree, type Tree, treeMachine } from "../../support/machine/tree.ts";

const NVME0 = "/sys/devices/pci0000:c0/0000:c0:01.1/0000:c1:00.0/nvme/nvme0";

describe("a drive that never answers", () => {
  it("costs its own temperature, is named, and is trusted again when it answers", async () => {
    const tree = jbod(2);
    delete tree.files[`${NVME0}/hwmon5/temp1_input`];
    tree.fifos = [`${NVME0}/hwmon5/temp1_input`];
    const root = layTree(tree);
    const fifo = join(root, NVME0, "hwmon5/temp1_input");
    // Whoever waits at the FIFO's other end is let go, or the process could not end.
    const release = (): void => closeSync(openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK));
    onTestFinished(release);
    const machine = { ...treeMachine({ files: {} }), files: openFiles(root) };
    const collector = drivesCollector();
    const memory = jsonMemory();

    const data = await collectDrives(collector, machine, memory);
    expect(driveNamed(data, "nvme0n1")).toMatchObject({
      temperature_c: null,
      temperature_problem: "timeout",
      answering: false,
      serial: "S64GNE0R000001",
      state: "online",
    });
    expect(driveNamed(data, "nvme0n1").io).not.toBeNull();
    expect(driveNamed(data, "nvme1n1")).toMatchObject({ temperature_c: 37.9, answering: true });
    expect(driveNamed(data, "sda").mounts[0]?.size_bytes).toBeGreaterThan(0);
    expect(data.drives).toHaveLength(6);
    expect(collector.conditions?.(data)).toMatchObject([{ code: "drive_not_answering", subject: "nvme0n1" }]);

    const again = await collectDrives(collector, machine, memory);
    expect(driveNamed(again, "nvme0n1")).toMatchObject({
      temperature_problem: "quarantined",
      answering: false,
    });

    release();
    await expect.poll(() => machine.files.slow.quarantined()).toEqual([]);
  });

  it("asks nothing more once the run is to stop, and still gives the rest", async () => {
    const context = { ...collectContext(treeMachine(jbod(2))), signal: AbortSignal.abort() };
    const data = await drivesCollector().collect(context);
    if (isNoData(data)) throw new Error(data.noData);
    expect(driveNamed(data, "nvme0n1")).toMatchObject({
      temperature_c: null,
      temperature_problem: "stopped",
    });
    expect(driveNamed(data, "sda").mounts[0]?.use_problem).toBe("stopped");
    expect(data.drives).toHaveLength(6);
  });
});

describe("files that can't be read", () => {
  it.each(["EIO", "EACCES", "EINVAL"])("%s on any one of them costs at most what is in it", async (code) => {
    const tree = loadTree("ceph-node");
    const root = layTree(tree);
    const withErrors = (errors: Record<string, string> = {}) => ({
      ...treeMachine({ files: {} }),
      files: openFiles(root, { ...tree.errors, ...errors }),
    });
    const whole = await collectDrives(drivesCollector(), withErrors());
    const attributes = [
      "size dev ro removable diskseq stat queue/rotational queue/logical_block_size device/model device/vendor",
      "device/rev device/wwid device/vpd_pg80 device/state",
    ].flatMap((words) => words.split(" ").map((word) => `/sys/block/sdc/${word}`));
    const others = [
      "/proc/diskstats",
      "/proc/swaps",
      "/proc/self/mountinfo",
      "/sys/class/block",
      "/sys/class/enclosure",
      "/sys/class/hwmon",
      "/sys/class/nvme/nvme0/state",
      "/sys/class/hwmon/hwmon5/temp1_input",
      "/sys/bus/pci/slots",
      "/run/udev/data/b8:32",
      "/sys/block/dm-2/slaves",
      "/sys/kernel/uevent_seqnum",
      "/sys/fs/ext4/sdm2/errors_count",
    ];
    for (const path of [...attributes, ...others]) {
      const data = await collectDrives(drivesCollector(), withErrors({ [path]: code }));
      expect(
        data.drives.map((drive) => drive.name),
        path,
      ).toEqual(whole.drives.map((drive) => drive.name));
      const same = data.drives.filter((drive) => drive.name !== "sdc").map((drive) => drive.id);
      expect(same, path).toEqual(whole.drives.filter((it) => it.name !== "sdc").map((it) => it.id));
    }
    const hot = withErrors({ "/sys/class/hwmon/hwmon5/temp1_input": code });
    const nvme = driveNamed(await collectDrives(drivesCollector(), hot), "nvme0n1");
    expect(nvme).toMatchObject({ temperature_c: null, temperature_problem: code, answering: true });
  });

  it("says that /sys/block is closed to it", async () => {
    const tree: Tree = { ...jbod(1), errors: { "/sys/block": "EACCES" } };
    const answer = await drivesCollector().collect(collectContext(treeMachine(tree)));
    expect(isNoData(answer) && answer.noData).toContain("/sys/block");
  });

  it("cleans binary garbage out of a model, and takes a filler for no serial number", async () => {
    const tree = jbod(1);
    const at = Object.keys(tree.files).find((path) => path.endsWith("0:0:0:0/model")) as string;
    const folder = at.slice(0, -"/model".length);
    tree.files[at] = {
      base64: Buffer.from([0x41, 0xff, 0x00, 0x1b, 0x5b, 0x42, 0xfe, 0x20, 0x20, 0x43]).toString("base64"),
    };
    tree.files[`${folder}/vpd_pg80`] = {
      base64: Buffer.from([0, 0x80, 0, 4, 0x30, 0x30, 0x30, 0x30]).toString("base64"),
    };
    for (const path of Object.keys(tree.files)) if (path.startsWith("/run/udev")) delete tree.files[path];
    const data = await collectDrives(drivesCollector(), treeMachine(tree));
    expect(driveNamed(data, "sdc")).toMatchObject({ model: "A[B C", serial: null });
  });
});

describe("this machine", () => {
  it("is collected twice with the same drives, or says why there are none", async () => {
    const collector = drivesCollector();
    const machine = hostMachine();
    const context = collectContext(machine);
    const first = await collector.collect(context);
    if (isNoData(first)) {
      expect(first.noData.length).toBeGreaterThan(10);
      return;
    }
    const second = await collectDrives(collector, machine, context.memory);
    expect(second.drives.map((drive) => drive.id)).toEqual(first.drives.map((drive) => drive.id));
    for (const drive of second.drives) expect(drive.paths.length).toBeGreaterThan(0);
  });
});
