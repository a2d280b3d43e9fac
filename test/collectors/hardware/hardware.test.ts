/** The section `hardware` over the helper's real operation and tables laid out by hand. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import {
  hardwareCollector,
  hardwareConditions,
  hardwareEvents,
} from "../../../src/collectors/hardware/hardware.ts";
import { parseDimmMemory } from "../../../src/collectors/hardware/news.ts";
import type { HardwareData } from "../../../src/collectors/hardware/schema.ts";
import { inventory } from "../../../src/helper/inventory/inventory.ts";
import { compileFacets, redact } from "../../../src/model/facets.ts";
import type { Clock } from "../../../src/system/clock.ts";
import { NO_HELPER, operationsPort } from "../../support/helper/operations.ts";
import { fakePrograms } from "../../support/machine/programs.ts";
import { MODULES, type Module, serverTable } from "../../support/machine/smbios.ts";
import { collectContext, type Tree, treeMachine } from "../../support/machine/tree.ts";
import { collectData, conditionCodes, metricLines } from "../../support/text/shape.ts";

const TABLE = "/sys/firmware/dmi/tables/DMI";

function bench(tree: Tree = { files: { [TABLE]: { base64: serverTable().toString("base64") } } }) {
  const time = { monotonic: 9_000 };
  const clock: Clock = { now: () => 1_760_000_000_000, monotonic: () => time.monotonic };
  const machine = treeMachine(tree, clock);
  const helper = operationsPort([inventory], { files: machine.files, run: fakePrograms().run });
  const context = collectContext(machine);
  let collector = hardwareCollector({ helper });
  return {
    context,
    collector: () => collector,
    restart: () => {
      collector = hardwareCollector({ helper });
    },
    modules: (modules: readonly Module[]) =>
      writeFileSync(join(machine.files.root, TABLE), serverTable(modules)),
    collect: async (hours = 0): Promise<HardwareData> => {
      time.monotonic += hours * 3_600_000;
      return await collectData(collector, context);
    },
  };
}

it("has the parts, and hides their numbers from the world", async () => {
  const { collect, collector } = bench();
  const data = await collect();
  expect(data).toMatchObject({
    source: "smbios",
    product: { name: "SSG-6029P-E1CR24L", serial: "S123456X0A12345" },
    dimms: { length: 4 },
    history: [],
  });
  expect(metricLines(collector(), data)).toContain('foundry_agent_memory_slots{populated="false"} 1');
  const rows = collector().table?.rows(data, 0) ?? [];
  expect(rows).toContainEqual([
    "memory",
    "P1-DIMMA1",
    "16 GiB DDR4 2933 MT/s Samsung M393A2K43DB3-CWE",
    "S0A1",
  ]);
  expect(rows).toContainEqual(["memory", "P1-DIMMA2", "empty", null]);
  const shown = JSON.stringify(redact(data, compileFacets(collector().sensitive)));
  for (const secret of ["S123456X0A12345", "ZM18AS012345", "C8260LI30NA0001", "S0A1", "P1K62CJ12AB0001"]) {
    expect(JSON.stringify(data)).toContain(secret);
    expect(shown).not.toContain(secret);
  }
});

it("looks once at a start and once a day", async () => {
  const { collect, modules } = bench();
  expect((await collect()).dimms).toHaveLength(4);
  modules(MODULES.slice(0, 1));
  expect((await collect(1)).dimms).toHaveLength(4);
  expect((await collect(22)).dimms).toHaveLength(4);
  expect((await collect(1)).dimms).toHaveLength(1);
});

it("tells a module that is gone, new or replaced, once, although the agent was off meanwhile", async () => {
  const { collect, modules, restart } = bench();
  expect(hardwareEvents(null, await collect())).toEqual([]);
  const [a1, a2, b1, b2] = MODULES as [Module, Module, Module, Module];
  modules([
    { ...a1, serial: "OTHER" },
    { ...a2, size: 8_192, serial: "NEW1", part: "P" },
    { slot: b1.slot, size: 0 },
    b2,
  ]);
  restart();
  const after = await collect();
  expect(hardwareEvents(null, after)).toMatchObject([
    {
      type: "hardware.dimm_missing",
      severity: "warning",
      data: { slot: "P1-DIMMB1", serial: "S0B1", size_bytes: 64 * 2 ** 30 },
    },
    { type: "hardware.dimm_replaced", data: { slot: "P1-DIMMA1", serial: "S0A1", replaced_by: "OTHER" } },
    { type: "hardware.dimm_added", data: { slot: "P1-DIMMA2", serial: "NEW1" } },
  ]);
  expect(hardwareEvents(after, await collect(24))).toEqual([]);
  restart();
  expect(hardwareEvents(null, await collect())).toEqual([]);
});

it("does not call all memory gone when the firmware tells nothing of it", async () => {
  const { collect, modules, restart } = bench();
  await collect();
  modules([]);
  restart();
  const data = await collect();
  expect([data.dimms, data.history]).toEqual([[], []]);
  modules(MODULES);
  restart();
  expect((await collect()).history).toEqual([]);
});

it("says what power supply the firmware found critical", async () => {
  const { collect, collector } = bench();
  const data = await collect();
  expect(conditionCodes(collector(), data)).toEqual([]);
  const present = data.power_supplies.map((supply) => ({ ...supply, present: true }));
  expect(hardwareConditions({ ...data, power_supplies: present })).toMatchObject([
    { code: "power_supply_critical", subject: "PSU2", severity: "warning" },
  ]);
});

it("is absent where nobody can ask root, and where there is nothing to tell", async () => {
  const context = collectContext(treeMachine({ files: {} }));
  expect(await hardwareCollector({ helper: NO_HELPER }).collect(context)).toMatchObject({
    noData: expect.stringContaining("helper"),
    nextStep: expect.any(String),
  });
  const { collector, context: bare } = bench({
    files: { "/proc/device-tree/model": "Raspberry Pi 4 Model B\0" },
  });
  expect(await collector().collect(bare)).toMatchObject({ noData: expect.stringContaining("SMBIOS") });
});

it("takes a spoiled memory for none, and a damaged entry costs only itself", () => {
  for (const spoiled of [null, 7, [], { modules: 3 }]) expect(parseDimmMemory(spoiled)).toBeNull();
  const kept = { slot: "A", serial: null, part_number: null, size_bytes: 1 };
  expect(parseDimmMemory({ modules: [kept, 7, { slot: 3 }], history: [{ seq: -1 }] })).toEqual({
    modules: [kept],
    history: [],
  });
});
