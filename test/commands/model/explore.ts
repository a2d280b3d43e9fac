/**
 * Every world that can be reached, breadth first, so that the first trace to something wrong is a shortest one. Then,
 * backwards over the moves without faults: whether each of them can still come to a good end.
 */
import { isFinal } from "../../../src/model/command.ts";
import type { Ground, Mistake } from "./move.ts";
import { moves } from "./moves.ts";
import { keyOf, MAX_FAULTS, type Scenario, START, type World } from "./world.ts";

export interface Explored {
  readonly states: number;
  readonly transitions: number;
  /** What is wrong, with the moves that lead there; null: nothing. */
  readonly flaw: { readonly what: string; readonly trace: readonly string[] } | null;
  /** Every end that was told, for a look at whether the model does anything at all. */
  readonly ends: ReadonlySet<string>;
}

export function explore(
  scenario: Scenario,
  mistakes: readonly Mistake[] = [],
  maxFaults = MAX_FAULTS,
): Explored {
  const ground: Ground = { scenario, mistakes: new Set(mistakes), maxFaults };
  const index = new Map<string, number>([[keyOf(START), 0]]);
  const worlds: World[] = [START];
  const from: number[] = [-1];
  const by: string[] = [""];
  const before: number[][] = [[]];
  const ends = new Set<string>();
  let transitions = 0;

  const trace = (at: number): string[] => {
    const names: string[] = [];
    for (let one = at; one > 0; one = from[one] as number) names.unshift(by[one] as string);
    return names;
  };
  const result = (what: string | null, steps: readonly string[]): Explored => ({
    states: worlds.length,
    transitions,
    flaw: what === null ? null : { what, trace: steps },
    ends,
  });

  for (let at = 0; at < worlds.length; at++) {
    const world = worlds[at] as World;
    for (const { name, to, fault, wrong } of moves(world, ground)) {
      transitions++;
      const found = wrong ?? violation(world, to, scenario);
      if (found !== null) return result(found, [...trace(at), name]);
      const key = keyOf(to);
      let target = index.get(key);
      if (target === undefined) {
        target = worlds.length;
        index.set(key, target);
        worlds.push(to);
        from.push(at);
        by.push(name);
        before.push([]);
        if (to.told !== "") ends.add(to.told);
      }
      if (!fault) before[target]?.push(at);
    }
  }
  const stuck = cannotEnd(worlds, before);
  return stuck === null ? result(null, []) : result("can't come to an end", trace(stuck));
}

/** What no world may be, and no step may do. */
function violation(world: World, to: World, { mode }: Scenario): string | null {
  if (to.acts > 1) return "the host was asked twice";
  if (to.reboots > 1) return "two reboots";
  if (to.works > 1) return "work that may not be done twice was";
  if (mode !== "live" && (to.acts > 0 || to.works > 0 || to.changed)) return "a test acted";
  const state = world.record?.state;
  if (state !== undefined && isFinal(state) && to.record !== world.record) return `${state} was changed`;
  if (to.spool === "" && world.spool !== "" && to.told === "" && world.spool !== "memory_refused")
    return "an event was lost";
  return null;
}

/** Over, told and taken back. */
function isGood({ record, told, spool, undo, changed }: World): boolean {
  return told !== "" && spool === "" && !undo && !changed && (record === null || isFinal(record.state));
}

/** The first world from which no way without further faults leads to a good one; null: there is none. */
function cannotEnd(worlds: readonly World[], before: readonly (readonly number[])[]): number | null {
  const can = new Uint8Array(worlds.length);
  const open: number[] = [];
  const mark = (at: number): void => {
    if (can[at] === 1) return;
    can[at] = 1;
    open.push(at);
  };
  worlds.forEach((world, at) => {
    if (isGood(world)) mark(at);
  });
  for (let at = open.pop(); at !== undefined; at = open.pop()) for (const one of before[at] ?? []) mark(one);
  const stuck = can.indexOf(0);
  return stuck === -1 ? null : stuck;
}
