/** Which entry of smartctl's belongs to which drive of the kernel's, when ids, letters and bridges disagree. */
import { describe, expect, it } from "vitest";
import {
  driveNames,
  helperName,
  joinedDrives,
  smartWay,
} from "../../src/sockets/routes/drives-with-smart.ts";

type Some = Record<string, unknown>;

function drive(name: string, more: Some = {}): Some {
  return { id: `path-${name}`, name, serial: null, wwn: null, type: "hdd", paths: [{ name }], ...more };
}

function entry(device: string, more: Some = {}, facts: Some = {}): Some {
  const paths = [{ device: `/dev/${device}`, type: "sat" }];
  return { id: `path-${device}`, device, serial: null, paths, facts: { wwn: null, ...facts }, ...more };
}

/** `sda=sda`: drive and the entry it got; `-`: none. */
function joined(drives: Some[], entries: Some[], missing: Some[] = []): string[] {
  const whole = { drives: { drives, missing }, smart: { drives: entries } };
  return joinedDrives(whole, whole).map(
    ({ name, smart }) => `${String(name)}=${String((smart as Some | null)?.device ?? "-")}`,
  );
}

describe("a drive and its entry", () => {
  it("are not another's because both tell the same serial number or WWN", () => {
    const twins = [
      drive("sda", { id: "wwn-0x5", wwn: "0x5", serial: "A1" }),
      drive("sdb", { id: "wwn-0x5-B2", wwn: "0x5", serial: "B2" }),
    ];
    const second = entry("sdb", { id: "wwn-0x5-B2", serial: "B2" }, { wwn: "0x5" });
    expect(joined(twins, [second])).toEqual(["sda=-", "sdb=sdb"]);
    const bays = ["sda", "sdb"].map((name) => drive(name, { serial: "0123456789ABCDEF", transport: "usb" }));
    const asked = ["sdb", "sda"].map((name) => entry(name, { serial: `OWN-${name}` }));
    expect(joined(bays, asked)).toEqual(["sda=sda", "sdb=sdb"]);
    // One that is missing hides none that is there.
    const member = entry("sdc", { id: "wwn-0x7", serial: "A1" }, { wwn: "0x7" });
    expect(joined([], [member], [{ id: "wwn-0x5", serial: "A1" }])).toEqual(["sdc=sdc"]);
  });

  it("belong together by id, else by serial number, else by WWN, whatever the letters are", () => {
    const drives = [
      drive("sda", { id: "wwn-0x1" }),
      drive("sdb", { serial: "S2" }),
      drive("sdc", { wwn: "0x3" }),
    ];
    const entries = [
      entry("sdc", { id: "wwn-0x1" }),
      entry("sda", { serial: "S2" }),
      entry("sdb", {}, { wwn: "0x3" }),
      entry("sdd", { serial: "S4" }),
    ];
    expect(joined(drives, entries)).toEqual(["sda=sdc", "sdb=sda", "sdc=sdb", "sdd=sdd"]);
    expect(joined(drives, [])).toEqual(["sda=-", "sdb=-", "sdc=-"]);
    expect(joined([], entries.slice(3))).toEqual(["sdd=sdd"]);
  });

  it("are two where two WWNs share a serial number, but the namespaces of one NVMe controller are not", () => {
    const said = entry("sda", { serial: "0123456789ABCDEF" }, { wwn: "0x1" });
    const twins = ["0x1", "0x2"].map((wwn, index) =>
      drive(`sd${"ab"[index]}`, { serial: "0123456789ABCDEF", wwn }),
    );
    expect(joined(twins, [said])).toEqual(["sda=sda", "sdb=-"]);
    const controller = entry("nvme0", { id: "wwn-eui.1", serial: "N" }, { wwn: "eui.1" });
    const spaces = [1, 2].map((n) =>
      drive(`nvme0n${n}`, { id: `wwn-eui.${n}`, serial: "N", wwn: `eui.${n}`, type: "nvme" }),
    );
    expect(joined(spaces, [controller])).toEqual(["nvme0n1=nvme0", "nvme0n2=nvme0"]);
  });

  it("meet by name only behind a USB bridge or without any number, and only with the same size", () => {
    const bridge = (size: number) => drive("sdb", { serial: "BRIDGE", transport: "usb", size_bytes: size });
    const disk = entry("sdb", { serial: "WD-1" }, { size_bytes: 1_000 });
    expect(joined([bridge(1_000)], [disk])).toEqual(["sdb=sdb"]);
    expect(joined([bridge(2_000)], [disk])).toEqual(["sdb=-", "sdb=sdb"]);
    expect(joined([drive("sdb", { serial: "OTHER", size_bytes: 1_000 })], [disk])).toEqual([
      "sdb=-",
      "sdb=sdb",
    ]);
    expect(joined([drive("sdb")], [entry("sdb")])).toEqual(["sdb=sdb"]);
  });

  it("that was pulled out since it was asked is missing, and no drive of its own", () => {
    const gone = { id: "serial-G", serial: "G" };
    expect(joined([], [entry("sda", { id: "serial-G" })], [gone])).toEqual([]);
    expect(joined([], [entry("sda", { serial: "G" })], [gone])).toEqual([]);
  });

  it("are told by what was collected, not by what may be shown", () => {
    const hidden = (items: Some[]) => items.map((item) => ({ ...item, id: null, serial: null }));
    const drives = [drive("sda", { serial: "S1" }), drive("sdb", { serial: "S2" })];
    const entries = [entry("x", { serial: "S2" }), entry("y", { serial: "S1" })];
    const shown = joinedDrives(
      { drives: { drives }, smart: { drives: entries } },
      { drives: { drives: hidden(drives) }, smart: { drives: hidden(entries) } },
    );
    expect(shown.map(({ name, smart }) => [name, (smart as Some).device])).toEqual([
      ["sda", "y"],
      ["sdb", "x"],
    ]);
    expect(JSON.stringify(shown)).not.toMatch(/S1|S2/);
    expect(shown.flatMap(driveNames)).toEqual(["sda", "sda", "y", "y", "sdb", "sdb", "x", "x"]);
    // Of garbage nothing is made.
    expect(joinedDrives({ drives: null, smart: 7 }, { drives: "x", smart: { drives: [null] } })).toEqual([]);
  });
});

