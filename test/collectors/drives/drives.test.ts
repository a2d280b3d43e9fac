/** The collector `drives` over whole machines: which drives there are, where, with what on them. */
import { describe, expect, it } from "vitest";
import { isNoData } from "../../../src/collectors/collector.ts";
import { drivesCollector } from "../../../src/collectors/drives/drives.ts";
import { compileFacets, redact, stableText, volatileOf } from "../../../src/model/facets.ts";
import { collectDrives, driveNamed, jsonMemory, watchedMachine } from "../../support/drives/drives.ts";
import { ENCLOSURE_ID, jbod, jbodSerial } from "../../support/drives/jbod.ts";
import { collectContext, loadTree, treeMachine } from "../../support/machine/tree.ts";

describe("a 90-bay JBOD with two paths to each drive", () => {
  it("shows 90 drives in their slots, each with its two paths, in the order people count", async () => {
    const data = await collectDrives(drivesCollector(), treeMachine(jbod(90)));
    const inBays = data.drives.filter((drive) => drive.transport === "sas");
    expect(data.drives).toHaveLength(94);
    expect(inBays).toHaveLength(90);
    expect(inBays.map((drive) => drive.slot)).toEqual(Array.from({ length: 90 }, (_, i) => String(i + 1)));
    expect(inBays.map((drive) => drive.paths.length)).toEqual(Array.from({ length: 90 }, () => 2));
    expect(new Set(data.drives.map((drive) => drive.id)).size).toBe(94);
    expect(inBays[25]).toMatchObject({
      id: "wwn-0x5000c500cafe0260",
      name: "sdab",
      model: "ST16000NM002G",
      vendor: "SEAGATE",
      serial: jbodSerial(26),
      type: "hdd",
      enclosure: ENCLOSURE_ID,
      enclosure_model: "SMC SC947S",
      state: "online",
      paths: [
        { name: "sdab", address: "0x5000c500cafe0261", state: "running" },
        { name: "sddn", address: "0x5000c500cafe0262", state: "running" },
      ],
    });
  });

  it("adds up the counters of both paths", async () => {
    const data = await collectDrives(drivesCollector(), treeMachine(jbod(3)));
    // sdc and sdf, the third and sixth disk: the generator counts from 1000 by the disk's number.
    expect(driveNamed(data, "sdc").io).toMatchObject({ reads_completed: 1102 + 1105, io_ms: 2400 });
  });

  it("knows the boot RAID on both its members, and the NVMe drives by PCI slot and temperature", async () => {
    const data = await collectDrives(drivesCollector(), treeMachine(jbod(2)));
    for (const name of ["sda", "sdb"]) {
      const drive = driveNamed(data, name);
      expect(drive).toMatchObject({ type: "ssd", transport: "sata", firmware: "SOB20R" });
      expect(drive.holders).toMatchObject([{ name: "md127", kind: "md", level: "raid1", degraded: 0 }]);
      expect(drive.mounts[0]).toMatchObject({ mountpoint: "/", device: "/dev/md127", errors: 0 });
      expect(drive.mounts[0]?.size_bytes).toBeGreaterThan(0);
    }
    expect(driveNamed(data, "nvme1n1")).toMatchObject({ type: "nvme", slot: "21", temperature_c: 37.9 });
  });

  it("says when one of two paths is offline", async () => {
    const collector = drivesCollector();
    const data = await collectDrives(collector, treeMachine(jbod(3, { pathOffline: [2] })));
    expect(driveNamed(data, "sdd").state).toBe("degraded");
    expect(collector.conditions?.(data)).toMatchObject([{ code: "drive_path_offline", subject: "sdd" }]);
  });

  it("never asks the enclosure, and reads only counters and states while nothing changes", async () => {
    const { machine, paths } = watchedMachine(jbod(12));
    const collector = drivesCollector();
    const memory = jsonMemory();
    const first = await collectDrives(collector, machine, memory);
    expect(paths.filter((path) => /enclosure.*\/(?:status|locate|fault)$/.test(path))).toEqual([]);
    paths.length = 0;
    const second = await collectDrives(collector, machine, memory);
    const states = paths.filter((path) => path.endsWith("/state"));
    expect(states).toHaveLength(2 * 12 + 4);
    expect(paths.filter((path) => !path.endsWith("/state")).sort()).toEqual([
      "/",
      "/boot/efi",
      "/proc/diskstats",
      "/proc/self/mountinfo",
      "/proc/swaps",
      "/sys/block/md127/md",
      "/sys/block/md127/md/array_state",
      "/sys/block/md127/md/degraded",
      "/sys/block/md127/md/raid_disks",
      "/sys/block/md127/md/sync_action",
      "/sys/class/hwmon/hwmon5/temp1_input",
      "/sys/class/hwmon/hwmon6/temp1_input",
      "/sys/fs/ext4/md127/errors_count",
      "/sys/kernel/uevent_seqnum",
    ]);
    expect(second.drives.map((drive) => drive.id)).toEqual(first.drives.map((drive) => drive.id));
    expect(memory.writes).toBe(1);
  });

  it("gives the same stable text while only counters and temperatures move, and hides what identifies", async () => {
    const collector = drivesCollector();
    const tree = jbod(2);
    const memory = jsonMemory();
    const before = await collectDrives(collector, treeMachine(tree), memory);
    tree.files["/proc/diskstats"] = (tree.files["/proc/diskstats"] as string).replaceAll(" 80", " 99");
    for (const path of Object.keys(tree.files))
      if (path.endsWith("temp1_input")) tree.files[path] = "51850\n";
    const after = await collectDrives(collector, treeMachine(tree), memory);
    const facets = compileFacets(collector.volatile);
    expect(stableText(after, facets)).toBe(stableText(before, facets));
    expect(volatileOf(after, facets)).not.toEqual(volatileOf(before, facets));
    const hidden = JSON.stringify(redact(after, compileFacets(collector.sensitive)));
    expect(hidden).not.toMatch(/ZL200001|5000c500cafe|S64GNE|SMC0515/);
  });
});

