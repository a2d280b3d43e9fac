/** One full collection (all readers, no network), beside one scrape of node_exporter. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleAgent } from "../../scripts/build/bundle.mjs";
import { SHIP_FLAGS } from "../../scripts/flags.mjs";
import { type Bench, milliseconds, type Part, type Row } from "./bench-types.ts";
import { startExporter } from "./daemons.ts";
import { cpuMsOf, percentile } from "./figures.ts";

const SCRAPES = 100;

/** Bundle a program of this folder and run it with the ship flags. @returns what it printed. */
async function runBundled(file: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "foundry-bench-"));
  try {
    const outfile = join(folder, "program.cjs");
    await bundleAgent({ entry: fileURLToPath(new URL(file, import.meta.url)), outfile });
    return execFileSync(process.execPath, [...SHIP_FLAGS, outfile], { encoding: "utf8" });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function scrapes(bench: Bench, program: string): Promise<{ wall: number[]; cpu: number }> {
  await using exporter = await startExporter(bench, program);
  await exporter.scrape();
  const wall: number[] = [];
  const before = cpuMsOf(exporter.pid);
  for (let time = 0; time < SCRAPES; time++) {
    const from = performance.now();
    await exporter.scrape();
    wall.push(performance.now() - from);
  }
  return { wall, cpu: (cpuMsOf(exporter.pid) - before) / SCRAPES };
}

export const collection: Part = {
  name: "collection",
  async run(bench: Bench): Promise<Row[]> {
    const ours = JSON.parse(await runBundled("collect-program.ts")) as {
      wall: number[];
      cpu: number[];
      first: number[];
      each: Record<string, number>;
    };
    const peer = bench.exporter === null ? null : await scrapes(bench, bench.exporter);
    const show = (values: number[] | undefined, share: number): string =>
      values === undefined ? "" : milliseconds(percentile(values, share));
    const mean = (values: number[]): string =>
      milliseconds(values.reduce((sum, ms) => sum + ms, 0) / values.length);
    return [
      {
        what: "full collection / scrape, p50",
        ours: show(ours.wall, 0.5),
        peer: show(peer?.wall, 0.5),
        target: "",
      },
      {
        what: "full collection / scrape, p99",
        ours: show(ours.wall, 0.99),
        peer: show(peer?.wall, 0.99),
        target: "",
      },
      {
        what: "CPU of one, mean",
        ours: mean(ours.cpu),
        peer: peer === null ? "" : milliseconds(peer.cpu),
        target: "≤ 3 ms",
      },
      { what: "CPU of the first one of a daemon, mean", ours: mean(ours.first), peer: "", target: "" },
      ...Object.entries(ours.each).map(([name, ms]) => ({
        what: `  of it ${name}`,
        ours: milliseconds(ms),
        peer: "",
        target: "",
      })),
    ];
  },
};
