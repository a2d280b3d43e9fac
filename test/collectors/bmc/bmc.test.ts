/** The section `bmc` over the helper's real operations and a fake ipmitool. */
import { expect, it } from "vitest";
import { bmcCollector } from "../../../src/collectors/bmc/bmc.ts";
import { bmcConditions, bmcEvents } from "../../../src/collectors/bmc/conditions.ts";
import { parseSelMemory, rememberSel } from "../../../src/collectors/bmc/event-log-news.ts";
import { isCriticalEntry, sensorsOf } from "../../../src/collectors/bmc/health.ts";
import type { BmcData } from "../../../src/collectors/bmc/schema.ts";
import { isNoData } from "../../../src/collectors/collector.ts";
import { bmcInfo, bmcLan, bmcSel, bmcSensors } from "../../../src/helper/bmc/operations.ts";
import type { BmcSelResult } from "../../../src/helper/bmc/reads.ts";
import { parseSel, type SelRecord } from "../../../src/helper/bmc/sel.ts";
import { parseSensors } from "../../../src/helper/bmc/sensors.ts";
import { compileFacets, redact } from "../../../src/model/facets.ts";
import type { Clock } from "../../../src/system/clock.ts";
import { NO_HELPER, operationsPort } from "../../support/helper/operations.ts";
import { BMC_TREE, bmcFixture, simulatorAnswers } from "../../support/machine/bmc.ts";
import { answering, type FakeAnswer, fakePrograms } from "../../support/machine/programs.ts";
import { collectContext, type Tree, treeMachine } from "../../support/machine/tree.ts";
import { collectData, conditionCodes, metricLines } from "../../support/text/shape.ts";

const ALL = [bmcInfo, bmcLan, bmcSel, bmcSensors];
const MINUTE = 60_000;

function bench(over: Record<string, FakeAnswer> = {}, tree: Tree = BMC_TREE) {
  const programs = fakePrograms(400);
  answering(programs, "ipmitool", simulatorAnswers(over));
  const time = { now: 1_760_000_000_000, monotonic: 5_000 };
  const clock: Clock = { now: () => time.now, monotonic: () => time.monotonic };
  const machine = treeMachine(tree, clock);
  const helper = operationsPort(ALL, { files: machine.files, run: programs.run });
  const context = collectContext(machine);
  let collector = bmcCollector({ helper });
  return {
    programs,
    context,
    collector: () => collector,
    /** The agent starts anew; its memory stays. */
    restart: () => {
      collector = bmcCollector({ helper });
    },
    answer: (more: Record<string, FakeAnswer>) =>
      answering(programs, "ipmitool", simulatorAnswers({ ...over, ...more })),
    collect: async (minutes = 0): Promise<BmcData> => {
      time.monotonic += minutes * MINUTE;
      return await collectData(collector, context);
    },
    newCalls: (() => {
      let seen = 0;
      return (): string[] => {
        const calls = programs.calls().slice(seen);
        seen += calls.length;
        return calls;
      };
    })(),
  };
}

const log = (lines: readonly string[], entries = lines.length): Record<string, FakeAnswer> => ({
  "sel info": {
    stdout: `Entries          : ${entries}\nPercent Used     : 3%\nLast Add Time    : ${lines.at(-1)?.slice(0, 25)}\nOverflow : false\n`,
  },
  "-c sel elist last 1": { stdout: `${lines.at(-1)}\n` },
  "-c sel elist last 100": {
    stdout: lines
      .slice(-100)
      .map((line) => `${line}\n`)
      .join(""),
  },
});
const line = (id: number, event = "Failure detected ()", minute = 0): string =>
  `${id.toString(16)},11/20/26,10:${String(minute).padStart(2, "0")}:00 UTC,Power Supply PS${id % 2},${event},Asserted`;

it("tells who the BMC is, where it is reached, and how all fares", async () => {
  const { collect, collector } = bench();
  const data = await collect();
  expect(data).toMatchObject({
    source: "in-band",
    answering: true,
    firmware: "2.13",
    manufacturer: "Super Micro Computer Inc.",
    lan: { address: "192.0.2.10", source: "static" },
    lan_channel: true,
    chassis: { power_on: true },
    sensors: [{ id: "CPU Temp", kind: "temperature", state: "ok", value: 42, unit: "degrees C" }],
    sel: { entries: 10, last: { id: 0x1c }, news: [{ seq: 1, what: "baseline", count: 10 }] },
    problems: [],
  });
  expect(conditionCodes(collector(), data)).toEqual([]);
  expect(metricLines(collector(), data)).toEqual([
    "foundry_agent_bmc_answering 1",
    "foundry_agent_bmc_sel_entries 10",
    'ipmi_bmc_info{firmware_revision="2.13",manufacturer_id="Super Micro Computer Inc.",ipmi_version="2.0"} 1',
    "ipmi_chassis_cooling_fault_state 1",
    "ipmi_chassis_drive_fault_state 1",
    "ipmi_chassis_power_state 1",
    'ipmi_sensor_state{id="CPU Temp",name="CPU Temp",type="temperature"} 0',
    'ipmi_temperature_celsius{id="CPU Temp",name="CPU Temp"} 42',
  ]);
  expect(JSON.stringify(data)).not.toMatch(/public|community/i);
  expect(redact(data, compileFacets(collector().sensitive))).toMatchObject({ lan: { mac: null } });
  expect(collector().table?.rows(data, 0)).toContainEqual(["address", "192.0.2.10", "static"]);
});

