/** What ipmitool printed of two real responders (QEMU's and OpenIPMI's), and what BMCs of servers print. */
import fc from "fast-check";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { parseChassis, parseController, parseRestartCause } from "../../../src/helper/bmc/info.ts";
import { bmcLanSchema, isWholeLan, parseLan } from "../../../src/helper/bmc/lan.ts";
import {
  newerThan,
  parseSel,
  parseSelInfo,
  type SelRecord,
  selRecordSchema,
} from "../../../src/helper/bmc/sel.ts";
import { parseSensors, sensorReadingSchema } from "../../../src/helper/bmc/sensors.ts";
import { parseFields } from "../../../src/helper/bmc/text.ts";
import { forAll } from "../../support/for-all.ts";
import { bmcFixture } from "../../support/machine/bmc.ts";

describe("lan print", () => {
  it("is the BMC's address and nothing else of the answer", () => {
    const text = bmcFixture("sim-lan-print.txt");
    expect(text).toContain("SNMP Community String   : public");
    expect(parseLan(text)).toEqual({
      source: "static",
      address: "192.0.2.10",
      netmask: "255.255.255.0",
      gateway: "192.0.2.1",
      mac: "52:54:00:bc:00:01",
      vlan: null,
    });
    expect(isWholeLan(text)).toBe(true);
  });

  it("keeps half an answer and knows that it is half", () => {
    const half = bmcFixture("sim-lan-print.txt").split("MAC Address")[0] as string;
    expect(parseLan(half)).toMatchObject({ address: "192.0.2.10", mac: null, gateway: null });
    expect(isWholeLan(half)).toBe(false);
  });

  it("takes a VLAN and DHCP, and no address for none", () => {
    const text = "IP Address Source : DHCP Address\nIP Address : 0.0.0.0\n802.1q VLAN ID : 120\n";
    expect(parseLan(text)).toMatchObject({ source: "dhcp", address: null, vlan: 120 });
  });

  it("reads continuation lines as lines of the key above them", () => {
    const fields = parseFields(bmcFixture("sim-lan-print.txt"));
    expect(fields.get("Auth Type Enable")).toHaveLength(5);
    expect(fields.get("Cipher Suite Priv Max")).toHaveLength(7);
    expect([...fields.keys()].some((key) => key === "" || key === "User")).toBe(false);
  });
});

describe("mc info and chassis", () => {
  it("says who the BMC is", () => {
    expect(parseController(bmcFixture("sim-mc-info.txt"))).toEqual({
      device_id: 32,
      device_revision: 1,
      firmware: "2.13",
      ipmi_version: "2.0",
      manufacturer_id: 10876,
      manufacturer: "Super Micro Computer Inc.",
      product_id: 257,
      product: "B8DTL",
      available: true,
    });
    expect(parseController(bmcFixture("qemu-mc-info.txt"))).toMatchObject({
      firmware: "0.00",
      manufacturer: null,
      product: null,
    });
    expect(parseController("nothing of the kind\n")).toBeNull();
  });

  it("says how the chassis is", () => {
    expect(parseChassis(bmcFixture("sim-chassis-status.txt"))).toEqual({
      power_on: true,
      power_overload: false,
      power_interlock: false,
      main_power_fault: false,
      power_control_fault: false,
      restore_policy: "always-off",
      last_power_event: null,
      intrusion: false,
      front_panel_lockout: false,
      drive_fault: false,
      cooling_fault: false,
    });
    expect(parseChassis(bmcFixture("qemu-chassis-status.txt"))).toMatchObject({ restore_policy: null });
    expect(parseChassis("Chassis Intrusion    : active\nDrive Fault          : true\n")).toMatchObject({
      power_on: null,
      intrusion: true,
      drive_fault: true,
    });
  });

  it("says why the host was started, where the BMC knows", () => {
    expect(parseRestartCause("System restart cause: watchdog expired\n")).toBe("watchdog expired");
    expect(parseRestartCause("System restart cause: unknown\n")).toBeNull();
    expect(parseRestartCause("")).toBeNull();
  });
});

describe("sdr elist", () => {
  it("has a value and a unit, or a number, an entity and what is asserted", () => {
    expect(parseSensors(bmcFixture("sim-sdr-csv.txt")).sensors).toEqual([
      {
        name: "CPU Temp",
        number: null,
        entity: null,
        state: "ok",
        value: 42,
        unit: "degrees C",
        asserted: null,
      },
    ]);
    expect(parseSensors(bmcFixture("qemu-sdr-csv.txt")).sensors).toMatchObject([
      { name: "Watchdog", number: 0, entity: "35.1", state: "ok", value: null, asserted: null },
    ]);
  });

  it("is understood without commas too", () => {
    expect(parseSensors(bmcFixture("sim-sdr-elist.txt")).sensors).toMatchObject([
      { name: "CPU Temp", number: 1, entity: "3.1", state: "ok", value: 42, unit: "degrees C" },
    ]);
    expect(parseSensors(bmcFixture("qemu-sdr-elist.txt")).sensors).toMatchObject([
      { name: "Watchdog", number: 0, entity: "35.1" },
    ]);
  });

  it("takes all that servers say", () => {
    const { sensors, strange } = parseSensors(
      [
        "FAN1,4200,RPM,ok",
        "FAN2,,,ns",
        "FAN3,300,RPM,lcr",
        "12V,11.937,Volts,ok",
        "Inlet, rear,-3,degrees C,unc",
        "PS1 Status,C8h,ok,10.1,Presence detected, Failure detected",
        "Chassis Intru,AAh,ok,23.1,General Chassis intrusion",
        "Fan Redundancy,75h,ok,7.1,Fully Redundant",
        "Total Power,180,Watts,ok",
        "Sensor without any form",
      ].join("\n"),
    );
    expect(strange).toBe(1);
    expect(sensors.map(({ name, state, value, asserted }) => [name, state, value ?? asserted])).toEqual([
      ["FAN1", "ok", 4200],
      ["FAN2", "ns", null],
      ["FAN3", "lcr", 300],
      ["12V", "ok", 11.937],
      ["Inlet, rear", "unc", -3],
      ["PS1 Status", "ok", "Presence detected, Failure detected"],
      ["Chassis Intru", "ok", "General Chassis intrusion"],
      ["Fan Redundancy", "ok", "Fully Redundant"],
      ["Total Power", "ok", 180],
    ]);
    expect(sensors[5]?.entity).toBe("10.1");
  });
});