describe("fixture machines", () => {
  it("ceph-node: OSD volumes on the drives that hold them, no question to ceph, nfs or tmpfs", async () => {
    const { machine, paths } = watchedMachine(loadTree("ceph-node"));
    const data = await collectDrives(drivesCollector(), machine);
    expect(data.drives.map((drive) => drive.type)).toEqual([
      "nvme",
      "nvme",
      ...Array.from({ length: 12 }, () => "hdd"),
      "ssd",
    ]);
    const osd = driveNamed(data, "sdc");
    expect(osd).toMatchObject({ slot: "2", enclosure_model: "DP BP14G+EXP", fstype: "LVM2_member" });
    expect(osd.holders).toMatchObject([{ kind: "lvm", on: "sdc" }]);
    expect(osd.holders[0]?.label).toContain("osd--block");
    expect(driveNamed(data, "nvme1n1").holders).toHaveLength(6);
    const boot = driveNamed(data, "sdm");
    expect(boot).toMatchObject({
      model: "SSDSC2KG480G8R",
      firmware: "XCV1DL67",
      serial: "PHYG012301AB480BGN",
    });
    expect(boot.mounts.map((mount) => mount.mountpoint)).toEqual(["/", "/boot/efi"]);
    expect(boot.swap).toEqual([{ device: "/dev/sdm3", size_bytes: 8388604 * 1024, used_bytes: 1024 * 1024 }]);
    // Names of folders on the host's own file system; nothing that may be a mount.
    expect(paths.filter((path) => path.startsWith("/mnt") || path.startsWith("/var/lib/ceph"))).toEqual([
      "/var/lib/ceph",
      "/var/lib/ceph/osd",
    ]);
  });

  it("pi4: SD card without wear data, USB SSD, swap file, a mount point with a space", async () => {
    const collector = drivesCollector();
    const memory = jsonMemory();
    const data = await collectDrives(collector, treeMachine(loadTree("pi4")), memory);
    expect(data.drives.map((drive) => drive.name)).toEqual(["mmcblk0", "sda"]);
    const card = driveNamed(data, "mmcblk0");
    expect(card).toMatchObject({ id: "serial-0x7a41c35e", type: "mmc", transport: "mmc", hotplug: true });
    expect(card.mmc).toMatchObject({ kind: "SD", life_used_percent: null, reserve: null });
    expect(card.swap).toMatchObject([{ device: "/var/swap" }]);
    expect(card.mounts.map((mount) => mount.mountpoint)).toEqual(["/", "/boot/firmware"]);
    expect(driveNamed(data, "sda")).toMatchObject({
      id: "serial-S5TENJ0R123456X",
      type: "ssd",
      transport: "usb",
      hotplug: true,
      mounts: [{ mountpoint: "/mnt/my data", use_problem: "EACCES", errors: 0 }],
    });
    expect(collector.conditions?.(data)).toEqual([]);
    expect(memory.get()).toMatchObject({
      drives: [
        { last_name: "mmcblk0", stays: true, carried: "/, /boot/firmware, swap" },
        { last_name: "sda", stays: true, carried: "/mnt/my data" },
      ],
      history: [],
    });
  });

  it("container: says that no drives are visible, and asks no file system anything", async () => {
    const { machine, paths } = watchedMachine(loadTree("container"));
    const answer = await drivesCollector().collect(collectContext(machine));
    expect(isNoData(answer) && answer.noData).toMatch(/no drives/i);
    expect(paths).not.toContain("/data");
    expect(paths).not.toContain("/etc/hosts");
  });

  it("gives complete metrics and a row for each drive", async () => {
    const collector = drivesCollector();
    const data = await collectDrives(collector, treeMachine(loadTree("ceph-node")));
    const samples = new Map(collector.metrics.map((metric) => [metric.name, [...metric.samples(data)]]));
    expect(samples.get("node_disk_info")).toHaveLength(15);
    expect(samples.get("foundry_agent_drives")).toEqual([
      { value: 12, labels: { type: "hdd" } },
      { value: 2, labels: { type: "nvme" } },
      { value: 1, labels: { type: "ssd" } },
    ]);
    expect(samples.get("foundry_agent_drives_missing")).toEqual([{ value: 0 }]);
    expect(samples.get("smartctl_device_temperature")?.[0]).toEqual({
      value: 31.9,
      labels: { device: "nvme0n1", temperature_type: "current" },
    });
    const failed = { device_error: "EACCES" };
    expect(samples.get("node_filesystem_readonly")).toEqual([
      { value: 0, labels: { device: "/dev/sdm2", fstype: "ext4", mountpoint: "/", ...failed } },
      { value: 0, labels: { device: "/dev/sdm1", fstype: "vfat", mountpoint: "/boot/efi", ...failed } },
    ]);
    expect(samples.get("node_filesystem_size_bytes")).toEqual([]);
    expect(samples.get("node_filesystem_device_error")?.map(({ value }) => value)).toEqual([1, 1]);
    expect(samples.get("foundry_agent_drives_by_kind")).toEqual([
      { value: 12, labels: { kind: "hdd" } },
      { value: 3, labels: { kind: "flash" } },
    ]);
    const rows = collector.table?.rows(data, 0) ?? [];
    expect(rows).toHaveLength(15);
    expect(rows[2]?.slice(0, 5)).toEqual(["0", "sda", "ST18000NM004J", "18 TB", "hdd"]);
    expect(rows.every((row) => row.length === collector.table?.columns.length)).toBe(true);
  });
});
