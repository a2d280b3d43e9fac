import { describe, expect, test } from "vitest";
import { cpuChanges, cpuCollector } from "../../src/collectors/cpu.ts";
import type { Cpu } from "../../src/collectors/cpu-schema.ts";
import { compileFacets, stableText, volatileOf } from "../../src/model/facets.ts";
import { openFiles } from "../../src/system/files.ts";
import { hostMachine, type Machine } from "../../src/system/machine.ts";
import {
  collectMachine,
  collectTree,
  conditionCodes,
  failing,
  metricLines,
  spoiled,
} from "../support/shape.ts";
import { layTree, loadTree, type Tree, treeMachine } from "../support/tree.ts";

const TREES = ["ceph-node", "pi4", "container"];

function machineTree(name: string): Tree {
  return loadTree(name, ["cpu"]);
}

function collect(tree: Tree): Promise<Cpu> {
  return collectTree(cpuCollector(), tree);
}

/** A machine whose files can be changed between two collections. */
function changing(tree: Tree): {
  machine: Machine;
  change(files: Tree["files"]): void;
  pass(ms: number): void;
} {
  const root = layTree(tree);
  let monotonic = 1_000_000;
  return {
    machine: {
      ...treeMachine({ files: {} }, { now: () => 1_739_520_000_000, monotonic: () => monotonic }),
      files: openFiles(root, tree.errors ?? {}),
    },
    change: (files) => void layTree({ files }, root),
    pass: (ms) => {
      monotonic += ms;
    },
  };
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

test("utilisation is what went by between two collections", async () => {
  const collector = cpuCollector();
  const { machine, change } = changing(machineTree("container"));
  expect((await collectMachine(collector, machine)).utilisation).toBeNull();
  change({ "/proc/stat": "cpu  2160 10 1824 98291 130 5 38 420 0 0\nintr 1\n" });
  expect((await collectMachine(collector, machine)).utilisation).toEqual({
    user: 0.316,
    system: 0.158,
    iowait: 0.053,
    steal: 0.053,
    idle: 0.421,
  });
  change({ "/proc/stat": "cpu  1 0 1 1 0 0 0 0 0 0\n" });
  expect((await collectMachine(collector, machine)).utilisation, "counters set back").toBeNull();
  change({ "/proc/stat": "cp" });
  expect((await collectMachine(collector, machine)).utilisation).toBeNull();
});

test("an Intel package that throttles right now", async () => {
  const collector = cpuCollector();
  const { machine, change } = changing(machineTree("ceph-node"));
  await collectMachine(collector, machine);
  expect((await collectMachine(collector, machine)).throttling.state).toBe("earlier");
  change({ "/sys/devices/system/cpu/cpu8/thermal_throttle/package_throttle_count": "15\n" });
  const data = await collectMachine(collector, machine);
  expect(data.throttling).toMatchObject({ state: "active", throttled: { now: true } });
  expect(conditionCodes(collector, data)).toEqual(["cpu_throttled"]);
});

test.each([
  ["50005", "active", ["under_voltage"]],
  ["0x4", "active", ["cpu_throttled"]],
  ["0", "none", []],
])("get_throttled %s is %s", async (flags, state, codes) => {
  const tree = machineTree("pi4");
  tree.files["/sys/devices/platform/soc/soc:firmware/get_throttled"] = `${flags}\n`;
  const data = await collect(tree);
  expect(data.throttling.state).toBe(state);
  expect(conditionCodes(cpuCollector(), data)).toEqual(codes);
});

test("without get_throttled only under-voltage is known, without either nothing", async () => {
  const tree = machineTree("pi4");
  delete tree.files["/sys/devices/platform/soc/soc:firmware/get_throttled"];
  const quiet = await collect(tree);
  expect(quiet.throttling).toMatchObject({
    state: "unknown",
    source: "rpi_volt",
    under_voltage: { now: false, since_boot: null },
    throttled: { now: null, since_boot: null },
  });
  const alarm = Object.keys(tree.files).find((path) => path.endsWith("in0_lcrit_alarm")) as string;
  tree.files[alarm] = "1\n";
  expect(conditionCodes(cpuCollector(), await collect(tree))).toEqual(["under_voltage"]);
  tree.errors = { "/sys/class/hwmon/hwmon21/in0_lcrit_alarm": "EIO" };
  expect((await collect(tree)).throttling).toMatchObject({ state: "unknown", source: null });
});

test("sensors that fail are left out and named, hot ones told", async () => {
  const tree = machineTree("ceph-node");
  const input = (socket: number): string =>
    `/sys/devices/platform/coretemp.${socket}/hwmon/hwmon2${socket}/temp1_input`;
  // Errors are by the path that is read, which goes through the class folder.
  tree.errors = { "/sys/class/hwmon/hwmon20/temp1_input": "EIO" };
  tree.files[input(1)] = "89500\n";
  const data = await collect(tree);
  expect(data.temperatures.map(({ sensor }) => sensor)).toEqual(["coretemp Package id 1"]);
  expect(data.sensors_failed).toEqual(["coretemp Package id 0"]);
  expect(conditionCodes(cpuCollector(), data)).toEqual([
    "cpu_too_hot(coretemp Package id 1)",
    "cpu_sensors_failed",
  ]);
});

test("thermal zones where no chip measures the processor", async () => {
  const zone = "/sys/class/thermal/thermal_zone";
  const data = await collect({
    files: {
      [`${zone}0/type`]: "acpitz\n",
      [`${zone}0/temp`]: "27800\n",
      [`${zone}1/type`]: "x86_pkg_temp\n",
      [`${zone}1/temp`]: "41000\n",
      [`${zone}1/trip_point_0_type`]: "passive\n",
      [`${zone}1/trip_point_1_type`]: "critical\n",
      [`${zone}1/trip_point_1_temp`]: "100000\n",
    },
  });
  expect(data.temperatures).toEqual([
    {
      sensor: "x86_pkg_temp",
      celsius: 41,
      critical_celsius: 100,
      chip: null,
      input: null,
      zone: "1",
      zone_type: "x86_pkg_temp",
    },
  ]);
  expect(metricLines(cpuCollector(), data)).toContain(
    'node_thermal_zone_temp{zone="1",type="x86_pkg_temp"} 41',
  );
});

test("a CPU that goes offline is seen at once, a new sensor within minutes", async () => {
  const collector = cpuCollector();
  const tree = machineTree("pi4");
  tree.files["/proc/cpuinfo"] = "";
  const { machine, change, pass } = changing(tree);
  const before = await collectMachine(collector, machine);
  change({ "/sys/devices/system/cpu/online": "0,2-3\n" });
  const after = await collectMachine(collector, machine);
  expect(after.threads).toBe(3);
  expect(cpuChanges(before, after)).toEqual([
    { type: "cpu.threads_changed", severity: "warning", data: { before: 4, after: 3 } },
  ]);
  expect(cpuChanges(null, after)).toEqual([]);
  change({ "/sys/class/hwmon/hwmon30/name": "k10temp\n", "/sys/class/hwmon/hwmon30/temp1_input": "40000\n" });
  expect((await collectMachine(collector, machine)).temperatures).toHaveLength(1);
  pass(700_000);
  expect((await collectMachine(collector, machine)).temperatures).toHaveLength(2);
});

describe("bad input", () => {
  test.each(["EACCES", "EIO", "EINVAL"])("every file fails with %s", async (code) => {
    for (const name of TREES) {
      const data = await collect(failing(machineTree(name), code));
      expect(data).toMatchObject({ model: null, load: null, pressure: null, threads: null });
      expect(data.throttling.state).toBe("unknown");
    }
  });

  test("every file is binary garbage, empty, or half-written", async () => {
    const garbage = Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * 73 + (i >> 3)) % 256));
    for (const name of TREES) {
      const spoil = await collect(spoiled(machineTree(name), () => ({ base64: garbage.toString("base64") })));
      expect(spoil).toMatchObject({ load: null, pressure: null, utilisation: null });
      expect(JSON.stringify(spoil).length).toBeLessThan(6_000);
      expect((await collect(spoiled(machineTree(name), () => ""))).load).toBeNull();
      const { files } = machineTree(name);
      const half = await collect(
        spoiled(machineTree(name), (path) =>
          (files[path] as string).slice(0, (files[path] as string).length / 2),
        ),
      );
      expect(half.pressure).toBeNull();
    }
  });

  test("FIFOs where files should be stop nothing", async () => {
    const tree = machineTree("pi4");
    const fifos = ["/proc/stat", "/proc/cpuinfo", "/sys/devices/virtual/thermal/thermal_zone0/temp"];
    for (const path of fifos) delete tree.files[path];
    expect(await collect({ ...tree, fifos })).toMatchObject({ model: null, threads: 4, load: { one: 0.21 } });
  });
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
  expect(lines).toContain("node_load1 5.31");
  expect(lines).toContain('node_cpu_seconds_total{cpu="3",mode="iowait"} 87940');
  expect(lines.filter((line) => line.startsWith("node_cpu_seconds_total"))).toHaveLength(16 * 8);
  expect(lines).toContain("node_pressure_cpu_waiting_seconds_total 30482.911204");
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
