import fc from "fast-check";
import { expect, it } from "vitest";
import { nearest, slips } from "../../../src/model/text/suggest.ts";
import { forAll } from "../../support/for-all.ts";

const WORDS = ["status", "report", "drives", "network", "config", "log_level", "on"];

it.each([
  ["stauts", "status"],
  ["reprot", "report"],
  ["drive", "drives"],
  ["CONFIG", "config"],
  ["log-level", "log_level"],
  ["loglevel", "log_level"],
  ["no", "on"],
  ["xyzzy", null],
  ["", null],
  ["s".repeat(100), null],
])("%s is meant as %s", (word, meant) => {
  expect(nearest(word, WORDS)).toBe(meant);
});

it("counts slips as a distance", () => {
  expect(slips("kitten", "sitting")).toBe(3);
  expect(slips("ab", "ba")).toBe(1);
  const word = fc.string({ maxLength: 12 });
  forAll(
    fc.property(word, word, (a, b) => {
      expect(slips(a, b)).toBe(slips(b, a));
      expect(slips(a, b) === 0).toBe(a === b);
      expect(slips(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
      expect(slips(a, b)).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
    }),
    { seed: 5 },
  );
});
