/**
 * Work that is repeated, by a budget of time instead of a fixed count: a machine that is busy, or slow, does fewer
 * cases and says so, and no test runs into a time-out for it. The count is what a machine at rest does.
 */

/** Far below vitest's time-out, for what the budget does not count: the start, the last case, a failure's shrinking. */
export const BUDGET_MS = 15_000;

/** So many are done whatever it takes. */
export function leastOf(cases: number): number {
  return Math.ceil(cases / 20);
}

/** One line for whoever reads the output, where not all was done. */
export function tell(done: number, cases: number): void {
  if (done < cases) process.stdout.write(`${done} of ${cases} cases: this machine is busy or slow\n`);
}

export interface Budget {
  /** Whether one more case is to be done; it counts as begun. */
  begin(): boolean;
  /** So many were begun. */
  begun(): number;
}

export function openBudget(cases: number, { least = leastOf(cases), budgetMs = BUDGET_MS } = {}): Budget {
  const until = performance.now() + budgetMs;
  let begun = 0;
  return {
    begin() {
      const goesOn = begun < cases && (begun < least || performance.now() < until);
      if (goesOn) begun++;
      return goesOn;
    },
    begun: () => begun,
  };
}

/**
 * One case after another until all are done or the budget is spent.
 * @returns how many were done: all, or no fewer than the least
 */
export async function repeat(
  cases: number,
  work: (index: number) => void | Promise<void>,
  limits: { readonly least?: number; readonly budgetMs?: number } = {},
): Promise<number> {
  const budget = openBudget(cases, limits);
  while (budget.begin()) await work(budget.begun() - 1);
  tell(budget.begun(), cases);
  return budget.begun();
}
