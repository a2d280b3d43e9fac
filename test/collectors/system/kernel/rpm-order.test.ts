/** What rpm's own tests (tests/rpmvercmp.at) and pacman's (its vercmptest) say of pairs of versions. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  compareArch,
  compareRpm,
  compareRpmPart,
} from "../../../../src/collectors/system/kernel/rpm-order.ts";
import { forAll } from "../../../support/for-all.ts";

const RPM: readonly (readonly [string, string, number])[] = [
  ["1.0", "1.0", 0],
  ["1.0", "2.0", -1],
  ["2.0", "2.0.1", -1],
  ["2.0.1a", "2.0.1", 1],
  ["5.5p1", "5.5p2", -1],
  ["5.5p1", "5.5p10", -1],
  ["10xyz", "10.1xyz", -1],
  ["xyz10", "xyz10.1", -1],
  ["xyz.4", "xyz.4", 0],
  ["xyz.4", "8", -1],
  ["xyz.4", "2", -1],
  ["5.5p2", "5.6p1", -1],
  ["5.6p1", "6.5p1", -1],
  ["6.0.rc1", "6.0", 1],
  ["10b2", "10a1", 1],
  ["1.0a", "1.0aa", -1],
  ["10.0001", "10.1", 0],
  ["10.0001", "10.0039", -1],
  ["4.999.9", "5.0", -1],
  ["20101121", "20101122", -1],
  ["2_0", "2.0", 0],
  ["a+", "a_", 0],
  ["+a", "_a", 0],
  ["+", "_", 0],
  ["1.0~rc1", "1.0", -1],
  ["1.0~rc1", "1.0~rc2", -1],
  ["1.0~rc1~git123", "1.0~rc1", -1],
  ["1.0^", "1.0", 1],
  ["1.0^git1", "1.0^git2", -1],
  ["1.0^git1", "1.01", -1],
  ["1.0^20160101", "1.0.1", -1],
  ["1.0^20160101^git1", "1.0^20160102", -1],
  ["1.0~rc1^git1", "1.0~rc1", 1],
  ["1.0^git1~pre", "1.0^git1", -1],
  ["1b.fc17", "1.fc17", -1],
  ["1g.fc17", "1.fc17", 1],
];

const PACMAN: readonly (readonly [string, string, number])[] = [
  ["1.5.0", "1.5.0", 0],
  ["1.5.1", "1.5.0", 1],
  ["1.5.1", "1.5", 1],
  ["1.5.0-1", "1.5.0-2", -1],
  ["1.5.0-2", "1.5.1-1", -1],
  ["1.5-1", "1.5.1-1", -1],
  ["1.5", "1.5-1", 0],
  ["1.0-1", "1.1", -1],
  ["1.5b-1", "1.5-1", -1],
  ["1.5b", "1.5.1", -1],
  ["1.0a", "1.0alpha", -1],
  ["1.0alpha", "1.0b", -1],
  ["1.0beta", "1.0rc", -1],
  ["1.0rc", "1.0", -1],
  ["1.5.a", "1.5", 1],
  ["1.5.b", "1.5.a", 1],
  ["1.5.1", "1.5.b", 1],
  ["1.5.b-1", "1.5.b", 0],
  ["1.5-1", "1.5.b", -1],
  ["0:1.0", "1.0", 0],
  ["1:1.0", "2.0", 1],
];

describe("the order of", () => {
  test.each(RPM)("rpm: %s against %s is %i", (a, b, order) => {
    expect(compareRpmPart(a, b)).toBe(order);
    expect(compareRpmPart(b, a) + order).toBe(0);
  });

  test.each(PACMAN)("pacman: %s against %s is %i", (a, b, order) => {
    expect(compareArch(a, b)).toBe(order);
    expect(compareArch(b, a) + order).toBe(0);
  });

  test("kernels: version before release", () => {
    expect(compareRpm("4.18.0-553.5.1.el8_10", "4.18.0-553.el8_10")).toBe(1);
    expect(compareRpm("5.14.0-70.13.1.el9_0", "5.14.0-70.el9")).toBe(1);
    expect(compareRpm("5.14.0-9.el9", "5.14.0-70.el9")).toBe(-1);
    expect(compareRpm("6.10.0-0.rc1.17.fc41", "6.10.0-1.fc41")).toBe(-1);
    expect(compareRpm("6.4.0-150600.21", "6.4.0-150600.23.7")).toBe(-1);
  });
});

test("either order is the other way round for any two texts", () => {
  const version = fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-c~^.+_-]{0,12}$/));
  forAll(
    fc.property(version, version, (a, b) => {
      expect(compareRpm(a, b) + compareRpm(b, a)).toBe(0);
      expect(compareRpm(a, a)).toBe(0);
      expect([-1, 0, 1]).toContain(compareArch(a, b));
      expect(compareArch(a, a)).toBe(0);
    }),
    { seed: 11, cases: 2000 },
  );
});
