/** The bundle is ASCII, which lets V8 keep it with one byte a character; in a regular expression esbuild escapes nothing. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { BUNDLE } from "../../scripts/paths.mjs";

it("is ASCII: write \\uXXXX in a regular expression", () => {
  const lines = readFileSync(BUNDLE, "utf8").split("\n");
  expect(lines.filter((line) => /[^\x00-\x7f]/.test(line))).toEqual([]);
  expect(lines.length).toBeGreaterThan(1_000);
});
