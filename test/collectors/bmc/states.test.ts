/** The specification's states under ipmitool's names, and what two machines' BMCs said of healthy parts. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isCriticalEntry, sensorsOf } from "../../../src/collectors/bmc/health.ts";
import { bmcMetrics } from "../../../src/collectors/bmc/metrics.ts";
import type { BmcData } from "../../../src/collectors/bmc/schema.ts";
import { severityOf, tableNames, typeOf, worstOf } from "../../../src/collectors/bmc/states.ts";
import { parseSel } from "../../../src/helper/bmc/sel.ts";
import { parseSensors } from "../../../src/helper/bmc/sensors.ts";
import { forAll } from "../../support/for-all.ts";

interface Facts {
  readonly generic: Record<string, string[]>;
  readonly specific: Record<string, string[]>;
  readonly types: string[];
  readonly units: string[];
}

function fixture(path: string): string {
  return readFileSync(new URL(`../../fixtures/${path}`, import.meta.url), "utf8");
}

const facts = JSON.parse(fixture("bmc/ipmitool-states.json")) as Facts;
const stateOf = (line: string): string | null => sensorsOf(parseSensors(line).sensors)[0]?.state ?? null;

test("every name in the tables is one that ipmitool prints, with its type", () => {
  const { generic, byType } = tableNames();
  const printed = Object.values(facts.generic).flat();
  expect(generic.filter((name) => !printed.includes(name))).toEqual([]);
  for (const [type, names] of Object.entries(byType))
    expect([type, names.filter((name) => !facts.specific[type]?.includes(name))]).toEqual([type, []]);
  // And of the generic ones none is forgotten.
  expect(printed.filter((name) => !generic.includes(name))).toEqual([]);
});

test("every type of sensor is known in front of its name", () => {
  for (const type of facts.types.filter((name) => name !== "reserved"))
    expect([type, typeOf(`${type} PS1 Status`), typeOf(`${type} #0x30`)]).toEqual([type, type, type]);
  expect(typeOf("Unknown #0x61")).toBeNull();
});

describe("healthy states share words with faults", () => {
  test("what BMCs said of parts without a fault", () => {
    const { sensors, strange } = parseSensors(fixture("cases/bmc/sdr-elist.csv"));
    expect([strange, sensorsOf(sensors).map(({ state }) => state)]).toEqual([0, ["ok", "ok", "warning"]]);
    const { records } = parseSel(fixture("cases/bmc/sel-elist.csv"));
    expect([records.length, records.filter(isCriticalEntry)]).toEqual([3, []]);
  });

  test.each([
    ["Predictive Failure Deasserted", "ok"],
    ["Predictive Failure Asserted", "critical"],
    ["Limit Not Exceeded", "ok"],
    ["Limit Exceeded", "critical"],
    ["Performance Lags", "warning"],
    ["Transition to Non-critical from OK", "warning"],
    ["Transition to Critical from less severe", "critical"],
    ["Transition to OK", "ok"],
    ["Fully Redundant", "ok"],
    ["Redundancy Lost", "critical"],
    ["Redundancy Degraded", "warning"],
    ["Non-Redundant: Sufficient from Redundant", "warning"],
    ["Non-Redundant: Insufficient Resources", "critical"],
    ["Presence detected", "ok"],
    ["Presence detected, Failure detected", "critical"],
    ["Presence detected, AC out-of-range, but present", "critical"],
    ["Drive Present, Rebuild In Progress", "warning"],
    ["Drive Present, In Failed Array", "critical"],
    ["Drive Present, Hot Spare", "ok"],
    ["Correctable ECC", "warning"],
    ["Correctable ECC logging limit reached", "warning"],
    ["Uncorrectable ECC", "critical"],
    ["General Chassis intrusion", "warning"],
    ["Log almost full", "warning"],
    ["Timer expired", "warning"],
    ["Low", "warning"],
    ["Failed", "critical"],
    ["S3: sleeping, processor & hw context lost, memory retained", "ok"],
    ["IPMB-A disabled, IPMB-B disabled", "critical"],
    ["IPMB-A enabled, IPMB-B enabled", "ok"],
    ["Absent", "ok"],
    ["State Asserted", "ok"],
    ["A vendor's critical failure word", "ok"],
  ])("%s is %s", (asserted, severity) => {
    expect(worstOf(asserted)).toBe(severity);
    expect(stateOf(`Some Sensor,61h,ok,10.1,${asserted}`)).toBe(severity);
  });

  test("the same name can mean another thing with another type", () => {
    expect(severityOf("Power cycle", "Power Unit")).toBe("ok");
    expect(severityOf("Power cycle", "Watchdog2")).toBe("critical");
    expect(severityOf("Disabled", "Entity Presence")).toBe("ok");
    expect(severityOf("Disabled", "Processor")).toBe("warning");
    expect(severityOf("General Chassis intrusion", "Physical Security")).toBe("critical");
  });
});

describe("log entries", () => {
  const isTold = (entry: string): boolean[] =>
    parseSel(`1,11/20/2026,10:00:00,${entry}\n`).records.map(isCriticalEntry);

  test.each([
    ["Power Supply PS1,Failure detected,Asserted", true],
    ["Power Supply PS1,Failure detected,Deasserted", false],
    ["Power Supply PS1,Predictive Failure Deasserted,Deasserted", true],
    ["Power Supply PS1,AC out-of-range, but present,Asserted", true],
    ["Temperature CPU,Limit Not Exceeded,Asserted", false],
    ["Temperature CPU,Limit Not Exceeded,Deasserted", true],
    ["Temperature Inlet, rear,Upper Critical going high,Asserted,Reading 48 > Threshold 47 degrees C", true],
    ["Temperature CPU,Upper Critical going low ,Asserted", false],
    ["Memory #0x53,Uncorrectable ECC (@DIMMA1(CPU1)),Asserted", true],
    ["Memory #0x53,Correctable ECC (@DIMMA1(CPU1)),Asserted", false],
    ["Power Unit #0x01,Power cycle,Asserted", false],
    ["Watchdog2 #0x60,Power cycle,Asserted", true],
    ["Version Change #0x09,Firmware or software change detected, Mngmt Ctrl Firm Rev,Asserted", false],
  ])("%s: %s", (entry, told) => {
    expect(isTold(entry)).toEqual([told]);
  });

  test("Linux's own panic record", () => {
    const { records } = parseSel("2a,,,Linux kernel panic: Fatal excep\n");
    expect(records).toMatchObject([{ id: 0x2a, sensor: "Linux kernel panic", event: "Fatal excep" }]);
    expect(records.filter(isCriticalEntry)).toHaveLength(1);
  });
});

test("units: only a plain one is that kind, and heat is in degrees Celsius", () => {
  const kinds = facts.units.map((unit) => sensorsOf(parseSensors(`X,50,${unit},ok`).sensors)[0]?.kind);
  const named = facts.units.flatMap((unit, at) => (kinds[at] === "other" ? [] : [`${unit}: ${kinds[at]}`]));
  expect(named).toEqual([
    "degrees C: temperature",
    "degrees F: temperature",
    "degrees K: temperature",
    "Volts: voltage",
    "Amps: current",
    "Watts: power",
    "RPM: fan",
  ]);
  const lines = [
    "Inlet,77,degrees F,ok",
    "Die,300,degrees K,ok",
    "Rise,2,degrees C/minute,ok",
    "FAN1,45,percent,ok",
    "FAN2,30,unspecified,ok",
    "FAN3,5400,RPM,ok",
  ];
  const data = { sensors: sensorsOf(parseSensors(lines.join("\n")).sensors) } as unknown as BmcData;
  const samples = bmcMetrics
    .filter(({ name }) => /celsius|rpm/.test(name))
    .flatMap((metric) => [...metric.samples(data)].map(({ value, labels }) => [labels?.id, value]));
  expect(samples).toEqual([
    ["Inlet", 25],
    ["Die", 26.85],
    ["FAN3", 5400],
  ]);
});

test("a sensor with a value and states has both", () => {
  expect(parseSensors("VRM,3.1,Volts,ok,7.1,Limit Exceeded\n").sensors).toMatchObject([
    { value: 3.1, unit: "Volts", entity: "7.1", asserted: "Limit Exceeded" },
  ]);
  expect(stateOf("VRM              | 31h | ok  |  7.1 | 3.1 Volts, Limit Exceeded")).toBe("critical");
});

test("any text is a state of some severity", () => {
  const names = fc.constantFrom(...Object.values(facts.specific).flat(), ...facts.types);
  forAll(
    fc.property(fc.array(fc.oneof(names, fc.string()), { maxLength: 8 }), (parts) => {
      expect(["ok", "warning", "critical"]).toContain(worstOf(parts.join(", ")));
    }),
    { seed: 3 },
  );
});
