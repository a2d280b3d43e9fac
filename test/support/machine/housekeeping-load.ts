/**
 * A program of its own (started by housekeeping.test.ts): makes rubbish as a daemon does, tick after tick,
 * and prints its resident memory in kB at the start and after each tick.
 */
import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { openHousekeeping } from "../../../src/system/housekeeping.ts";

const TICKS = 150;
const log: string[] = [];
const housekeeping = openHousekeeping({
  enabled: process.argv[2] === "true",
  log: { info: (...parts: unknown[]) => log.push(String(parts.at(-1))) },
  rhythm: { settleMs: 0, againMs: 60_000, dropMs: 0, collectMs: 0, collectSoonMs: 0, validateMs: 60_000 },
});

function residentKb(): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
}

function work(): number {
  const rows = [];
  for (let row = 0; row < 400; row++)
    rows.push({ row, text: `value ${row}`.repeat(4), list: [row, row + 1] });
  return JSON.stringify(JSON.parse(JSON.stringify(rows))).length + Buffer.alloc(200_000, "x").length;
}

async function main(): Promise<void> {
  const before = residentKb();
  const after: number[] = [];
  let sum = 0;
  for (let tick = 0; tick < TICKS; tick++) {
    sum += work();
    housekeeping.tick();
    await setTimeout(3);
    after.push(residentKb());
  }
  process.stdout.write(JSON.stringify({ before, after, sum, log }));
}

void main();
