/**
 * The crash matrix of commands: real processes with the real store, executor and helper are killed at every write and
 * every call outwards, and whatever they left must come to one result, one reboot at most, and nothing lost.
 *
 * Here every point is met once, by a kill of one process or two, on the same boot or a new one in turn, as far as the
 * time goes. With FOUNDRY_CRASH_MATRIX=part, as in the lab layer, each meets both; with =whole every combination runs
 * (matrix/plan.ts): as long as it takes.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBudget, tell } from "../support/budget.ts";
import { violations } from "./matrix/check.ts";
import { makeTemporaryFolder } from "./matrix/folder.ts";
import { generator, inAnyOrder, onceEach, partPlan, pointsOf, variants, wholePlan } from "./matrix/plan.ts";
import { openPool, type Pool } from "./matrix/pool.ts";
import { type Combination, type Outcome, runCombination } from "./matrix/run.ts";
import type { Mutant } from "./matrix/types.ts";
import { readLog } from "./matrix/world.ts";

const HOW_MUCH = process.env.FOUNDRY_CRASH_MATRIX;
const WHOLE = HOW_MUCH === "whole";
const SEED = 20_261_121;
const AT_ONCE = 2;
const HANGS_MS = 60_000;
/** A machine at rest needs a fifth of it, and two slow cores with other work a half. */
const BUDGET_MS = HOW_MUCH === undefined ? 100_000 : Number.POSITIVE_INFINITY;
/** Only what hangs can reach it. */
const timeout = HOW_MUCH === undefined ? 600_000 : 3_600_000;

const { folder, remove } = makeTemporaryFolder();
let pool: Pool;
let worlds = 0;

beforeAll(async () => {
  pool = await openPool(folder);
});
afterAll(() => {
  pool.close();
  remove();
});

