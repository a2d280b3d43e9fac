/** Every figure of README.md is one that was measured, on a machine that is named and by a command that is there. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../../scripts/paths.mjs";

const FIGURE =
  /(?<![\w.])(?:\d+(?:\.\d+)? to )?\d+(?:\.\d+)? ?(?:ms|s|seconds?|min|minutes?|hours?|[kKMG]i?B|%)(?!\w)/g;

const readme = readFileSync(join(ROOT, "README.md"), "utf8");
/** What it shows of a terminal is an example of one machine, and says so. */
const prose = readme.replace(/^```[\s\S]*?^```/gm, "");
const [, table = ""] =
  /^## Figures of the README\n([\s\S]*?)\n## /m.exec(readFileSync(join(ROOT, "docs/bench.md"), "utf8")) ?? [];
const rows = table
  .split("\n")
  .filter((line) => line.startsWith("|"))
  .slice(2)
  .map((line) => line.split("|").map((cell) => cell.trim()));

const numbers = (text: string): number[] => (text.match(/\d+(?:\.\d+)?/g) ?? []).map(Number);

test("every figure stands in the table of measured ones, and none there is left from before", () => {
  const said = [...new Set(prose.match(FIGURE))];
  expect(said.length).toBeGreaterThan(0);
  expect(rows.map(([, figure]) => figure).sort()).toEqual(said.sort());
});

test.each(rows)("| %s%s | is near what was measured, with date, machine and command", (...cells) => {
  const [, said = "", measured = "", where = "", how = ""] = cells;
  const [low, high] = [Math.min(...numbers(said)), Math.max(...numbers(said))];
  for (const one of numbers(measured)) {
    expect(one).toBeGreaterThanOrEqual(low * 0.8);
    expect(one).toBeLessThanOrEqual(high * 1.2);
  }
  expect(measured).toContain(/[a-zA-Z%]+$/.exec(said)?.[0]);
  expect(where).toMatch(/^\d{4}-\d\d-\d\d, .*\bcores\b/);
  expect(how).toMatch(/^`.+`$/);
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  for (const [, script = ""] of how.matchAll(/npm (?:run )?(bench|test|start)\b/g))
    expect(scripts).toHaveProperty(script);
});

test("the figure finder finds figures", () => {
  expect("about 10 s, 30 MB, 3 to 4 minutes, 0.1 % and Node 26, arm64, x86-64".match(FIGURE)).toEqual([
    "10 s",
    "30 MB",
    "3 to 4 minutes",
    "0.1 %",
  ]);
});
