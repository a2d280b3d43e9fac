/**
 * A process of the crash matrix: lives one life after another as main, as helper or as both, until it is killed.
 * Whoever lived his life to its end may be given another one: nothing of it is left in the process.
 */
import { writeFileSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { serveHelper } from "./helper.ts";
import { liveMain } from "./main.ts";
import { openPoints } from "./points.ts";
import { type Job, places } from "./types.ts";

let stop: (() => Promise<void>) | null = null;
let begun: Promise<void> = Promise.resolve();
const say = (line: object): void => void writeSync(1, `${JSON.stringify(line)}\n`);

async function live(job: Job): Promise<void> {
  const at = places(job.world);
  process.env.PATH = at.programs;
  writeFileSync(at.pid(job.role), String(process.pid));
  const points = openPoints(job);
  if (job.role === "main") return say({ done: await liveMain(job, points) });
  stop = await serveHelper(job, points);
  say({ listening: true });
}

async function end(): Promise<void> {
  await stop?.();
  say({ stopped: true });
}

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const job = JSON.parse(line) as Job | { stop: true };
    begun = begun
      .then(() => ("stop" in job ? end() : live(job)))
      .catch((error: Error) => say({ error: String(error.stack) }));
  })
  .on("close", () => process.exit(0));
