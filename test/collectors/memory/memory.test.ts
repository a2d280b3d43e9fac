import { describe, expect, test } from "vitest";
import { memoryChanges } from "../../../src/collectors/memory/conditions.ts";
import { memoryCollector } from "../../../src/collectors/memory/memory.ts";
import type { MemoryData } from "../../../src/collectors/memory/schema.ts";
import { compileFacets, stableText } from "../../../src/model/facets.ts";
import { openFiles } from "../../../src/system/files.ts";
import { hostMachine } from "../../../src/system/machine.ts";
import { layTree, loadTree, type Tree, treeMachine } from "../../support/machine/tree.ts";
import { collectMachine, collectTree, conditionCodes, metricLines } from "../../support/text/shape.ts";

const MC2 = "/sys/devices/system/edac/mc/mc2";

function machineTree(name: string): Tree {
  return loadTree(name, ["memory"]);
}

function collect(tree: Tree): Promise<MemoryData> {
  return collectTree(memoryCollector(), tree);
}

/** The Ceph node's memory with other counters: total of its third controller, and of that one's middle module. */
function withErrors(data: MemoryData, corrected: number, uncorrected: number): MemoryData {
  const copy: MemoryData = structuredClone(data);
  const controller = copy.edac?.controllers[2];
  const module = controller?.modules[1];
  if (controller === undefined || module === undefined) throw new Error("no such module");
  Object.assign(controller, { corrected, uncorrected });
  Object.assign(module, { corrected, uncorrected });
  return copy;
}

test("a Ceph node: one module had corrected errors", async () => {
  const data = await collect(machineTree("ceph-node"));
  expect(data).toMatchObject({
    total_bytes: 196_558_724 * 1024,
    available_bytes: 74_310_112 * 1024,
    swap_total_bytes: 8_388_604 * 1024,
    huge_pages: { total: 0, free: 0, size_bytes: 2 * 1024 * 1024 },
    oom_kills: 0,
    pressure: { some: { total_us: 412_233 } },
  });
  expect(data.edac?.controllers).toHaveLength(4);
  expect(data.edac?.controllers[2]).toEqual({
    controller: "2",
    name: "Skylake Socket#1 IMC#0",
    corrected: 3,
    uncorrected: 0,
    modules: [
      {
        module: "dimm0",
        label: "CPU_SrcID#1_MC#0_Chan#0_DIMM#0",
        location: "channel 0 slot 0",
        corrected: 0,
        uncorrected: 0,
      },
      {
        module: "dimm2",
        label: "CPU_SrcID#1_MC#0_Chan#1_DIMM#0",
        location: "channel 1 slot 0",
        corrected: 3,
        uncorrected: 0,
      },
      {
        module: "dimm4",
        label: "CPU_SrcID#1_MC#0_Chan#2_DIMM#0",
        location: "channel 2 slot 0",
        corrected: 0,
        uncorrected: 0,
      },
    ],
  });
  expect(conditionCodes(memoryCollector(), data)).toEqual([]);
});

test("a Raspberry Pi: no EDAC driver and no pressure is null, not zero", async () => {
  expect(await collect(machineTree("pi4"))).toMatchObject({
    total_bytes: 3_884_316 * 1024,
    huge_pages: null,
    pressure: null,
    oom_kills: 1,
    edac: null,
  });
});

test("a container", async () => {
  expect(await collect(machineTree("container"))).toMatchObject({
    swap_total_bytes: 0,
    edac: null,
    oom_kills: 0,
  });
});

test("the machine the test runs on", async () => {
  const data = await collectMachine(memoryCollector(), hostMachine());
  expect(data.total_bytes).toBeGreaterThan(0);
  expect(data.available_bytes).toBeLessThanOrEqual(data.total_bytes ?? 0);
});

test("errors that could not be corrected, and many that could, are conditions naming the module", async () => {
  const collector = memoryCollector();
  const data = withErrors(await collect(machineTree("ceph-node")), 250, 1);
  expect(conditionCodes(collector, data)).toEqual([
    "memory_uncorrected_errors(mc2)",
    "memory_corrected_errors(mc2)",
  ]);
  expect(collector.conditions?.(data)[0]?.text).toContain("CPU_SrcID#1_MC#0_Chan#1_DIMM#0");
});

