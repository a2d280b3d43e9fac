/** Start to ready: the agent until systemd would be told so (every section collected once), node_exporter until it answers. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bench, milliseconds, type Part, type Row } from "./bench-types.ts";
import { type Running, startAgent, startExporter } from "./daemons.ts";
import { cpuMsOf, median } from "./figures.ts";

const TIMES = 7;

async function starts(start: () => Promise<Running>): Promise<{ wall: number; cpu: number }> {
  const wall: number[] = [];
  const cpu: number[] = [];
  for (let time = 0; time < TIMES; time++) {
    await using running = await start();
    wall.push(running.readyMs);
    cpu.push(cpuMsOf(running.pid));
  }
  return { wall: median(wall), cpu: median(cpu) };
}

export const startup: Part = {
  name: "startup",
  async run(bench: Bench): Promise<Row[]> {
    const { exporter } = bench;
    const first = await starts(() => startAgent(bench));
    const folder = mkdtempSync(join(tmpdir(), "foundry-bench-"));
    await (await startAgent(bench, "", [], folder))[Symbol.asyncDispose]();
    const ours = await starts(() => startAgent(bench, "", [], folder));
    rmSync(folder, { recursive: true, force: true });
    const peer = exporter === null ? null : await starts(() => startExporter(bench, exporter));
    const show = (ms: number | undefined): string => (ms === undefined ? "" : milliseconds(ms));
    return [
      { what: "start to ready", ours: show(ours.wall), peer: show(peer?.wall), target: "≤ 80 ms" },
      { what: "CPU until ready", ours: show(ours.cpu), peer: show(peer?.cpu), target: "" },
      { what: "the very first start, which makes its state", ours: show(first.wall), peer: "", target: "" },
    ];
  },
};