it("says that there is none where the kernel knows none, and asks nobody", async () => {
  const { collector, context, programs } = bench({}, { files: { "/sys/class/net/lo/mtu": "65536\n" } });
  expect(await collector().collect(context)).toEqual({ noData: "This machine has no BMC.", nextStep: null });
  expect(programs.calls()).toEqual([]);
});

it("finds a BMC whose device file's module is not loaded", async () => {
  const platform = { "/sys/devices/platform/ipmi_bmc.0/firmware_revision": "2.13\n" };
  const { collector, collect } = bench({}, { files: platform });
  const data = await collect();
  expect(data).toMatchObject({ firmware: "2.13", sensors: null, sel: null, answering: true });
  expect(bmcConditions(data)).toMatchObject([
    { code: "bmc_device_missing", nextStep: expect.stringMatching(/^modprobe ipmi_devintf/) },
  ]);
  expect(conditionCodes(collector(), data)).toEqual(["bmc_device_missing"]);
});

it("is absent where nobody can ask root", async () => {
  const found = await bmcCollector({ helper: NO_HELPER }).collect(collectContext(treeMachine(BMC_TREE)));
  expect(found).toEqual({
    noData: "needs the helper",
    nextStep: "systemctl start foundry-agent-helper.socket",
    code: "needs_helper",
  });
});

it("asks who it is once an hour, sensors and log each time, the log's records only when it grew", async () => {
  const { collect, newCalls } = bench();
  await collect();
  expect(newCalls()).toEqual([
    "mc info",
    "chassis status",
    "chassis restart_cause",
    "lan print",
    "sel info",
    "-c sel elist last 1",
    "-c sdr elist",
  ]);
  const again = await collect(10);
  expect(newCalls()).toEqual(["sel info", "-c sdr elist"]);
  expect(again).toMatchObject({ firmware: "2.13", sel: { entries: 10, last: { id: 0x1c } } });
  await collect(51);
  expect(newCalls()).toContain("mc info");
});

it("keeps what it has of a BMC that answers half, and says which half is missing", async () => {
  const { collect, collector, newCalls, answer } = bench({
    "lan print": { stdout: "IP Address              : 192.0.2.10\n", status: 1 },
    "-c sdr elist": { stderr: "Get SDR failed", status: 1 },
  });
  const data = await collect();
  expect(data).toMatchObject({
    lan: { address: "192.0.2.10", mac: null },
    sensors: null,
    sel: { entries: 10 },
  });
  expect(conditionCodes(collector(), data)).toEqual(["bmc_half_answer", "bmc_no_answer"]);
  // Many never give more: it is not asked more often for that, and the condition does not come and go.
  newCalls();
  expect(conditionCodes(collector(), await collect(10))).toContain("bmc_half_answer");
  expect(newCalls()).not.toContain("lan print");
  answer({ "lan print": { stdout: bmcFixture("sim-lan-print.txt") } });
  expect(conditionCodes(collector(), await collect(50))).not.toContain("bmc_half_answer");
});

it("leaves a hung BMC alone for ever longer, and comes back to it", async () => {
  const { collect, collector, newCalls, answer } = bench();
  await collect();
  answer({ "sel info": { hangs: true } });
  newCalls();
  const hung = await collect(10);
  expect(newCalls()).toEqual(["sel info"]);
  expect(hung).toMatchObject({
    answering: false,
    firmware: "2.13",
    sensors: null,
    lan: { address: "192.0.2.10" },
  });
  expect(conditionCodes(collector(), hung)).toEqual(["bmc_hang"]);
  await collect(10);
  expect(newCalls()).toEqual([]);
  await collect(10);
  expect(newCalls()).toEqual(["sel info"]);
  answer({});
  await collect(30);
  expect(newCalls()).toEqual([]);
  const back = await collect(10);
  expect(back).toMatchObject({ answering: true, problems: [], sensors: [{ value: 42 }] });
});

