/** What each library and built-in module costs before it is used: memory and time of loading it under the ship flags. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { SHIP_FLAGS } from "../../scripts/flags.mjs";
import { ROOT } from "../../scripts/paths.mjs";
import { type Bench, megabytes, type Part, type Row } from "./bench-types.ts";
import { median } from "./figures.ts";

const MODULES = [
  "pino",
  "valibot",
  "toml",
  "chokidar",
  "@noble/hashes/hmac.js",
  "@noble/hashes/sha2.js",
  "node:crypto",
  "node:sqlite",
  "node:https",
  "node:ffi",
  // With valibot in it. Left to documents and tests: the daemon does without.
  "../../src/sockets/wire/answers.ts",
];
const TIMES = 7;

interface Cost {
  readonly ms: number;
  readonly rssKb: number;
  readonly dirtyKb: number;
}

async function costOf(folder: string, name: string | null): Promise<Cost> {
  const entry = join(folder, "entry.mjs");
  const outfile = join(folder, "program.cjs");
  const load = name === null ? "" : `globalThis.kept = require(${JSON.stringify(name)});`;
  const measure = `
    const { readFileSync } = require("node:fs");
    const from = performance.now();
    ${load}
    const ms = performance.now() - from;
    const text = readFileSync("/proc/self/smaps_rollup", "latin1");
    const kb = (what) => Number(new RegExp("^" + what + ": +(\\\\d+)", "m").exec(text)[1]);
    console.log(JSON.stringify({ ms, rssKb: kb("Rss"), dirtyKb: kb("Private_Dirty") }));`;
  writeFileSync(entry, measure);
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    logLevel: "error",
  });
  const found: Cost[] = [];
  for (let time = 0; time < TIMES; time++) {
    found.push(JSON.parse(execFileSync(process.execPath, [...SHIP_FLAGS, outfile], { encoding: "utf8" })));
  }
  const middle = (key: keyof Cost): number => median(found.map((cost) => cost[key]));
  return { ms: middle("ms"), rssKb: middle("rssKb"), dirtyKb: middle("dirtyKb") };
}

export const libraries: Part = {
  name: "libraries",
  async run(_bench: Bench): Promise<Row[]> {
    // Inside the checkout, so that its packages are found.
    const folder = mkdtempSync(join(ROOT, "build/bench-"));
    try {
      const nothing = await costOf(folder, null);
      const show = (what: string, cost: Cost): Row => ({
        what,
        ours: `${megabytes(cost.rssKb)} RSS, ${megabytes(cost.dirtyKb)} dirty, ${cost.ms.toFixed(1)} ms`,
        peer: "",
        target: "",
      });
      const rows = [show("Node alone", nothing)];
      for (const name of MODULES) {
        const { ms, rssKb, dirtyKb } = await costOf(folder, name);
        const more = { ms, rssKb: rssKb - nothing.rssKb, dirtyKb: dirtyKb - nothing.dirtyKb };
        rows.push(show(`  loading ${name.replace("../../", "")} adds`, more));
      }
      return rows;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
