/** Drives that tell the same of themselves: none may hide behind another, and what is one stays one. */
import { describe, expect, it } from "vitest";
import type { SmartData } from "../../../src/collectors/smart/schema.ts";
import { ataJson, driveTree } from "../../support/drives/fake-drives.ts";
import { capture } from "../../support/drives/smart.ts";
import { DAY_MS, device, mapHistory, rig, SLEEPS } from "../../support/drives/smart-rig.ts";
import type { Tree } from "../../support/machine/tree.ts";
import { conditionCodes } from "../../support/text/shape.ts";

const WWN = { naa: 5, oui: 3152, id: 7 };
const NO_WWN = { wwn: undefined };
const FAILING = { smart_status: { passed: false } };
const EMPTY: Tree = { files: { "/sys/block/loop0/size": "0" } };

const shape = (data: SmartData): string[] =>
  data.drives.map(({ device: name, id, severity, paths }) => `${name} ${id} ${severity} ${paths.length}`);

/** Directly attached disks, each with what the kernel tells of it. */
function tree(
  disks: Record<string, { serial?: string; wwn?: string; vendor?: string; link?: string }>,
): Tree {
  const made: Tree = { files: {}, links: {} };
  for (const [name, { serial, wwn, vendor = "ATA     ", link }] of Object.entries(disks)) {
    const at = link === undefined ? `/sys/block/${name}` : link.replace("..", "/sys");
    made.files[`${at}/size`] = "8388608";
    made.files[`${at}/device/vendor`] = vendor;
    made.files[`${at}/device/model`] = "LAB-ATA";
    if (wwn !== undefined) made.files[`${at}/device/wwid`] = `naa.${wwn}`;
    if (serial !== undefined) made.files[`${at}/device/vpd_pg80`] = `\u0000\u0080\u0000\u0008${serial}`;
    if (link !== undefined) (made.links as Record<string, string>)[`/sys/block/${name}`] = link;
  }
  return made;
}

const usb = (port: string, name: string): string =>
  `../devices/pci0000:00/0000:00:14.0/usb1/1-${port}/1-${port}:1.0/host7/target7:0:0/7:0:0:0/block/${name}`;

describe("one WWN for a whole batch", () => {
  it.each([
    ["where the kernel tells nothing", EMPTY],
    [
      "where the kernel tells the WWN only",
      tree({ sda: { wwn: "5a08bc1800000016" }, sdb: { wwn: "5a08bc1800000016" } }),
    ],
    [
      "where the kernel tells all",
      tree({
        sda: { wwn: "5a08bc1800000016", serial: "INVA0001" },
        sdb: { wwn: "5a08bc1800000016", serial: "INVA0002" },
      }),
    ],
  ])("shows the failing one, %s", async (_name, machine) => {
    const it = rig(machine);
    it.drives.scan(["sda", "sdb"].map((name) => ({ device: `/dev/${name}`, type: "sat" })));
    it.drives.says("/dev/sda", "sat", capture("pairs/same-wwn-sda"));
    it.drives.says("/dev/sdb", "sat", capture("pairs/same-wwn-sdb"), 24);
    const data = await it.round();
    expect(data.drives).toHaveLength(2);
    expect(new Set(data.drives.map(({ id }) => id)).size).toBe(2);
    expect(device(data, "sda").severity).toBe("ok");
    expect(device(data, "sdb")).toMatchObject({ severity: "fail", serial: "INVA0002" });
    expect(conditionCodes(it.collector(), data)).toContain("smart_failing(sdb)");
  });

  it("keeps the key of each while the other comes and goes, over restarts", async () => {
    const it = rig(EMPTY);
    const scan = (...names: string[]) =>
      it.drives.scan(names.map((name) => ({ device: `/dev/${name}`, type: "sat" })));
    it.drives.says("/dev/sda", "sat", ataJson("OLDDRIVE1", { wwn: WWN }));
    it.drives.says("/dev/sdb", "sat", ataJson("NEWDRIVE2", { wwn: WWN }));
    scan("sda");
    expect(shape(await it.round())).toEqual(["sda wwn-0x5000c50000000007 ok 1"]);
    scan("sda", "sdb");
    const both = ["sda wwn-0x5000c50000000007 ok 1", "sdb wwn-0x5000c50000000007-NEWDRIVE2 ok 1"];
    expect(shape(await it.round())).toEqual(both);
    it.restart();
    expect(shape(await it.round())).toEqual(both);
    scan("sdb");
    it.restart();
    expect(shape(await it.round())).toEqual([both[1]]);
    // The letters change at the next start.
    it.drives.says("/dev/sdb", "sat", ataJson("OLDDRIVE1", { wwn: WWN }));
    it.drives.says("/dev/sda", "sat", ataJson("NEWDRIVE2", { wwn: WWN }));
    scan("sda", "sdb");
    it.restart();
    expect(shape(await it.round())).toEqual([
      "sda wwn-0x5000c50000000007-NEWDRIVE2 ok 1",
      "sdb wwn-0x5000c50000000007 ok 1",
    ]);
  });

  it("is said where only smartctl tells it", async () => {
    const it = rig(EMPTY);
    it.drives.scan([0, 1].map((nth) => ({ device: "/dev/bus/0", type: `megaraid,${nth}` })));
    it.drives.says("/dev/bus/0", "megaraid,0", ataJson("RAIDDRIVE1", { wwn: WWN }));
    it.drives.says("/dev/bus/0", "megaraid,1", ataJson("RAIDDRIVE2", { wwn: WWN, ...FAILING }));
    const data = await it.round();
    expect(data.twins).toEqual([{ share: "wwn", devices: ["bus_0_megaraid_0", "bus_0_megaraid_1"] }]);
    expect(conditionCodes(it.collector(), data)).toEqual([
      "smart_failing(bus_0_megaraid_1)",
      "drive_wwn_shared(bus_0_megaraid_0,bus_0_megaraid_1)",
    ]);
  });
});

