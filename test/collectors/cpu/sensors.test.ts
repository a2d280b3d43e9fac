/** Which sensors are the processor's, and that each keeps its name whatever number the kernel gave its chip. */
import { describe, expect, test } from "vitest";
import { cpuCollector } from "../../../src/collectors/cpu/cpu.ts";
import { findSensors } from "../../../src/collectors/cpu/temperature.ts";
import { openFiles } from "../../../src/system/files.ts";
import { loadCase } from "../../support/machine/cases.ts";
import { collectContext, layTree, type Tree, treeMachine } from "../../support/machine/tree.ts";
import { collectData, collectTree, conditionCodes } from "../../support/text/shape.ts";

test("two sockets' chips of one name are two sensors, in the order of their devices", async () => {
  const tree = loadCase("cpu/dual-epyc");
  const collector = cpuCollector();
  const data = await collectTree(collector, tree);
  expect(data.temperatures.map(({ sensor, celsius }) => [sensor, celsius])).toEqual([
    ["k10temp 0 Tctl", 40],
    ["k10temp 1 Tctl", 96],
  ]);
  expect(conditionCodes(collector, data)).toEqual(["cpu_too_hot(k10temp 1 Tctl)"]);
  // Another start gives the chips each other's numbers.
  const swapped = JSON.parse(
    JSON.stringify(tree)
      .replaceAll("hwmon0", "hwmonX")
      .replaceAll("hwmon1", "hwmon0")
      .replaceAll("hwmonX", "hwmon1"),
  ) as Tree;
  expect((await collectTree(cpuCollector(), swapped)).temperatures.map(({ celsius }) => celsius)).toEqual([
    40, 96,
  ]);
});

test("a chip's number that went to something else is noticed at once", async () => {
  const root = layTree(loadCase("cpu/renumbered-before"));
  const context = collectContext({ ...treeMachine({ files: {} }), files: openFiles(root) });
  const collector = cpuCollector();
  const before = await collectData(collector, context);
  expect(before.temperatures).toMatchObject([{ sensor: "coretemp Package id 0", celsius: 52 }]);
  layTree(loadCase("cpu/renumbered-after"), root);
  expect((await collectData(collector, context)).temperatures).toEqual([]);
});

/** Chips with one sensor each, by name. */
function chips(...names: string[]): string[] {
  const files = names.flatMap((name, at) => [
    [`/sys/class/hwmon/hwmon${at}/name`, `${name}\n`],
    [`/sys/class/hwmon/hwmon${at}/temp1_input`, "40000\n"],
  ]);
  return findSensors(openFiles(layTree({ files: Object.fromEntries(files) }))).map(({ sensor }) => sensor);
}

describe("sensors of", () => {
  test.each([
    "cpu_thermal",
    "soc_thermal",
    "bigcore0_thermal",
    "littlecore_thermal",
    "package_thermal",
    "cluster6_7_thermal",
    "core_cluster1_thermal",
    "cpu_0_0_top_thermal",
    "cpuss0_thermal",
    "ap_cpu_thermal",
    "CPU-therm",
    "tj_thermal",
    "soc0_thermal",
    "bcm2835_thermal",
    "apm_xgene",
    "zenpower",
  ])("the processor: %s", (name) => {
    expect(chips(name)).toEqual([`${name} temp1`]);
  });

  test.each([
    "gpu_thermal",
    "npu_thermal",
    "center_thermal",
    "ddr_thermal",
    "nvme",
    "acpitz",
    "drivetemp",
    "pmic_thermal",
  ])("something else: %s", (name) => {
    expect(chips(name)).toEqual([]);
  });

  test("an Ampere Altra: of its management processor's sensors the chip's own", () => {
    const at = "/sys/class/hwmon/hwmon3";
    const files = {
      [`${at}/name`]: "smpro_hwmon\n",
      [`${at}/temp1_input`]: "47000\n",
      [`${at}/temp1_label`]: "SoC\n",
      [`${at}/temp2_input`]: "51000\n",
      [`${at}/temp2_label`]: "SoC VRD\n",
    };
    expect(findSensors(openFiles(layTree({ files }))).map(({ sensor }) => sensor)).toEqual([
      "smpro_hwmon SoC",
    ]);
  });

  test("zones, where no chip is made of them", () => {
    const files: Tree["files"] = {};
    for (const [at, type] of ["gpu-thermal", "bigcore0-thermal", "soc-thermal"].entries()) {
      files[`/sys/class/thermal/thermal_zone${at}/type`] = `${type}\n`;
      files[`/sys/class/thermal/thermal_zone${at}/temp`] = "45000\n";
    }
    const found = findSensors(openFiles(layTree({ files }))).map(({ sensor }) => sensor);
    expect(found).toEqual(["bigcore0-thermal", "soc-thermal"]);
  });

  test("a second socket is not cut off by the many cores of the first", () => {
    const files: Tree["files"] = {};
    const links: Record<string, string> = {};
    for (const socket of [0, 1]) {
      const at = `/sys/devices/platform/coretemp.${socket}/hwmon/hwmon${socket}`;
      files[`${at}/name`] = "coretemp\n";
      for (let core = 0; core < 24; core++) {
        files[`${at}/temp${core + 2}_input`] = "50000\n";
        files[`${at}/temp${core + 2}_label`] = `Core ${core}\n`;
      }
      links[`/sys/class/hwmon/hwmon${socket}`] =
        `../../devices/platform/coretemp.${socket}/hwmon/hwmon${socket}`;
      links[`${at}/device`] = `../../../coretemp.${socket}`;
    }
    const found = findSensors(openFiles(layTree({ files, links })));
    expect(new Set(found.map(({ sensor }) => sensor)).size).toBe(16);
    expect(found.filter(({ sensor }) => sensor.startsWith("coretemp 1 "))).toHaveLength(8);
  });
});
