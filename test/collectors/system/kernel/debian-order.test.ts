import fc from "fast-check";
import { expect, test } from "vitest";
import { compareDebian } from "../../../../src/collectors/system/kernel/debian-order.ts";
import { forAll } from "../../../support/for-all.ts";

// Each line is what `dpkg --compare-versions A lt B` says yes to.
test.each([
  ["6.1.0-9", "6.1.0-10"],
  ["6.1.0-40", "6.12.38+deb13"],
  ["6.12.38", "6.12.38+deb13"],
  ["1.0~rc1", "1.0"],
  ["1.0~~", "1.0~"],
  ["1.0", "1.0a"],
  ["1.0a", "1.0+"],
  ["9.9", "1:0.1"],
  ["1.2.3", "1.2.3-1"],
  ["6.6.51+rpt", "6.6.74+rpt"],
  ["0.9", "0.10"],
])("%s is older than %s", (older, newer) => {
  expect(compareDebian(older, newer)).toBeLessThan(0);
  expect(compareDebian(newer, older)).toBeGreaterThan(0);
});

test.each([
  ["1.0", "1.00"],
  ["0:1.0", "1.0"],
  ["1.0-0", "1.0"],
])("%s is %s", (a, b) => {
  expect(compareDebian(a, b)).toBe(0);
});

test("the order is one for any texts", () => {
  const version = fc.oneof(fc.string(), fc.stringMatching(/^[0-9]{1,3}(?:[.+~a-c-][0-9]{1,4}){0,4}$/));
  forAll(
    fc.property(version, version, version, (a, b, c) => {
      expect(Math.sign(compareDebian(a, b)) + Math.sign(compareDebian(b, a))).toBe(0);
      if (compareDebian(a, b) <= 0 && compareDebian(b, c) <= 0)
        expect(compareDebian(a, c)).toBeLessThanOrEqual(0);
    }),
    { seed: 7, cases: 2000 },
  );
});