describe("sel", () => {
  it("has records of every form, without the vendors' own bytes", () => {
    const { records, strange } = parseSel(bmcFixture("sim-sel-csv.txt"));
    expect(strange).toBe(0);
    expect(records).toHaveLength(10);
    expect(records[0]).toEqual({
      id: 0x13,
      at: "2026-11-20T10:13:06Z",
      uptime_s: null,
      sensor: "Temperature CPU Temp",
      event: "Upper Critical going high",
      asserted: true,
      detail: "Reading 100 > Threshold 90 degrees C",
    });
    expect(records[1]).toMatchObject({ sensor: "Power Supply #0x30", event: "Failure detected" });
    expect(records[2]?.asserted).toBe(false);
    expect(records[9]).toMatchObject({ id: 0x1c, at: null, sensor: "OEM record e0", event: null });
    expect(JSON.stringify(records)).not.toMatch(/070605|0102030405/);
  });

  it("has entries from before the BMC's clock was set, and four-digit years", () => {
    const text = "f, Pre-Init ,0000011533,Fan FAN1,Lower Critical going low ,Asserted\n";
    expect(parseSel(text).records).toMatchObject([{ id: 15, at: null, uptime_s: 11533 }]);
    const old = "a,03/09/2019,01:02:03,Memory #0x53,Correctable ECC,Asserted\n";
    expect(parseSel(old).records).toMatchObject([{ at: "2019-03-09T01:02:03Z" }]);
  });

  it("does not tell half a line", () => {
    const half = bmcFixture("sim-sel-csv.txt").slice(0, 150);
    const { records, strange } = parseSel(half);
    expect([records.length, strange]).toEqual([1, 1]);
  });

  it("knows an empty log", () => {
    expect(parseSelInfo(bmcFixture("qemu-sel-info.txt"))).toMatchObject({
      entries: 0,
      percentUsed: 0,
      overflow: false,
    });
    expect(parseSel(bmcFixture("qemu-sel-elist.err"))).toEqual({ records: [], strange: 0 });
    expect(parseSelInfo("")).toBeNull();
  });

  const entry = (id: number, at: string | null = null): SelRecord => ({
    id,
    at,
    uptime_s: null,
    sensor: null,
    event: null,
    asserted: true,
    detail: null,
  });
  const ids = (found: { records: readonly SelRecord[] }): number[] => found.records.map(({ id }) => id);

  it("finds what is newer by place, over a wrap of the ids", () => {
    const log = [entry(65_533), entry(65_534), entry(1), entry(2)];
    const found = newerThan(log, { id: 65_534, at: null, uptime_s: null }, true);
    expect([ids(found), found.gap, found.restarted]).toEqual([[1, 2], false, false]);
  });

  it("takes the same id at another time for a log begun anew", () => {
    const log = [entry(1, "2026-01-02T00:00:00Z"), entry(2, "2026-01-03T00:00:00Z")];
    const known = { id: 2, at: "2025-06-01T00:00:00Z", uptime_s: null };
    expect(newerThan(log, known, true)).toMatchObject({ restarted: true, gap: false });
    expect(ids(newerThan(log, known, true))).toEqual([1, 2]);
    // Ids that go on rising after a clear look the same once the whole log is seen.
    expect(newerThan([entry(9)], { id: 5, at: null, uptime_s: null }, true).restarted).toBe(true);
  });

  it("says when more came than are looked at", () => {
    const found = newerThan([entry(50), entry(51)], { id: 7, at: null, uptime_s: null }, false);
    expect([ids(found), found.gap, found.restarted]).toEqual([[50, 51], true, false]);
  });
});

it("no parser throws or gives what its shape does not allow, whatever it is fed", () => {
  const texts = [
    "sim-lan-print.txt",
    "sim-mc-info.txt",
    "sim-chassis-status.txt",
    "sim-sdr-csv.txt",
    "sim-sdr-elist.txt",
    "sim-sel-csv.txt",
    "sim-sel-info.txt",
  ].map(bmcFixture);
  const spoiled = fc
    .tuple(fc.constantFrom(...texts), fc.nat(4000), fc.nat(4000), fc.string({ unit: "binary" }))
    .map(([text, from, length, inserted]) => text.slice(0, from) + inserted + text.slice(from + length));
  forAll(
    fc.property(fc.oneof(spoiled, fc.string({ unit: "binary", maxLength: 300 })), (text) => {
      const lan = parseLan(text);
      if (lan !== null) v.parse(bmcLanSchema, lan);
      parseController(text);
      parseChassis(text);
      parseRestartCause(text);
      parseSelInfo(text);
      v.parse(v.array(sensorReadingSchema), parseSensors(text).sensors);
      v.parse(v.array(selRecordSchema), parseSel(text).records);
      JSON.stringify([lan, parseSensors(text), parseSel(text)], (_key, value) => {
        if (typeof value === "string") expect(value).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
        return value;
      });
    }),
    { seed: 7, cases: 2_000 },
  );
});
