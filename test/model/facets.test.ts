import fc from "fast-check";
import { expect, test } from "vitest";
import {
  compileFacets,
  leftTolerance,
  omit,
  redact,
  stableText,
  toleranceAt,
  volatileOf,
} from "../../src/model/facets.ts";
import { forAll } from "../support/for-all.ts";

const data = {
  model: "X",
  load: { one: 1.5, five: 2 },
  drives: [
    { id: "wwn-0x5", serial: "S1", temperature_c: 31, io: { read: 5, written: 6 } },
    { id: "a.b]c", serial: "S2", temperature_c: 40, io: { read: 7, written: 8 } },
  ],
};
const volatile = compileFacets({
  "load.*": { abs: 0.5 },
  "drives[id].temperature_c": { abs: 2 },
  "drives[id].io": { rel: 0.1 },
});

test("the stable text leaves out volatile fields and nothing else", () => {
  expect(stableText(data, volatile)).toBe(
    '{"model":"X","load":{},"drives":[{"id":"wwn-0x5","serial":"S1"},{"id":"a.b]c","serial":"S2"}]}',
  );
  const drifted = structuredClone(data);
  drifted.load.one = 9;
  (drifted.drives[0] as { temperature_c: number }).temperature_c = 60;
  expect(stableText(drifted, volatile)).toBe(stableText(data, volatile));
  drifted.model = "Y";
  expect(stableText(drifted, volatile)).not.toBe(stableText(data, volatile));
});

test("volatile values are flat paths named by the item's key", () => {
  const found = volatileOf(data, volatile);
  expect(found.get("load.one")).toBe(1.5);
  expect(found.get("drives[wwn-0x5].temperature_c")).toBe(31);
  expect(found.get("drives[a.b\\]c].io.read")).toBe(7);
  expect(found.size).toBe(8);
});

test("a flat path finds the tolerance of its pattern, whatever the key's characters", () => {
  expect(toleranceAt("load.five", volatile)).toEqual({ abs: 0.5 });
  for (const path of volatileOf(data, volatile).keys()) {
    const expected = path.includes("temperature")
      ? { abs: 2 }
      : path.startsWith("load")
        ? { abs: 0.5 }
        : { rel: 0.1 };
    expect(toleranceAt(path, volatile)).toEqual(expected);
  }
});

test("tolerance: absolute, relative, both, none, and things that are not numbers", () => {
  expect(leftTolerance(31, undefined, { abs: 100 })).toBe(true);
  expect(leftTolerance(33, 31, { abs: 2 })).toBe(false);
  expect(leftTolerance(33.1, 31, { abs: 2 })).toBe(true);
  expect(leftTolerance(109, 100, { rel: 0.1 })).toBe(false);
  expect(leftTolerance(111, 100, { rel: 0.1 })).toBe(true);
  expect(leftTolerance(2, 1, { rel: 0.1, abs: 5 })).toBe(false);
  expect(leftTolerance(1, 1, {})).toBe(false);
  expect(leftTolerance(1.0001, 1, {})).toBe(true);
  expect(leftTolerance(null, 5, { abs: 100 })).toBe(true);
  expect(leftTolerance("a", "a", {})).toBe(false);
});

test("slow drift gets through, since the delivered value is what counts", () => {
  let delivered = 20;
  let sent = 0;
  for (let now = 20; now <= 40; now += 0.5) {
    if (!leftTolerance(now, delivered, { abs: 2 })) continue;
    delivered = now;
    sent++;
  }
  expect(sent).toBe(8);
});

test("redact keeps the shape, omit does not", () => {
  const named = compileFacets(["drives[].serial", "load"]);
  expect(redact(data, named)).toMatchObject({ drives: [{ id: "wwn-0x5", serial: null }, { serial: null }] });
  expect(JSON.stringify(redact(data, named))).not.toContain("S1");
  const without = omit(data, named) as typeof data;
  expect("load" in without).toBe(false);
  expect("serial" in (without.drives[0] as object)).toBe(false);
});

test("any JSON value is walked without a crash, and without patterns its text is plain JSON", () => {
  forAll(
    fc.property(fc.jsonValue(), (value) => {
      expect(stableText(value, compileFacets({}))).toBe(JSON.stringify(value));
      expect(JSON.parse(stableText(value, volatile))).toBeDefined();
      volatileOf(value, volatile);
      expect(() => JSON.stringify(redact(value, volatile))).not.toThrow();
    }),
    { seed: 1, cases: 500 },
  );
});
