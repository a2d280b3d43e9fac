import fc from "fast-check";
import { expect, test } from "vitest";
import { isExact, parseExact } from "../../../src/collectors/local/exact-json.ts";
import { parseFact } from "../../../src/collectors/local/local.ts";
import { forAll } from "../../support/for-all.ts";

test.each([
  ["0", 0],
  ["-1", -1],
  ["1e3", 1000],
  ["1.50", 1.5],
  ["1E-7", 1e-7],
  ["6.02e23", 6.02e23],
  ["9007199254740991", 9007199254740991],
  ["9007199254740992", 9007199254740992],
  ["9007199254740993", "9007199254740993"],
  ["12345678901234567890", "12345678901234567890"],
  ["-9223372036854775808", "-9223372036854775808"],
  ["0.1", 0.1],
  ["0.12345678901234567890", "0.12345678901234567890"],
  ["-0", "-0"],
  ["-0.0", "-0.0"],
  ["1e400", "1e400"],
  ["1e-400", "1e-400"],
  ["100000000000000000000", 1e20],
])("%s is %j", (source, value) => {
  expect(parseExact(`{"a":[${source}]}`)).toEqual({ a: [value] });
});

test("a fact's numbers come out as they were written, and strings stay strings", () => {
  expect(
    parseFact('{"asset":12345678901234567890,"text":"-0","n":[1,{"deep":1e999}],"yes":true,"no":null}'),
  ).toEqual({
    asset: "12345678901234567890",
    text: "-0",
    n: [1, { deep: "1e999" }],
    yes: true,
    no: null,
  });
});

test("every number that JavaScript writes is exact, but for -0", () => {
  forAll(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(isExact(value, JSON.stringify(value))).toBe(!Object.is(value, -0));
      expect(JSON.stringify(parseExact(JSON.stringify([value])))).toBe(JSON.stringify([value]));
    }),
    { seed: 4, cases: 2000 },
  );
});
