/** fast-check's properties with a seed and a budget of time instead of a fixed count (budget.ts). */
import fc from "fast-check";
import { BUDGET_MS, leastOf, tell } from "./budget.ts";

export interface Cases {
  /** A failure names it, with the path to the case. */
  readonly seed: number;
  readonly cases?: number;
  readonly budgetMs?: number;
}

/**
 * @returns how many cases were run
 * @throws Error with the seed, the path and the shrunk case when the property does not hold
 */
export function forAll<T>(property: fc.IProperty<T>, cases: Cases): number {
  const first = judge(fc.check(property, withinBudget(cases)));
  const missing = leastOf(first.cases) - first.done;
  if (missing > 0) first.done += judge(fc.check(property, whatever(cases, missing))).done;
  tell(first.done, first.cases);
  return first.done;
}

/** As `forAll`, of a property that waits. */
export async function forAllAsync<T>(property: fc.IAsyncProperty<T>, cases: Cases): Promise<number> {
  const first = judge(await fc.check(property, withinBudget(cases)));
  const missing = leastOf(first.cases) - first.done;
  if (missing > 0) first.done += judge(await fc.check(property, whatever(cases, missing))).done;
  tell(first.done, first.cases);
  return first.done;
}

function withinBudget<T>({ seed, cases = 100, budgetMs = BUDGET_MS }: Cases): fc.Parameters<T> {
  return { seed, numRuns: cases, interruptAfterTimeLimit: budgetMs, markInterruptAsFailure: false };
}

/** The next seed: with the same one the first cases would be met again. */
function whatever<T>({ seed }: Cases, numRuns: number): fc.Parameters<T> {
  return { seed: seed + 1, numRuns };
}

function judge<T>(details: fc.RunDetails<T>): { done: number; cases: number } {
  const cases = details.runConfiguration.numRuns ?? details.numRuns;
  // fast-check calls it a failure too when the budget was spent before the first case.
  if (details.failed && !(details.interrupted && details.counterexample === null))
    throw new Error(fc.defaultReportMessage(details), { cause: details.errorInstance });
  return { done: details.numRuns, cases };
}
