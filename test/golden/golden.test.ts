/**
 * The whole report of each fixture machine against test/fixtures/golden/NAME.json, which people review.
 * `npm run derive` writes the files anew: look at the difference before you keep it.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { allCollectors } from "../../src/collectors/index.ts";
import { jbod } from "../support/drives/jbod.ts";
import { loadTree, type Tree } from "../support/machine/tree.ts";
import { goldenReport, prettyJson } from "../support/text/golden.ts";

const MACHINES: Readonly<Record<string, () => Tree>> = {
  "ceph-node": () => loadTree("ceph-node"),
  pi4: () => loadTree("pi4"),
  vm: () => loadTree("vm"),
  "vm-hardened": () => loadTree("vm-hardened"),
  container: () => loadTree("container"),
  // Small, so that it can be read whole (drives.test.ts has the one with 90 bays), and drives only: the rest of
  // this report shows what is said of a machine that tells nothing.
  jbod: () => jbod(4, { pathOffline: [2] }),
};

test.each(Object.keys(MACHINES))("the report of %s is the one that was reviewed", async (name) => {
  const report = await goldenReport((MACHINES[name] as () => Tree)());
  // Complete: every collector has data or says why not.
  expect(Object.keys(report.sections)).toEqual(allCollectors().map((collector) => collector.name));
  const file = new URL(`../fixtures/golden/${name}.json`, import.meta.url);
  if (process.env.FOUNDRY_DERIVE === "1") writeFileSync(file, prettyJson(report));
  expect(existsSync(file), "there is no golden file: npm run derive").toBe(true);
  expect(prettyJson(report)).toBe(readFileSync(file, "utf8"));
});

test("nothing in a report comes from the machine that runs the test", async () => {
  const first = await goldenReport(loadTree("vm"));
  const second = await goldenReport(loadTree("vm"));
  // Two trees, laid in two folders: whatever slipped through from around them would differ or name them.
  expect(prettyJson(second)).toBe(prettyJson(first));
  expect(prettyJson(first)).not.toContain("foundry-test-");
});
