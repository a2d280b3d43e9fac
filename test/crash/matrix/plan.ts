/** Which combinations run: all of them, or a part in which every point meets every kind of restart. */
import type { After, Combination, Outcome } from "./run.ts";
import type { CommandKind, LogLine, Redelivery, Role, ServerMode } from "./types.ts";

export type Variant = Pick<Combination, "kind" | "together" | "server" | "redelivery">;

export interface CrashPoint {
  readonly role: Role;
  readonly name: string;
  readonly life: number;
  /** The host is going down by then. */
  readonly stopping: boolean;
}

type Crash = NonNullable<Combination["crash"]>;

const SERVERS: readonly ServerMode[] = ["arrives", "answer_lost", "gone"];
const REDELIVERIES: readonly Redelivery[] = ["protocol", "always"];

export function variants(kinds: readonly CommandKind[]): Variant[] {
  return kinds.flatMap((kind) =>
    [true, false].flatMap((together) =>
      SERVERS.flatMap((server) => REDELIVERIES.map((redelivery) => ({ kind, together, server, redelivery }))),
    ),
  );
}

/** The points of a run in which nobody was killed. Two with nothing between them are one. */
export function pointsOf({ log }: Outcome): CrashPoint[] {
  const found: CrashPoint[] = [];
  let before: LogLine | null = null;
  let stopping = false;
  for (const line of log) {
    if (line.kind === "reboot") stopping = true;
    if (line.kind === "down") stopping = false;
    const isSame =
      line.kind === "point" &&
      before?.kind === "point" &&
      before.role === line.role &&
      isAfter(before.name) &&
      !isAfter(line.name);
    if (line.kind === "point" && !isSame)
      found.push({ role: line.role, name: line.name, life: line.life, stopping });
    before = line;
  }
  return found;
}

const isAfter = (name: string): boolean => /^\w+: (?:after|answer)\b/.test(name);

/** Every way in which somebody can be killed at a point and the world go on. */
function crashes(together: boolean, { name, life, stopping }: CrashPoint): Crash[] {
  const one = (victims: readonly Role[], after: After): Crash => ({
    life,
    kill: { at: name, victims },
    after,
  });
  const both: readonly Role[] = ["main", "helper"];
  const sets: readonly (readonly Role[])[] = together ? [both] : [["main"], ["helper"], both];
  return [
    ...sets.map((victims) => one(victims, "same")),
    ...(stopping ? [one(together ? both : ["main"], "stays")] : []),
    one(both, "new"),
    one(both, "lost"),
  ];
}

/** @param points of each variant, in the order of `all` */
export function wholePlan(
  all: readonly Variant[],
  points: readonly CrashPoint[][],
  next: Random,
): Combination[] {
  return all.flatMap((variant, index) =>
    (points[index] ?? []).flatMap((point) =>
      crashes(variant.together, point).map((crash) => ({ ...variant, crash, second: secondAt(next) })),
    ),
  );
}

/**
 * Each point once with a restart on the same boot, of two processes, whose victims take turns; and once with one on a
 * new boot, of one process: there both are gone anyway, with and without the loss in turn. Server and redelivery take
 * turns over the points, so that all pairs of them come about.
 */
export function partPlan(
  all: readonly Variant[],
  points: readonly CrashPoint[][],
  next: Random,
): Combination[] {
  const plan: Combination[] = [];
  const groups = Map.groupBy(all, ({ kind, together }) => `${kind} ${together}`);
  for (const group of groups.values()) {
    const names = new Map<string, CrashPoint>();
    for (const variant of group)
      for (const point of points[all.indexOf(variant)] ?? []) names.set(keyOf(point), point);
    let turn = next(60);
    for (const point of names.values()) {
      const having = group.filter((variant) =>
        points[all.indexOf(variant)]?.some((one) => keyOf(one) === keyOf(point)),
      );
      const ways = crashes(group[0]?.together === true, point);
      const isNew = ({ after }: Crash): boolean => after === "new" || after === "lost";
      const some = ways.filter((crash) => isNew(crash) === (group[0]?.together === true));
      turn++;
      const variant = having[(turn * 5) % having.length] as Variant;
      const crash = some[Math.floor(turn / 3) % some.length] as Crash;
      plan.push({ ...variant, crash, second: secondAt(next) });
    }
  }
  return plan;
}

/** Of a part each point once, whether it came up in one process or in two: the two ways take turns. */
export function onceEach(part: readonly Combination[]): Combination[] {
  const found = new Map<string, Combination>();
  for (const one of part) {
    const key = `${one.kind} ${one.crash?.life} ${one.crash?.kill.at}`;
    // Of those that both have every second one is of two processes.
    if (!found.has(key) || found.size % 2 === 0) found.set(key, one);
  }
  return [...found.values()];
}

/** Shuffled, so that what is done of it when time runs out is a sample of all. */
export function inAnyOrder<T>(plan: readonly T[], next: Random): T[] {
  const order = [...plan];
  for (let last = order.length - 1; last > 0; last--) {
    const at = next(last + 1);
    [order[last], order[at]] = [order[at] as T, order[last] as T];
  }
  return order;
}

const keyOf = ({ life, name }: CrashPoint): string => `${life} ${name}`;

/** A second crash for one in three. */
function secondAt(next: Random): number | null {
  return next(3) === 0 ? 1 + next(30) : null;
}

export type Random = (below: number) => number;

/** Numerical Recipes' linear congruential generator: good enough to vary, the same for the same seed. */
export function generator(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
