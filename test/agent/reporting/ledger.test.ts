import { expect, test } from "vitest";
import { openLedger } from "../../../src/agent/reporting/ledger.ts";
import type { AnyCollector } from "../../../src/collectors/index.ts";
import type { Section } from "../../../src/model/report.ts";

const collector = { name: "cpu", volatile: { load: { abs: 1 } } } as unknown as AnyCollector;
const section = (data: object, extra: Partial<Section> = {}): Section => ({
  name: "cpu",
  state: "ok",
  data,
  reason: null,
  collectedAt: 1,
  durationMs: 1,
  ...extra,
});

test("only stable facts and the state are news", () => {
  const ledger = openLedger(() => 1);
  expect(ledger.update(section({ model: "A", load: 1 }), collector)).toBe(true);
  const hash = ledger.hashes().cpu;
  expect(ledger.update(section({ model: "A", load: 50 }, { collectedAt: 9, durationMs: 7 }), collector)).toBe(
    false,
  );
  expect(ledger.hashes().cpu).toBe(hash);
  expect(ledger.update(section({ model: "B", load: 50 }), collector)).toBe(true);
  expect(ledger.update(section({ model: "B", load: 50 }, { state: "stale" }), collector)).toBe(true);
  expect(ledger.hashes().cpu).not.toBe(hash);
});

test("volatile values drift against what was delivered, per control API, and only an answer moves that", () => {
  const ledger = openLedger(() => 1);
  ledger.update(section({ model: "A", load: 1 }), collector);
  expect(ledger.drifted("a", new Set())).toEqual({ cpu: { load: 1 } });
  expect(ledger.drifted("a", new Set(["cpu"]))).toEqual({});
  const snapshot = [...ledger.states().values()];
  ledger.update(section({ model: "A", load: 5 }), collector);
  ledger.delivered("a", snapshot, {});
  expect(ledger.drifted("a", new Set())).toEqual({ cpu: { load: 5 } });
  ledger.delivered("a", [], { cpu: { load: 5 } });
  expect(ledger.drifted("a", new Set())).toEqual({});
  expect(ledger.drifted("b", new Set())).toEqual({ cpu: { load: 5 } });
  ledger.forget("a");
  expect(ledger.drifted("a", new Set())).toEqual({ cpu: { load: 5 } });
});

test("a metered network widens the tolerances", () => {
  let factor = 1;
  const ledger = openLedger(() => factor);
  ledger.update(section({ load: 1 }), collector);
  ledger.delivered("a", [...ledger.states().values()], {});
  ledger.update(section({ load: 3 }), collector);
  expect(ledger.drifted("a", new Set())).toEqual({ cpu: { load: 3 } });
  factor = 3;
  expect(ledger.drifted("a", new Set())).toEqual({});
});
