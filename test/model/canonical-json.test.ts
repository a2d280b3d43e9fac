import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/model/canonical-json.ts";
import { signedTextOf } from "../../src/model/signed-text.ts";
import { forAll } from "../support/for-all.ts";

const SEED = 20_261_121;

/** The number with these 64 bits of IEEE 754. */
function double(bits: string): number {
  return Buffer.from(bits, "hex").readDoubleBE();
}

/** Sorted by code units one by one, in another way than the code does it. */
function byUnits(a: string, b: string): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++)
    if (a.charCodeAt(index) !== b.charCodeAt(index)) return a.charCodeAt(index) - b.charCodeAt(index);
  return a.length - b.length;
}

/** The same value with the keys of every object in another order. */
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, field]) => [key, shuffled(field)]),
  );
}

describe("RFC 8785", () => {
  it("3.2.2: literals, numbers and strings", () => {
    const value = {
      numbers: JSON.parse("[333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001]"),
      string: "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"/",
      literals: [null, true, false],
    };
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it("3.2.3: keys by UTF-16 code units, so an emoji before U+FB33", () => {
    const value = {
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One",
      "\u{1f600}": "Emoji: Grinning Face",
      "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis",
    };
    expect(Object.values(JSON.parse(canonicalJson(value)))).toContain("One");
    expect([...canonicalJson(value).matchAll(/:"([^"]+)"/g)].map(([, name]) => name)).toEqual([
      "Carriage Return",
      "One",
      "Control",
      "Latin Small Letter O With Diaeresis",
      "Euro Sign",
      "Emoji: Grinning Face",
      "Hebrew Letter Dalet With Dagesh",
    ]);
  });

  it.each([
    ["0000000000000000", "0"],
    ["8000000000000000", "0"],
    ["0000000000000001", "5e-324"],
    ["8000000000000001", "-5e-324"],
    ["7fefffffffffffff", "1.7976931348623157e+308"],
    ["ffefffffffffffff", "-1.7976931348623157e+308"],
    ["4340000000000000", "9007199254740992"],
    ["c340000000000000", "-9007199254740992"],
    ["4430000000000000", "295147905179352830000"],
    ["44b52d02c7e14af5", "9.999999999999997e+22"],
    ["44b52d02c7e14af6", "1e+23"],
    ["44b52d02c7e14af7", "1.0000000000000001e+23"],
    ["444b1ae4d6e2ef4e", "999999999999999700000"],
    ["444b1ae4d6e2ef4f", "999999999999999900000"],
    ["444b1ae4d6e2ef50", "1e+21"],
    ["3eb0c6f7a0b5ed8c", "9.999999999999997e-7"],
    ["3eb0c6f7a0b5ed8d", "0.000001"],
    ["41b3de4355555553", "333333333.3333332"],
    ["41b3de4355555554", "333333333.33333325"],
    ["41b3de4355555555", "333333333.3333333"],
    ["41b3de4355555556", "333333333.3333334"],
    ["41b3de4355555557", "333333333.33333343"],
    ["becbf647612f3696", "-0.0000033333333333333333"],
    ["43143ff3c1cb0959", "1424953923781206.2"],
  ])("appendix B: %s is %s", (bits, text) => {
    expect(canonicalJson(double(bits))).toBe(text);
  });
});

describe("what has no canonical form", () => {
  const cycle: Record<string, unknown> = {};
  cycle.again = { deep: [cycle] };
  const nested = (levels: number): unknown => {
    let value: unknown = 1;
    for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { a: value };
    return value;
  };

  it.each([
    ["NaN (appendix B)", double("7fffffffffffffff")],
    ["Infinity (appendix B)", double("7ff0000000000000")],
    ["-Infinity", Number.NEGATIVE_INFINITY],
    ["undefined", undefined],
    ["undefined in an object", { a: undefined }],
    ["a hole in an array", new Array(2)],
    ["a function", () => 1],
    ["a symbol", Symbol("x")],
    ["a bigint", 1n],
    ["a date, whose toJSON would be asked", new Date(0)],
    ["a map", new Map()],
    ["half a surrogate pair", "\ud83d"],
    ["the other half", "a\ude00b"],
    ["half of one as a key", { "\ud83d": 1 }],
    ["a cycle", cycle],
    ["65 levels", nested(65)],
  ])("%s", (_name, value) => {
    expect(() => canonicalJson(value)).toThrow(expect.objectContaining({ code: "not_canonical" }));
    expect(() => canonicalJson({ a: [value] })).toThrow(expect.objectContaining({ code: "not_canonical" }));
  });

  it("64 levels have one, and an object without a prototype", () => {
    expect(canonicalJson(nested(64))).toMatch(/^(\{"a":\[){32}1(\]\}){32}$/);
    expect(canonicalJson(Object.assign(Object.create(null), { b: 1, a: 2 }))).toBe('{"a":2,"b":1}');
  });
});

describe("for any JSON", () => {
  const json = fc.jsonValue({ maxDepth: 8, stringUnit: "binary" });

  it("it is the same value, whatever the order of keys, and its own canonical form", () => {
    forAll(
      fc.property(json, (value) => {
        const text = canonicalJson(value);
        // As JSON has it: -0 is 0.
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(JSON.parse(text))).toBe(text);
        expect(canonicalJson(shuffled(value))).toBe(text);
      }),
      { seed: SEED, cases: 1_000 },
    );
  });

  it("keys are in the order of their code units and numbers read back exactly", () => {
    const keys = fc.uniqueArray(fc.string({ unit: "binary" }), { maxLength: 20 });
    forAll(
      fc.property(keys, fc.double({ noNaN: true, noDefaultInfinity: true }), (names, number) => {
        const text = canonicalJson(Object.fromEntries(names.map((key) => [key, number])));
        // Parsed as a list of pairs: an object would put keys like "1" first.
        const places = [...names].sort(byUnits).map((key) => `${JSON.stringify(key)}:`);
        expect(text).toBe(`{${places.map((key) => `${key}${canonicalJson(number)}`).join(",")}}`);
        expect(Number(canonicalJson(number))).toBe(number === 0 ? 0 : number);
      }),
      { seed: SEED, cases: 1_000 },
    );
  });
});

describe("what is signed of a command", () => {
  it("is all but its signature, unknown fields and a key like __proto__ too", () => {
    const command = JSON.parse('{"signature":"x","id":"c","__proto__":{"signature":1},"zz":[]}');
    expect(signedTextOf(command)).toBe('{"__proto__":{"signature":1},"id":"c","zz":[]}');
  });

  it("has up to 64 KiB", () => {
    const filled = (bytes: number) => ({ a: "ü".repeat((bytes - '{"a":""}'.length) / 2) });
    expect(Buffer.byteLength(signedTextOf(filled(65_536)))).toBe(65_536);
    expect(() => signedTextOf(filled(65_538))).toThrow("has 65538 bytes");
  });
});
