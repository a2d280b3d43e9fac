/** Keys of drives: all different, the same in whatever order drives are found, and the same again after a restart. */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { driveKeys, type Keyed } from "../../../src/collectors/drives/scan/keys.ts";
import { forAll } from "../../support/for-all.ts";

const SEEDED = { seed: 20261201, cases: 1000 };

const told = fc.record({
  wwn: fc.constantFrom(null, "0x5", "0x6"),
  serial: fc.constantFrom(null, "AAAA1111", "BBBB2222", "0123456789ABCDEF"),
  model: fc.constantFrom(null, "M"),
  sizeBytes: fc.constantFrom(null, 1, 2),
});

const drives = fc
  .array(told, { maxLength: 8 })
  .map((list): Keyed[] => list.map((one, index) => ({ ...one, place: `path-${index}` })));

const byPlace = (list: readonly Keyed[], ids: readonly string[]): string[] =>
  list.map(({ place }, index) => `${place} ${ids[index]}`).sort();

it("do not depend on the order", () => {
  forAll(
    fc.property(drives, fc.nat(7), (list, turn) => {
      const turned = [...list.slice(turn), ...list.slice(0, turn)];
      const ids = driveKeys().assign(list);
      expect(new Set(ids).size).toBe(list.length);
      expect(byPlace(turned, driveKeys().assign(turned))).toEqual(byPlace(list, ids));
    }),
    SEEDED,
  );
});

it("stay over a restart that keeps who shared what", () => {
  forAll(
    fc.property(drives, (list) => {
      const before = driveKeys();
      before.assign(list);
      const ids = before.assign(list);
      const after = driveKeys();
      after.learn([], before.shared());
      expect(after.assign(list)).toEqual(ids);
    }),
    SEEDED,
  );
});

it("stay while others come and go, once they have been seen together", () => {
  forAll(
    fc.property(drives, fc.nat(255), (list, which) => {
      const keys = driveKeys();
      keys.assign(list);
      const together = keys.assign(list);
      const left = list.filter((_, index) => ((which >> index) & 1) === 1);
      const expected = together.filter((_, index) => ((which >> index) & 1) === 1);
      expect(keys.assign(left)).toEqual(expected);
    }),
    SEEDED,
  );
});