describe("changes", () => {
  test("each uncorrected error is told, corrected ones at every power of ten", async () => {
    const base = await collect(machineTree("ceph-node"));
    const step = (from: [number, number], to: [number, number]): string[] =>
      memoryChanges(withErrors(base, ...from), withErrors(base, ...to)).map(({ type }) => type);
    expect(step([0, 0], [1, 0])).toEqual(["memory.corrected"]);
    expect(step([3, 0], [9, 0])).toEqual([]);
    expect(step([9, 0], [10, 0])).toEqual(["memory.corrected"]);
    expect(step([10, 0], [10, 1])).toEqual(["memory.uncorrected"]);
    expect(step([500, 4], [0, 0]), "counters set back").toEqual([]);
    expect(memoryChanges(withErrors(base, 3, 0), withErrors(base, 12, 2))).toEqual([
      {
        type: "memory.uncorrected",
        severity: "error",
        data: { controller: "mc2", count: 2, total: 2, modules: ["CPU_SrcID#1_MC#0_Chan#1_DIMM#0"] },
      },
      {
        type: "memory.corrected",
        severity: "warning",
        data: { controller: "mc2", count: 9, total: 12, modules: ["CPU_SrcID#1_MC#0_Chan#1_DIMM#0"] },
      },
    ]);
  });

  test("killed processes; nothing after a start", async () => {
    const data = await collect(machineTree("pi4"));
    expect(memoryChanges(null, data)).toEqual([]);
    expect(memoryChanges(data, { ...data, oom_kills: 3 })).toEqual([
      { type: "memory.oom_kill", severity: "warning", data: { count: 2, total: 3 } },
    ]);
    expect(memoryChanges({ ...data, oom_kills: null }, data)).toEqual([]);
  });
});

test("modules are read when their controller's counter moved", async () => {
  const collector = memoryCollector();
  const tree = machineTree("ceph-node");
  const root = layTree(tree);
  const machine = { ...treeMachine({ files: {} }), files: openFiles(root) };
  await collectMachine(collector, machine);
  layTree({ files: { [`${MC2}/ce_count`]: "5\n", [`${MC2}/dimm4/dimm_ce_count`]: "2\n" } }, root);
  const data = await collectMachine(collector, machine);
  expect(data.edac?.controllers[2]?.modules.map(({ corrected }) => corrected)).toEqual([0, 3, 2]);
});

test("little memory and long stalls", async () => {
  const collector = memoryCollector();
  const data = await collect(machineTree("ceph-node"));
  const low = { ...data, total_bytes: 1000, available_bytes: 40 };
  expect(collector.conditions?.(low)).toMatchObject([{ code: "memory_low", severity: "warning" }]);
  expect(collector.conditions?.({ ...low, available_bytes: 10 })).toMatchObject([{ severity: "error" }]);
  const line = { avg10: 30, avg60: 30, avg300: 30, total_us: 1 };
  expect(conditionCodes(collector, { ...data, pressure: { some: line, full: line } })).toEqual([
    "memory_pressure",
  ]);
});

test("what is free is no news, an uncorrected error is", async () => {
  const facets = compileFacets(memoryCollector().volatile);
  const data = await collect(machineTree("ceph-node"));
  const stable = stableText(data, facets);
  expect(stableText({ ...data, free_bytes: 1, available_bytes: 1, cached_bytes: 1 }, facets)).toBe(stable);
  expect(stableText(withErrors(data, 90, 0), facets)).toBe(stable);
  expect(stableText(withErrors(data, 3, 1), facets)).not.toBe(stable);
});

test("metrics in node_exporter's names and labels", async () => {
  const lines = metricLines(memoryCollector(), await collect(machineTree("ceph-node")));
  expect(lines).toContain('node_edac_correctable_errors_total{controller="2"} 3');
  expect(lines).toContain('node_edac_uncorrectable_errors_total{controller="2"} 0');
  expect(lines).toContain(
    'foundry_agent_memory_module_corrected_errors_total{controller="2",module="dimm2",label="CPU_SrcID#1_MC#0_Chan#1_DIMM#0"} 3',
  );
});

test("a table of finished text", async () => {
  const { table } = memoryCollector();
  const rows = new Map(
    (table?.rows(await collect(machineTree("ceph-node")), 0) ?? []).map(([what, value]) => [what, value]),
  );
  expect(rows.get("total")).toBe("187.5 GiB");
  expect(rows.get("memory errors (mc2)")).toBe("3 corrected, 0 uncorrected");
});
