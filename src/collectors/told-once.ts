/**
 * What happened is told once, over restarts too. Each change gets a number that rises; the newest are kept in the
 * collector's memory and shown in its section (`history`), and beside them up to which number all were there
 * before the agent started (`history_base`). So a change made while the agent was off is told, and none twice.
 */
import * as v from "valibot";
import type { Memory } from "./collector.ts";

export interface Numbered {
  readonly seq: number;
}

/** Number of a change, as it may be in a memory. */
export const seqSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** Of whatever was kept, what can still be used; a damaged entry costs only itself. */
export function usable<T>(items: readonly unknown[], schema: v.GenericSchema<unknown, T>): T[] {
  return items.flatMap((item) => {
    const parsed = v.safeParse(schema, item);
    return parsed.success ? [parsed.output] : [];
  });
}

/** The same of a history: oldest first. */
export function usableHistory<T extends Numbered>(
  items: readonly unknown[],
  schema: v.GenericSchema<unknown, T>,
): T[] {
  return usable(items, schema).sort((a, b) => a.seq - b.seq);
}

/** 0: nothing happened yet. */
export function lastSeq(history: readonly Numbered[]): number {
  return history.at(-1)?.seq ?? 0;
}

/**
 * The news numbered and appended.
 * @param most how many are kept; where more come at once all of these are, or their events would be lost
 */
export function withNews<N extends object>(
  history: readonly (N & Numbered)[],
  news: readonly N[],
  most: number,
): (N & Numbered)[] {
  let seq = lastSeq(history);
  return [...history, ...news.map((entry) => ({ seq: ++seq, ...entry }))].slice(-Math.max(most, news.length));
}

/**
 * What is to be told with this look.
 * @param before the history that the last look showed; null: there was none, so what is beyond `base`
 */
export function untold<T extends Numbered>(
  before: readonly T[] | null,
  after: readonly T[],
  base: number,
): T[] {
  const told = before === null ? base : lastSeq(before);
  // A memory that was lost starts counting anew.
  const from = told > lastSeq(after) ? base : told;
  return after.filter(({ seq }) => seq > from);
}

/** A memory with a history in it. */
export interface HistoryKeeper<M> {
  read(memory: Memory): M;
  /** Written only where something is new. @param before as read */
  keep(memory: Memory, before: M, after: M): void;
  /** Number of the newest when it was read for the first time since the agent started. */
  base(): number;
}

export function historyKeeper<M extends { readonly history: readonly Numbered[] } | null>(
  parse: (kept: unknown) => M,
): HistoryKeeper<M> {
  let base: number | null = null;
  return {
    read(memory) {
      const before = parse(memory.get());
      base ??= lastSeq(before?.history ?? []);
      return before;
    },
    keep(memory, before, after) {
      if (JSON.stringify(after) !== JSON.stringify(before)) memory.set(after);
    },
    base: () => base ?? 0,
  };
}
