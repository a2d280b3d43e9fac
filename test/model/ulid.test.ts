import fc from "fast-check";
import { expect, test } from "vitest";
import { nextUlid } from "../../src/model/ulid.ts";
import { forAll } from "../support/for-all.ts";
import { ulidTime } from "../support/text/ulid.ts";

const bytes = new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);

test("26 characters of Crockford base 32, with the time readable again", () => {
  const id = nextUlid("", 1_469_922_850_259, bytes);
  expect(id).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
  expect(id.slice(0, 10)).toBe("01ARZ3NDEK"); // the time of the spec's own example
  expect(ulidTime(id)).toBe(1_469_922_850_259);
});

test("ids rise strictly whatever the clock does", () => {
  forAll(
    fc.property(
      fc.array(fc.tuple(fc.nat(4_000_000_000_000), fc.uint8Array({ minLength: 10, maxLength: 10 })), {
        maxLength: 50,
      }),
      (steps) => {
        let previous = "";
        for (const [now, random] of steps) {
          const id = nextUlid(previous, now, random);
          expect(id > previous).toBe(true);
          previous = id;
        }
      },
    ),
    { seed: 2, cases: 300 },
  );
});
