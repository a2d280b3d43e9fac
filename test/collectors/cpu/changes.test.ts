import { expect, test } from "vitest";
import { cpuChanges, cpuCollector } from "../../../src/collectors/cpu/cpu.ts";
import type { Cpu } from "../../../src/collectors/cpu/schema.ts";
import { openFiles } from "../../../src/system/files.ts";
import type { Machine } from "../../../src/system/machine.ts";
import { layTree, loadTree, type Tree, treeMachine } from "../../support/machine/tree.ts";
import { collectMachine, collectTree, conditionCodes, metricLines } from "../../support/text/shape.ts";

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

const VOLT = "/sys/class/hwmon/hwmon21";

test("the kernel's own voltage sensor goes before get_throttled, whose every read is a warning", async () => {
  const tree = machineTree("pi4");
  tree.files[`${VOLT}/name`] = "rpi_volt\n";
  tree.files[`${VOLT}/in0_lcrit_alarm`] = "0\n";
  const quiet = await collect(tree);
  expect(quiet.throttling).toMatchObject({
    state: "unknown",
    source: "rpi_volt",
    under_voltage: { now: false, since_boot: null },
    throttled: { now: null, since_boot: null },
  });
  tree.files[`${VOLT}/in0_lcrit_alarm`] = "1\n";
  expect(conditionCodes(cpuCollector(), await collect(tree))).toEqual(["under_voltage"]);
  tree.errors = { [`${VOLT}/in0_lcrit_alarm`]: "EIO" };
  expect((await collect(tree)).throttling).toMatchObject({ state: "unknown", source: null });
});

test("get_throttled is read once in ten minutes, and not to find out whether it is there", async () => {
  const { machine, change, pass } = changing(machineTree("pi4"));
  const reads: string[] = [];
  const { files } = machine;
  const watched = {
    ...machine,
    files: {
      ...files,
      text: (path: string) => {
        reads.push(path);
        return files.text(path);
      },
    },
  };
  const times = (): number => reads.filter((path) => path.endsWith("/get_throttled")).length;
  const collector = cpuCollector();
  expect((await collectMachine(collector, watched)).throttling.source).toBe("get_throttled");
  change({ "/sys/devices/platform/soc/soc:firmware/get_throttled": "5\n" });
  pass(300_000);
  expect((await collectMachine(collector, watched)).throttling.state).toBe("earlier");
  expect(times()).toBe(1);
  pass(301_000);
  expect((await collectMachine(collector, watched)).throttling.state).toBe("active");
  expect(times()).toBe(2);
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
      "/proc/stat": "cpu  1 2 3 4\n",
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