describe("one serial number for all bays", () => {
  it("two bays of a USB bridge are two drives, whatever it tells in their place", async () => {
    const serial = "0123456789ABCDEF";
    const it = rig(
      tree({
        sdb: { serial, vendor: "JMicron", link: usb("1", "sdb") },
        sdc: { serial, vendor: "JMicron", link: usb("2", "sdc") },
      }),
    );
    it.drives.scan(["sdb", "sdc"].map((name) => ({ device: `/dev/${name}`, type: "sat" })));
    it.drives.says("/dev/sdb", "sat", ataJson(serial, NO_WWN));
    it.drives.says("/dev/sdc", "sat", ataJson(serial, { ...NO_WWN, ...FAILING }));
    const data = await it.round();
    expect(data.drives.map(({ device: name, severity }) => `${name} ${severity}`)).toEqual([
      "sdb ok",
      "sdc fail",
    ]);
    expect(new Set(data.drives.map(({ id }) => id)).size).toBe(2);
    expect(conditionCodes(it.collector(), data)).toContain("smart_failing(sdc)");
  });

  it("two numbers behind one controller are two drives", async () => {
    const it = rig(EMPTY);
    it.drives.scan([3, 4].map((nth) => ({ device: "/dev/bus/0", type: `megaraid,${nth}` })));
    it.drives.says("/dev/bus/0", "megaraid,3", ataJson("MASKED0001", NO_WWN));
    it.drives.says("/dev/bus/0", "megaraid,4", ataJson("MASKED0001", { ...NO_WWN, ...FAILING }));
    const data = await it.round();
    expect(data.drives.map(({ severity }) => severity)).toEqual(["ok", "fail"]);
  });

  it("each has growth of its own", async () => {
    const history = mapHistory();
    const it = rig(EMPTY, { history });
    it.drives.scan([3, 4].map((nth) => ({ device: "/dev/bus/0", type: `megaraid,${nth}` })));
    it.drives.says("/dev/bus/0", "megaraid,3", ataJson("MASKED0001", { wwn: WWN }, { 5: 100 }));
    it.drives.says("/dev/bus/0", "megaraid,4", ataJson("MASKED0001", { wwn: { ...WWN, id: 8 } }, { 5: 2 }));
    await it.round();
    it.clock.forward(DAY_MS);
    const data = await it.round();
    expect(data.drives.map(({ trend }) => trend?.reallocated)).toEqual([0, 0]);
    expect(history.read("MASKED0001")).toEqual([]);
  });

  it("two disks of one JMicron bridge are asked both", async () => {
    const it = rig(tree({ sdb: { serial: "DD5641988385", vendor: "JMicron", link: usb("1", "sdb") } }), {
      types: ["/dev/sdb usbjmicron,0", "/dev/sdb usbjmicron,1"],
    });
    it.drives.scan([{ device: "/dev/sdb", type: "usbjmicron" }]);
    it.drives.says("/dev/sdb", "usbjmicron,0", ataJson("LEFTDISK01"));
    it.drives.says("/dev/sdb", "usbjmicron,1", ataJson("RIGHTDISK2", FAILING));
    const data = await it.round();
    expect(data.drives.map(({ device: name, severity }) => `${name} ${severity}`)).toEqual([
      "sdb_port_0 ok",
      "sdb_port_1 fail",
    ]);
  });
});

