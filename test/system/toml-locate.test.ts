import fc from "fast-check";
import { parse } from "toml";
import { describe, expect, it } from "vitest";
import { locateKeys } from "../../src/system/toml-locate.ts";
import { pathsOf, writeDocument } from "../support/agent/toml-document.ts";
import { forAll } from "../support/for-all.ts";

describe("locateKeys", () => {
  it("finds the line of dotted keys, array tables, inline tables and what follows multi-line strings", () => {
    const text = [
      "top = 1",
      "a.b.'c d' = [1,",
      "  { x = 2 },",
      "]",
      '[s]  # "not = a key"',
      's = """',
      "fake = 1",
      '"""',
      "after = 'x'",
      "[[list]]",
      "one = 1",
      "[list.sub]",
      "two = 2",
      "[[list]]",
      "one = 3",
    ].join("\n");
    const lines = Object.fromEntries([...locateKeys(text)].map(([key, { line }]) => [key, line]));
    expect(lines).toEqual({
      top: 1,
      a: 2,
      "a.b": 2,
      'a.b."c d"': 2,
      'a.b."c d"[0]': 2,
      'a.b."c d"[1]': 3,
      'a.b."c d"[1].x': 3,
      s: 5,
      "s.s": 6,
      "s.after": 9,
      list: 10,
      "list[0]": 10,
      "list[0].one": 11,
      "list[0].sub": 12,
      "list[0].sub.two": 13,
      "list[1]": 14,
      "list[1].one": 15,
    });
  });

  it("counts columns from 1", () => {
    expect(locateKeys("  key = [ 1, 2 ]").get("key")).toEqual({ line: 1, column: 3 });
    expect(locateKeys("  key = [ 1, 2 ]").get("key[1]")).toEqual({ line: 1, column: 14 });
  });

  it("goes on behind a broken line", () => {
    const found = locateKeys('a = "open\nb = \n= 3\n[broken\nc = 1\n');
    expect(found.get("b")?.line).toBe(2);
    expect(found.get("broken.c")?.line).toBe(5);
  });

  it("agrees with the parser, and with whoever wrote the line, on thousands of documents", () => {
    let parsed = 0;
    const done = forAll(
      fc.property(fc.gen(), (g) => {
        const { text, lines } = writeDocument(g);
        const found = locateKeys(text);
        expect(Object.fromEntries([...found].map(([key, { line }]) => [key, line]))).toEqual(
          Object.fromEntries(lines),
        );
        expect(new Set(found.keys())).toEqual(pathsOf(parse(text)));
        parsed++;
      }),
      { cases: 2000, seed: 20_261_120 },
    );
    expect(parsed).toBe(done);
  });

  it("gives some answer for any text, and the parser's keys for any text the parser takes", () => {
    const pieces = [
      "[",
      "]",
      "[[",
      "]]",
      "=",
      ".",
      ",",
      "{",
      "}",
      '"',
      "'",
      '"""',
      "'''",
      "\\",
      "#",
      " ",
      "\n",
    ];
    const lines = [
      "a = 1\n",
      "[a]\n",
      "[[b]]\n",
      "c.d = {e = 1}\n",
      "[b.x]\n",
      "f = [1, 'x']\n",
      "\r\n",
      "é",
      "1",
    ];
    const soup = fc.array(fc.constantFrom(...pieces, ...lines, "a", "b"), { maxLength: 30 });
    let accepted = 0;
    const done = forAll(
      fc.property(soup, (parts) => {
        const text = parts.join("");
        const found = locateKeys(text);
        let table: unknown;
        try {
          table = parse(text);
        } catch {
          return;
        }
        accepted++;
        expect(new Set(found.keys())).toEqual(pathsOf(table));
      }),
      { cases: 5000, seed: 7 },
    );
    expect(accepted).toBeGreaterThan(done / 100);
  });

  it("ends on what would keep a quadratic scanner busy for hours", () => {
    const size = 200_000;
    for (const text of [
      "[".repeat(size),
      "a=".repeat(size),
      `a = ${'"'.repeat(size)}`,
      `a = """${'""x'.repeat(size)}`,
    ])
      expect(locateKeys(text).size).toBeLessThan(size);
    expect(locateKeys(`a = [\n${"1,\n".repeat(20_000)}]`).get("a[19999]")?.line).toBe(20_001);
  });
});
