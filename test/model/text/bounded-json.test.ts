import fc from "fast-check";
import { expect, test } from "vitest";
import { jsonExcess, parseBounded } from "../../../src/model/text/bounded-json.ts";
import { forAll } from "../../support/for-all.ts";

const ROOMY = { bytes: 1e6, depth: 1000, values: 1e6, text: 1e6 };

/** How deep, how many values and how much text there is, by walking over what was built. */
function walked(value: unknown): { depth: number; values: number; empty: number } {
  if (value === null || typeof value !== "object") return { depth: 0, values: 1, empty: 0 };
  const inner = Object.values(value).map(walked);
  return {
    depth: 1 + Math.max(0, ...inner.map(({ depth }) => depth)),
    values: 1 + inner.reduce((sum, { values }) => sum + values, 0),
    empty: (inner.length === 0 ? 1 : 0) + inner.reduce((sum, { empty }) => sum + empty, 0),
  };
}

test("of any JSON, depth and values are counted as whoever builds it would count them", () => {
  forAll(
    fc.property(fc.json({ maxDepth: 6 }), (json) => {
      const bytes = Buffer.from(json);
      const { depth, values, empty } = walked(JSON.parse(json));
      expect(jsonExcess(bytes, { ...ROOMY, depth, values: values + empty })).toBeNull();
      if (depth > 0) expect(jsonExcess(bytes, { ...ROOMY, depth: depth - 1 })).toContain("nested deeper");
      if (values > 1) expect(jsonExcess(bytes, { ...ROOMY, values: values + empty - 1 })).toContain("values");
    }),
    { seed: 11, cases: 2000 },
  );
});

test("what is parsed is what JSON.parse gives, and what it refuses is broken, whatever the bytes", () => {
  const bytes = fc.oneof(
    fc.json().map((json) => Buffer.from(json)),
    fc.uint8Array({ maxLength: 60 }).map((raw) => Buffer.from(raw)),
    fc
      .string({ unit: fc.constantFrom(...'[]{}",:\\1nul \n'), maxLength: 30 })
      .map((text) => Buffer.from(text)),
  );
  forAll(
    fc.property(bytes, (raw) => {
      let wanted: unknown = { wrong: "broken JSON" };
      try {
        wanted = { value: JSON.parse(new TextDecoder().decode(raw)) };
      } catch {}
      expect(parseBounded(raw, ROOMY)).toEqual(wanted);
      expect(parseBounded(raw.toString("utf8"), ROOMY)).toHaveProperty(
        "value" in (wanted as object) ? "value" : "wrong",
      );
    }),
    { seed: 12, cases: 3000 },
  );
});

test.each([
  ["[[[[]]]]", { depth: 3 }, "JSON nested deeper than 3 levels"],
  ["[{},{},{}]", { values: 6 }, "JSON with more than 6 values"],
  ['{"abc":"de"}', { text: 4 }, "JSON with more than 4 bytes of text"],
  ['"\\"\\"\\""', { text: 5 }, "JSON with more than 5 bytes of text"],
  ['"ü"', { text: 1 }, "JSON with more than 1 bytes of text"],
  ["[1,2,3]", { bytes: 6 }, "more than 6 bytes of JSON"],
  ['"never ended', { text: 3 }, "JSON with more than 3 bytes of text"],
])("%s: %o", (json, bounds, wrong) => {
  expect(parseBounded(json, { ...ROOMY, ...bounds })).toEqual({ wrong });
});

test("brackets and commas inside of quotes are text, also behind escapes", () => {
  const json = JSON.stringify(['[[{{,,\\"', "\\", "]],"]);
  expect(parseBounded(json, { ...ROOMY, depth: 1, values: 5 })).toEqual({ value: JSON.parse(json) });
});
