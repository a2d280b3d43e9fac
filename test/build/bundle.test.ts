/** What V8 keeps in memory of the program for as long as it runs: its text, one byte a character. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { bundleAgent, DAEMON } from "../../scripts/build/bundle.mjs";
import { SHIP_FLAGS } from "../../scripts/flags.mjs";
import { BUNDLE, NODE } from "../../scripts/paths.mjs";
import { COMMANDS } from "../../src/cli/commands.ts";
import { temporaryFolder } from "../support/machine/tree.ts";

it("is ASCII (in a regular expression esbuild escapes nothing): write \\uXXXX in a regular expression", () => {
  const lines = readFileSync(BUNDLE, "utf8").split("\n");
  expect(lines.filter((line) => /[^\x00-\x7f]/.test(line))).toEqual([]);
  expect(lines.length).toBeGreaterThan(1_000);
});

it("has a daemon that carries no other sub-command about", async () => {
  const outfile = join(temporaryFolder(), "daemon.cjs");
  await bundleAgent({ outfile, only: DAEMON, commit: "unknown" });
  // A long line ends in the middle of a text.
  const read = (file: string): string => readFileSync(file, "latin1").replaceAll("\\\n", "");
  const [daemon, whole] = [read(outfile), read(BUNDLE)];
  const summaries = await Promise.all(
    Object.values(COMMANDS).map(async (load) => JSON.stringify((await load()).summary).slice(1, -1)),
  );
  expect(summaries.filter((summary) => !whole.includes(summary))).toEqual([]);
  expect(summaries.filter((summary) => daemon.includes(summary))).toEqual([
    "run the daemon in the foreground",
  ]);
  // Nor what root does where there is no helper: operations, and the programs they run.
  const words = ["PreparingForShutdown", "--scan-open"];
  expect(words.map((word) => [whole.includes(word), daemon.includes(word)])).toEqual(
    words.map(() => [true, false]),
  );
  const help = execFileSync(NODE, [...SHIP_FLAGS, outfile, "run", "--help"], { encoding: "utf8" });
  expect(help).toContain("--once");
  // Never asked for anything else; if it were, it is no daemon.
  expect(spawnSync(NODE, [...SHIP_FLAGS, outfile, "version"]).status).not.toBe(0);
});