describe("names", () => {
  const member = { device: "bus_0_megaraid_3", paths: [{ device: "/dev/bus/0", type: "megaraid,3" }] };

  it("a drive is meant by any of its own, also behind a controller", () => {
    const [one] = joinedDrives(
      { drives: null, smart: { drives: [{ ...member, id: "serial-M", serial: "M" }] } },
      { drives: null, smart: { drives: [{ ...member, id: "serial-M", serial: "M" }] } },
    );
    expect(new Set(driveNames(one ?? {}))).toEqual(new Set(["bus_0_megaraid_3", "M", "serial-M"]));
    expect(smartWay(one ?? {})).toEqual({ device: "/dev/bus/0", type: "megaraid,3" });
    expect(helperName(one ?? {}, [])).toBeNull();
    expect(smartWay(drive("sda"))).toBeNull();
  });

  it("the helper is given what stays over reboots, unless two drives share it", () => {
    const a = drive("sda", { serial: "S", wwn: "0x1" });
    const b = drive("sdb", { serial: "S", wwn: "0x2" });
    expect(helperName(a, [a])).toEqual({ serial: "S" });
    expect(helperName(a, [a, b])).toEqual({ wwn: "0x1" });
    expect(helperName(a, [a, b, { ...b, wwn: "0x1" }])).toEqual({ name: "sda" });
    const fabric = drive("nvme0n1", { wwn: "uuid.0-1" });
    expect(helperName(fabric, [fabric])).toEqual({ name: "nvme0n1" });
  });
});