describe("one drive", () => {
  it.each(["S20DISK001", "s20disk001 ", "2SD0SI0K10"])(
    "behind a controller too, whose spelling is %s",
    async (spelt) => {
      const it = rig(tree({ sda: { wwn: "5000c50000000007", serial: "S20DISK001" } }));
      it.drives.scan([
        { device: "/dev/sda", type: "sat" },
        { device: "/dev/bus/0", type: "megaraid,3" },
      ]);
      it.drives.says("/dev/sda", "sat", ataJson("S20DISK001", { wwn: WWN }));
      it.drives.says("/dev/bus/0", "megaraid,3", ataJson(spelt, { wwn: WWN }));
      expect(shape(await it.round())).toEqual(["sda wwn-0x5000c50000000007 ok 2"]);
    },
  );

  it.each([
    ["two paths of which the kernel tells the WWN only", driveTree({ sda: "S7", sdb: "S7" })],
    ["two paths of which the kernel tells nothing", tree({ sda: {}, sdb: {} })],
  ])("%s", async (_name, machine) => {
    const it = rig(machine);
    it.drives.scan(["sda", "sdb"].map((name) => ({ device: `/dev/${name}`, type: "scsi" })));
    for (const name of ["sda", "sdb"]) it.drives.says(`/dev/${name}`, "scsi", ataJson("S7"));
    expect((await it.round()).drives.map(({ paths }) => paths.length)).toEqual([2]);
  });

  it("that tells the very same as another one does not hide that it is failing", async () => {
    const it = rig(EMPTY);
    it.drives.scan(["sda", "sdb"].map((name) => ({ device: `/dev/${name}`, type: "sat" })));
    it.drives.says("/dev/sda", "sat", ataJson("S7"));
    it.drives.says("/dev/sdb", "sat", ataJson("S7", FAILING));
    const data = await it.round();
    expect(shape(data)).toEqual([expect.stringMatching(/^sdb .* fail 2$/)]);
    expect(conditionCodes(it.collector(), data)).toContain("smart_failing(sdb)");
  });

  it("two lines of the scan for one device", async () => {
    const it = rig(tree({ sda: { serial: "ONLYDISK01" } }), { types: ["/dev/sda sat", "/dev/sda scsi"] });
    it.drives.scan([]);
    it.drives.says("/dev/sda", "sat", ataJson("ONLYDISK01"));
    it.drives.says("/dev/sda", "scsi", ataJson("ONLYDISK01"));
    expect((await it.round()).drives.map(({ paths }) => paths.length)).toEqual([2]);
  });

  it("that tells its serial number only sometimes keeps its key, and its alarm when it sleeps after a restart", async () => {
    const it = rig(EMPTY);
    it.drives.scan([{ device: "/dev/bus/0", type: "megaraid,3" }]);
    it.drives.says("/dev/bus/0", "megaraid,3", ataJson("SHYDRIVE01", { wwn: WWN, ...FAILING }));
    const [first] = shape(await it.round());
    it.drives.says(
      "/dev/bus/0",
      "megaraid,3",
      ataJson("SHYDRIVE01", { wwn: WWN, ...FAILING, serial_number: undefined }),
    );
    expect(shape(await it.round())).toEqual([first]);
    it.drives.says("/dev/bus/0", "megaraid,3", SLEEPS, 3);
    expect((await it.round()).drives).toMatchObject([
      { state: "asleep", last_verdict: { severity: "fail" } },
    ]);
  });

  it("that took the place of another in a USB bridge does not inherit its verdict", async () => {
    const it = rig(tree({ sdb: { serial: "DD5641988385", vendor: "JMicron", link: usb("1", "sdb") } }));
    it.drives.scan([{ device: "/dev/sdb", type: "sat" }]);
    it.drives.says("/dev/sdb", "sat", ataJson("DOCKDISK01", FAILING));
    const first = await it.round();
    expect(first.history.map(({ serial, to }) => `${serial} ${to}`)).toEqual(["DOCKDISK01 fail"]);
    it.drives.says("/dev/sdb", "sat", ataJson("DOCKDISK02"));
    const second = await it.round();
    expect(device(second, "sdb")).toMatchObject({ serial: "DOCKDISK02", severity: "ok" });
    expect(second.history.map(({ serial, to }) => `${serial} ${to}`)).toEqual(["DOCKDISK01 fail"]);
  });
});
