import { expect, test } from "vitest";
import { cpuCollector } from "../../../src/collectors/cpu/cpu.ts";
import type { Cpu } from "../../../src/collectors/cpu/schema.ts";
import { compileFacets, stableText, volatileOf } from "../../../src/model/facets.ts";
import { hostMachine } from "../../../src/system/machine.ts";
import { loadTree, type Tree } from "../../support/machine/tree.ts";
import { collectMachine, collectTree, conditionCodes, metricLines } from "../../support/text/shape.ts";

function machineTree(name: string): Tree {
  return loadTree(name, ["cpu"]);
}

function collect(tree: Tree): Promise<Cpu> {
  return collectTree(cpuCollector(), tree);
}

test("two Xeons of a Ceph node: the package sensors stand for the cores, 4 of 16 CPUs are asked for MHz", async () => {
  const data = await collect(machineTree("ceph-node"));
  expect(data).toMatchObject({
    model: "Intel(R) Xeon(R) Bronze 3206R CPU @ 1.90GHz",
    vendor: "Intel",
    microcode: "0x5003605",
    sockets: 2,
    cores: 16,
    threads: 16,
    frequency: { min_mhz: 800, max_mhz: 1900, current_mhz: 1350, governor: "schedutil" },
    load: { one: 5.31, five: 4.87, fifteen: 4.4 },
    utilisation: null,
    sensors_failed: [],
  });
  expect(data.pressure).toEqual({
    some: { avg10: 1.27, avg60: 1.02, avg300: 0.88, total_us: 30_482_911_204 },
    full: { avg10: 0, avg60: 0, avg300: 0, total_us: 0 },
  });
  expect(data.temperatures).toEqual([
    {
      sensor: "coretemp Package id 0",
      celsius: 52,
      critical_celsius: 93,
      chip: "platform_coretemp_0",
      input: "temp1",
      zone: null,
      zone_type: null,
    },
    {
      sensor: "coretemp Package id 1",
      celsius: 56,
      critical_celsius: 93,
      chip: "platform_coretemp_1",
      input: "temp1",
      zone: null,
      zone_type: null,
    },
  ]);
  expect(data.throttling).toMatchObject({
    state: "earlier",
    source: "thermal_throttle",
    throttled: { now: null, since_boot: true },
    packages: [
      { package: "0", count: 0 },
      { package: "1", count: 14 },
    ],
  });
  expect(conditionCodes(cpuCollector(), data)).toEqual([]);
});

test("a Raspberry Pi 4: named by its part number, under voltage at some time", async () => {
  const data = await collect(machineTree("pi4"));
  expect(data).toMatchObject({
    model: "Cortex-A72",
    vendor: "ARM",
    sockets: 1,
    cores: 4,
    threads: 4,
    frequency: { min_mhz: 600, max_mhz: 1800, current_mhz: 1800, governor: "ondemand" },
    pressure: null,
    throttling: {
      state: "earlier",
      text: "Not now, but since boot: under voltage, throttled.",
      source: "get_throttled",
      under_voltage: { now: false, since_boot: true },
      frequency_capped: { now: false, since_boot: false },
    },
  });
  expect(data.temperatures).toEqual([
    {
      sensor: "cpu_thermal",
      celsius: 51.1,
      critical_celsius: 110,
      chip: "thermal_thermal_zone0",
      input: "temp1",
      zone: "0",
      zone_type: "cpu-thermal",
    },
  ]);
  expect(conditionCodes(cpuCollector(), data)).toEqual(["under_voltage_since_boot"]);
});

test("a container: what is not there is null, and throttling is unknown, not fine", async () => {
  const data = await collect(machineTree("container"));
  expect(data).toMatchObject({
    model: "AMD EPYC 7502P 32-Core Processor",
    vendor: "AMD",
    threads: 2,
    frequency: { min_mhz: null, current_mhz: 2495 },
    pressure: { full: null },
    temperatures: [],
    throttling: { state: "unknown", source: null, throttled: { now: null, since_boot: null } },
  });
  expect(data.throttling.text).toMatch(/can't be read/);
});

test("the machine the test runs on", async () => {
  const data = await collectMachine(cpuCollector(), hostMachine());
  expect(data.threads).toBeGreaterThan(0);
  expect(data.load?.one).toBeGreaterThanOrEqual(0);
});

test("load, heat and pressure are no news; throttling is", async () => {
  const collector = cpuCollector();
  const facets = compileFacets(collector.volatile);
  const data = await collect(machineTree("pi4"));
  const [sensor] = data.temperatures;
  if (sensor === undefined) throw new Error("no sensor");
  const busier = {
    ...data,
    load: { one: 9, five: 9, fifteen: 9 },
    temperatures: [{ ...sensor, celsius: 80 }],
  };
  expect(stableText(busier, facets)).toBe(stableText(data, facets));
  expect([...volatileOf(busier, facets).keys()]).toContain("temperatures[cpu_thermal].celsius");
  const throttled = { ...data, throttling: { ...data.throttling, state: "active" } };
  expect(stableText(throttled, facets)).not.toBe(stableText(data, facets));
});

test("metrics in node_exporter's names and labels", async () => {
  const collector = cpuCollector();
  const lines = metricLines(collector, await collectTree(collector, machineTree("ceph-node")));
  expect(lines).toContain('node_hwmon_temp_celsius{chip="platform_coretemp_1",sensor="temp1"} 56');
  expect(lines).toContain('node_cpu_package_throttles_total{package="1"} 14');
  const pi = cpuCollector();
  const piLines = metricLines(pi, await collectTree(pi, machineTree("pi4")));
  expect(piLines).toContain('node_thermal_zone_temp{zone="0",type="cpu-thermal"} 51.1');
  expect(piLines).toContain('foundry_agent_cpu_throttling{flag="under_voltage",when="since_boot"} 1');
});

test("a table of finished text", async () => {
  const { table } = cpuCollector();
  const rows = new Map(
    (table?.rows(await collect(machineTree("pi4")), 0) ?? []).map(([what, value]) => [what, value]),
  );
  expect(rows.get("sockets / cores / threads")).toBe("1 / 4 / 4");
  expect(rows.get("cpu_thermal")).toBe("51.1 °C");
  expect(rows.get("pressure (10 s)")).toBe("unknown");
});