/** Only so that one that hangs says where. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("hangs")), HANGS_MS);
  return await Promise.race([work, late.promise]).finally(() => clearTimeout(timer));
}

interface Judged {
  readonly one: Combination;
  readonly outcome: Outcome;
  readonly wrong: readonly string[];
}

/** What came of each, in their order; of as many as there is time for when there is a budget. */
async function runAll(
  combinations: readonly Combination[],
  budgetMs = Number.POSITIVE_INFINITY,
): Promise<Judged[]> {
  const judged: Judged[] = [];
  const budget = openBudget(combinations.length, { budgetMs });
  async function work(): Promise<void> {
    while (budget.begin()) {
      const index = budget.begun() - 1;
      const one = combinations[index] as Combination;
      const world = join(folder, `w${worlds++}`);
      mkdirSync(world, { mode: 0o755 });
      try {
        const outcome = await inTime(runCombination(pool, world, one));
        judged[index] = { one, outcome, wrong: violations(world, one, outcome) };
      } catch (error) {
        const log = readLog(world).map((line) => JSON.stringify(line).slice(0, 200));
        throw new Error(`${nameOf(one)}: ${String(error)}\n${log.slice(-20).join("\n")}`, { cause: error });
      }
      rmSync(world, { recursive: true });
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  tell(judged.length, combinations.length);
  return judged;
}

function nameOf({ kind, together, server, redelivery, crash, second }: Combination): string {
  const where = together ? "one process" : "two processes";
  const dies =
    crash === null ? "nobody dies" : `${crash.kill.victims.join("+")} at ${crash.life}/${crash.kill.at}`;
  return `${kind}, ${where}, ${dies}, ${crash?.after}, ${server}, ${redelivery}, second ${second}`;
}

const faults = (judged: readonly Judged[]): string[] =>
  judged
    .filter(({ wrong }) => wrong.length > 0)
    .map(({ one, wrong }) => `${nameOf(one)}: ${wrong.join("; ")}`);

test("killed anywhere: one reboot at most, one result, proven, undone, told", { timeout }, async () => {
  const started = performance.now();
  const all = variants(["reboot", "two_steps"]);
  const clean = await runAll(all.map((variant) => ({ ...variant, crash: null, second: null })));
  expect(faults(clean)).toEqual([]);
  const points = clean.map(({ outcome }) => pointsOf(outcome));
  const distinct = new Set(
    all.flatMap(({ kind, together }, index) =>
      (points[index] ?? []).map(({ life, name }) => `${kind} ${together} ${life} ${name}`),
    ),
  );
  const next = generator(SEED);
  const some = (WHOLE ? wholePlan : partPlan)(all, points, next);
  const plan = WHOLE || HOW_MUCH === "part" ? some : onceEach(some);
  const judged = await runAll(inAnyOrder(plan, next), BUDGET_MS);
  expect(faults(judged)).toEqual([]);
  // A kill that never came would pass everything above.
  expect(judged.filter(({ outcome }) => !outcome.reached).map(({ one }) => nameOf(one))).toEqual([]);
  expect(distinct.size).toBeGreaterThan(150);
  const states = Object.groupBy(judged, ({ outcome }) => resultOf(outcome));
  expect(Object.keys(states).sort()).toEqual(["failed", "succeeded"]);
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  process.stdout.write(
    `crash matrix: ${distinct.size} points, ${judged.length} combinations ran in ${seconds} s (${pool.started()} processes; ${states.succeeded?.length} succeeded, ${states.failed?.length} failed)\n`,
  );
});

test("a change that a reboot follows is taken back after the boot, wherever somebody is killed", {
  timeout,
}, async () => {
  const all = variants(["marked_reboot"]);
  const clean = await runAll(all.map((variant) => ({ ...variant, crash: null, second: null })));
  expect(faults(clean)).toEqual([]);
  const points = clean.map(({ outcome }) => pointsOf(outcome));
  const own = points.map((some) => some.filter(({ name }) => WHOLE || /mark|undo|set /.test(name)));
  const next = generator(SEED + 1);
  const judged = await runAll(inAnyOrder(partPlan(all, own, next), next), BUDGET_MS);
  expect(faults(judged)).toEqual([]);
  expect(judged.filter(({ outcome }) => !outcome.reached).map(({ one }) => nameOf(one))).toEqual([]);
});

/** The result as the server has it: a process killed right after its write did not live to note it. */
function resultOf({ log }: Outcome): string {
  const told = log.findLast((line) => line.kind === "arrived" && line.type === "command.state");
  return told?.kind === "arrived" ? String(told.data.state) : "none";
}

/** What must be found out, and where somebody has to be killed for it. */
const MUTANTS: readonly { mutant: Mutant; at: string; after: "same" | "lost"; says: RegExp }[] = [
  {
    mutant: "unsynced_journal",
    at: "helper: after systemctl reboot #1",
    after: "lost",
    says: /the host rebooted as it was asked to, and it is failed/,
  },
  {
    mutant: "late_intent",
    at: "helper: after systemctl reboot #1",
    after: "lost",
    says: /the host rebooted as it was asked to, and it is failed/,
  },
  {
    mutant: "calls_again",
    at: "helper: after systemctl reboot #1",
    after: "same",
    says: /asked to reboot \d times/,
  },
];

test.for(MUTANTS)("the matrix finds out $mutant", async ({ mutant, at, after, says }) => {
  const crash = { life: 1, kill: { at, victims: ["main", "helper"] as const }, after };
  const common = { kind: "reboot", server: "arrives", redelivery: "protocol", second: null } as const;
  const both = [true, false].map((together) => ({ ...common, together, crash }));
  expect(faults(await runAll(both))).toEqual([]);
  const judged = await runAll(both.map((one) => ({ ...one, mutant })));
  for (const { wrong } of judged) expect(wrong.join("; ")).toMatch(says);
  process.stdout.write(`${mutant}: ${judged[0]?.wrong.join("; ")}\n`);
});
