/** The most memory that an answer of a control API can take while it is read, beside rest. */
import { readFileSync, writeFileSync } from "node:fs";
import { startWorstServer, WORST } from "../support/net/worst-answers.ts";
import { type Bench, megabytes, type Part, type Row } from "./bench-types.ts";
import { startAgent } from "./daemons.ts";
import { median, memoryOf, wait } from "./figures.ts";

/** Each so often: what one leaves behind adds to the next. */
const ROUNDS = 3;
/** A round comes at least 15 s after the one before; the housekeeping is through after 3. */
const BETWEEN_MS = 5_000;
const SETTLE_MS = 45_000;

const peakKb = (pid: number): number =>
  Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]);

/** proc(5): the peak is from now on. */
const forgetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, "5");

async function run(bench: Bench): Promise<Row[]> {
  const server = await startWorstServer();
  try {
    await using agent = await startAgent(bench, `[nodefoundry]\nurl = "${server.url}"\n`);
    await agent.control("POST", "/v1/enroll", { key: "nf_en_abcdefgh1234" });
    for (let round = 0; round < ROUNDS; round++) await agent.control("POST", "/v1/sync");
    await wait(bench.quick ? 5_000 : SETTLE_MS);
    const rest: number[] = [];
    for (let second = 0; second < 10; second++) {
      await wait(1_000);
      rest.push(memoryOf(agent.pid).rssKb);
    }
    const peak = async (): Promise<number> => {
      forgetPeak(agent.pid);
      for (let round = 0; round < ROUNDS; round++) {
        await agent.control("POST", "/v1/sync");
        await wait(BETWEEN_MS);
      }
      return peakKb(agent.pid);
    };
    const usual = await peak();
    let worst = { name: "", kb: 0 };
    for (const [name, body] of Object.entries(WORST)) {
      server.answer(body());
      const kb = await peak();
      bench.say(`  ${name}: peak ${megabytes(kb)}, rest ${megabytes(median(rest))}`);
      if (kb > worst.kb) worst = { name, kb };
    }
    const above = worst.kb - median(rest);
    return [
      {
        what: "answers: peak RSS of the usual, above rest",
        ours: megabytes(usual - median(rest)),
        peer: "",
        target: "",
      },
      {
        what: `answers: peak RSS of the worst (${worst.name}), above rest`,
        ours: megabytes(above),
        peer: "",
        target: "≤ 20 MB",
      },
    ];
  } finally {
    server.close();
  }
}

export const answers: Part = { name: "answers", run };