it("keeps the alarm of a sensor while the BMC says nothing, until it says otherwise", async () => {
  const low = { "-c sdr elist": { stdout: "FAN1,100,RPM,lcr\n" } };
  const { collect, collector, answer } = bench(low);
  expect(conditionCodes(collector(), await collect())).toEqual(["bmc_fan(FAN1)"]);
  answer({ ...low, "sel info": { hangs: true } });
  const hung = await collect(10);
  expect(hung.sensors).toBeNull();
  expect(conditionCodes(collector(), hung)).toEqual(["bmc_hang", "bmc_fan(FAN1)"]);
  answer({ "-c sdr elist": { stdout: "FAN1,3000,RPM,ok\n" } });
  expect(conditionCodes(collector(), await collect(21))).toEqual([]);
});

it("has one condition for a missing ipmitool, and one for missing rights", async () => {
  const missing = bench();
  missing.programs.put("ipmitool", "exit 0", { mode: 0o644 });
  expect(conditionCodes(missing.collector(), await missing.collect())).toEqual(["bmc_not_allowed"]);
  const bare = fakePrograms();
  const machine = treeMachine(BMC_TREE);
  const helper = operationsPort(ALL, { files: machine.files, run: bare.run });
  const collector = bmcCollector({ helper });
  const data = await collectData(collector, collectContext(machine));
  expect(bmcConditions(data)).toMatchObject([
    { code: "bmc_ipmitool_missing", nextStep: "apt-get install ipmitool" },
  ]);
});

it("tells the first look at the log in one event, however long the log", async () => {
  const old = Array.from({ length: 90 }, (_, index) => line(index + 1));
  const { collect } = bench(log(old));
  expect(bmcEvents(null, await collect())).toEqual([
    { type: "bmc.sel_baseline", severity: "info", data: { count: 90 } },
  ]);
});

it("tells new critical entries once, over a restart of the agent", async () => {
  const known = [line(1), line(2)];
  const { collect, answer, restart } = bench(log(known));
  const first = await collect();
  answer(log([...known, line(3, "Presence detected", 1), line(4, "Failure detected ()", 2)]));
  const second = await collect(10);
  const told = [
    {
      type: "bmc.sel_critical",
      severity: "error",
      data: {
        id: 4,
        at: "2026-11-20T10:02:00Z",
        sensor: "Power Supply PS0",
        event: "Failure detected",
        detail: null,
      },
    },
  ];
  expect(bmcEvents(first, second)).toEqual(told);
  expect(bmcEvents(second, await collect(10))).toEqual([]);
  answer(log([...known, line(3), line(4, "Failure detected ()", 2), line(5, "Predictive failure ()", 3)]));
  restart();
  const third = await collect(10);
  expect(bmcEvents(null, third)).toMatchObject([{ data: { id: 5, event: "Predictive failure" } }]);
  // Without a section in between (the helper was away) nothing is told twice.
  expect(bmcEvents(null, await collect(10))).toEqual([]);
});

it("starts again when the log was cleared, and tells no flood", async () => {
  const { collect, answer } = bench(log([line(1), line(2), line(3)]));
  const first = await collect();
  answer(log([line(1, "Failure detected ()", 9)]));
  const second = await collect(10);
  expect(bmcEvents(first, second)).toMatchObject([
    { type: "bmc.sel_cleared", severity: "info", data: { count: 1 } },
    { type: "bmc.sel_critical", data: { id: 1 } },
  ]);
  answer(log([], 0));
  const empty = await collect(10);
  expect(bmcEvents(second, empty)).toMatchObject([{ type: "bmc.sel_cleared", data: { count: 0 } }]);
  answer(log(Array.from({ length: 400 }, (_, index) => line(index + 1, "Failure detected ()", 11))));
  const flood = bmcEvents(empty, await collect(10));
  expect(flood[0]).toMatchObject({ type: "bmc.sel_skipped", severity: "warning" });
  expect(flood).toHaveLength(21);
  expect(flood.at(-1)?.data.id).toBe(400);
});

it("takes a spoiled memory for none", () => {
  for (const spoiled of [null, 7, "x", {}, { last: 3, news: [] }, { last: null }])
    expect(parseSelMemory(spoiled)).toBeNull();
  expect(parseSelMemory({ last: null, news: [1, { seq: "x" }] })).toEqual({ last: null, news: [] });
  const look: BmcSelResult = {
    entries: 3,
    percent_used: 1,
    overflow: false,
    state: "s",
    unchanged: false,
    records: [],
    gap: false,
    restarted: false,
    last: null,
    incomplete: ["sel elist"],
    hung: false,
  };
  const before = { last: { id: 9, at: null, uptime_s: null }, news: [] };
  expect(rememberSel(before, look).last).toEqual(before.last);
});

