/** Random streams of commands, faults and restarts against a real executor on a real store: what must hold, holds. */
import { existsSync } from "node:fs";
import fc from "fast-check";
import { beforeEach, expect, it, vi } from "vitest";
import { forAllAsync } from "../../support/for-all.ts";
import { runStream } from "./run.ts";
import type { Mistake } from "./store.ts";
import { type Act, type Happening, stream } from "./stream.ts";

/** FUZZ_RUNS=N: so many, however long they take. */
const WANTED = process.env.FUZZ_RUNS;
const RUNS = Number(WANTED ?? 80);
const SEED = Number(process.env.FUZZ_SEED ?? 20);
const LENGTH = 60;

// Each stream makes states by the dozen, and what an fsync costs is not the question here.
beforeEach(() => {
  if (existsSync("/dev/shm")) vi.stubEnv("TMPDIR", "/dev/shm");
  return () => vi.unstubAllEnvs();
});

it("keeps its promises whatever comes", {
  timeout: WANTED === undefined ? 60_000 : 3_600_000,
}, async () => {
  const started = process.hrtime.bigint();
  let commands = 0;
  const runs = await forAllAsync(
    fc.asyncProperty(stream(LENGTH), async (happenings) => {
      const done = await runStream(happenings);
      commands += done.commands;
      expect(done.wrong).toEqual([]);
    }),
    { seed: SEED, cases: RUNS, ...(WANTED === undefined ? {} : { budgetMs: 3_600_000 }) },
  );
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  process.stdout.write(`fuzz: ${runs} runs, ${commands} commands, ${seconds.toFixed(1)} s\n`);
});

const happening = (act: Act, turns = -1): Happening => ({ act, turns });
const offered = happening({
  do: "deliver",
  offers: [
    {
      who: 0,
      shape: { type: "reboot", params: { drain_osds: false }, flaw: "ok" },
      ...{ mode: "live", seq: "next", issuedInMs: 0, expiresInMs: null },
    },
  ],
  ...{ cancel: [], rejected: [], clock: true, twice: false },
});

it.each<[string, Happening[]]>([
  [
    "a hold that is set while the gates are looked at",
    [
      happening({ do: "slow_look" }),
      offered,
      happening({ do: "hold", forMs: null }),
      happening({ do: "open" }),
    ],
  ],
  [
    "a cancel that can't be written down, of a command that was acknowledged",
    [
      happening({ do: "hold", forMs: null }),
      offered,
      happening({ do: "heard" }),
      happening({ do: "fail_write", nth: 1, how: "fail" }),
      happening({ do: "cancel", who: 0 }),
    ],
  ],
])("keeps them with %s", async (_what, happenings) => {
  expect((await runStream(happenings)).wrong).toEqual([]);
});

it.each<[Mistake, RegExp]>([
  ["forgets_ids", /taken twice/],
  ["asks_twice", /asked for twice/],
  ["ignores_hold", /begun while held/],
  ["intent_not_written", /reboot|rebooting/],
])("finds a port that %s", async (mistake, what) => {
  const found: string[] = [];
  for (const happenings of fc.sample(stream(LENGTH), { seed: SEED, numRuns: 40 })) {
    found.push(...(await runStream(happenings, mistake)).wrong);
    if (found.some((one) => what.test(one))) break;
  }
  expect(found).toEqual(expect.arrayContaining([expect.stringMatching(what)]));
});