it("knows a fault from what is none", () => {
  const entry = (sensor: string, event: string, asserted = true): SelRecord => ({
    id: 1,
    at: null,
    uptime_s: null,
    sensor,
    event,
    asserted,
    detail: null,
  });
  const faults = [
    ["Temperature CPU Temp", "Upper Critical going high"],
    ["Fan FAN3", "Lower Non-recoverable going low"],
    ["Power Supply PS1", "Power Supply AC lost"],
    ["Power Supply PS1", "Predictive failure"],
    ["Power Unit PSU Redundancy", "Redundancy Lost"],
    ["Memory #0x53", "Uncorrectable ECC"],
    ["Drive Slot / Bay #0x50", "Drive Fault"],
    ["Processor CPU1", "IERR"],
    ["Processor CPU1", "Thermal Trip"],
    ["Critical Interrupt PCI", "PCI SERR"],
    ["Critical Interrupt PCI", "Bus Fatal Error"],
    ["Watchdog2 #0x60", "Hard reset"],
    ["Physical Security Chassis", "General Chassis intrusion"],
    ["OS Critical Stop #0x20", "Run-time critical stop"],
    ["Power Supply PS1", "Transition to Critical from less severe"],
  ] as const;
  const harmless = [
    ["Temperature CPU Temp", "Upper Non-critical going high"],
    ["Drive Slot / Bay #0x50", "Drive Present"],
    ["Power Unit #0x01", "Power off/down"],
    ["Power Unit #0x01", "Power cycle"],
    ["System ACPI Power State", "S4/S5: soft-off"],
    ["Event Logging Disabled #0x61", "Log area reset/cleared"],
    ["Memory #0x53", "Correctable ECC"],
    ["Memory #0x53", "Correctable ECC logging limit reached"],
    ["Power Supply PS1", "Transition to Non-Critical from OK"],
    ["Power Unit PSU Redundancy", "Fully Redundant"],
  ] as const;
  expect(faults.filter(([sensor, event]) => !isCriticalEntry(entry(sensor, event)))).toEqual([]);
  expect(harmless.filter(([sensor, event]) => isCriticalEntry(entry(sensor, event)))).toEqual([]);
  expect(isCriticalEntry(entry("Power Supply PS1", "Failure detected", false))).toBe(false);
  const seen = parseSel(bmcFixture("sim-sel-csv.txt")).records.filter(isCriticalEntry);
  expect(seen.map(({ event }) => event)).toEqual([
    "Upper Critical going high",
    "Failure detected",
    "Uncorrectable ECC",
    "Hard reset",
  ]);
});

it("has a condition for each power supply, fan and temperature that is critical", async () => {
  const { collect, collector } = bench({
    "-c sdr elist": {
      stdout: [
        "CPU Temp,96,degrees C,ucr",
        "Inlet Temp,38,degrees C,unc",
        "FAN1,300,RPM,lcr",
        "FAN1,4200,RPM,ok",
        "FAN9,,,ns",
        "12V,9.1,Volts,lnr",
        "PS1 Status,C8h,ok,10.1,Presence detected, Failure detected",
        "PS2 Status,C9h,ok,10.2,Presence detected",
      ].join("\n"),
    },
    "chassis status": { stdout: "System Power : on\nDrive Fault : true\nCooling/Fan Fault : false\n" },
    "sel info": { stdout: "Entries : 0\nPercent Used : 97%\nOverflow : true\n" },
  });
  const data = await collect();
  expect(data.sensors?.map(({ id, kind, state }) => `${id}: ${kind} ${state}`)).toEqual([
    "CPU Temp: temperature critical",
    "Inlet Temp: temperature warning",
    "FAN1: fan critical",
    "FAN1 2: fan ok",
    "FAN9: fan null",
    "12V: voltage critical",
    "PS1 Status: supply critical",
    "PS2 Status: supply ok",
  ]);
  expect(conditionCodes(collector(), data).sort()).toEqual([
    "bmc_chassis_fault(drive)",
    "bmc_fan(FAN1)",
    "bmc_log_full",
    "bmc_power_supply(PS1 Status)",
    "bmc_sensor(12V)",
    "bmc_temperature(CPU Temp)",
  ]);
});

it("keeps ids of sensors with one name apart", () => {
  const { sensors } = parseSensors("FAN1,1,RPM,ok\nFAN1,2,RPM,ok\nFAN1 2,3,RPM,ok\n");
  const ids = sensorsOf(sensors).map(({ id }) => id);
  expect(new Set(ids).size).toBe(3);
});

it("is a failed section, not a sick BMC, when the helper itself fails", async () => {
  const helper = { how: { kind: "socket" as const }, call: async () => ({ nonsense: true }) };
  const collector = bmcCollector({ helper });
  const collecting = Promise.resolve(collector.collect(collectContext(treeMachine(BMC_TREE))));
  await expect(collecting).rejects.toMatchObject({ code: "helper_protocol" });
  expect(isNoData(await collecting.catch(() => null))).toBe(false);
});
