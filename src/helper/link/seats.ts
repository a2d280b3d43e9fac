/**
 * Who may sit at a door that others want in by too: so many each, so many together, and when it is full the one that has
 * been idle longest goes, not the one that comes. So nobody keeps others out by connecting and then doing nothing.
 */

export interface Seat {
  /** Something is done for it from now on: it is not ended for anybody. */
  busy(): void;
  /** Nothing is, from now on. @param kept it waits with good reason: ended for others only when nobody else is idle */
  idle(kept?: boolean): void;
  /** Free again; more than once is no harm. */
  leave(): void;
}

export interface Seats<Key> {
  /**
   * @param end make it go: called when another gets its seat
   * @returns null: full, and nobody is idle
   */
  take(key: Key, end: () => void): Seat | null;
  /** How many are taken, by all or by one. */
  taken(key?: Key): number;
}

interface Sitting<Key> {
  readonly key: Key;
  readonly end: () => void;
  state: "idle" | "kept" | "busy";
}

/**
 * @param each seats of one key. Who has all of them loses his own oldest idle one
 * @param together seats of all keys but the privileged; then whoever has most of them loses one
 * @param isPrivileged counts for himself alone and is never ended for others
 */
export function openSeats<Key>(options: {
  readonly each: number;
  readonly together: number;
  readonly isPrivileged: (key: Key) => boolean;
}): Seats<Key> {
  const { each, together, isPrivileged } = options;
  /** The longest idle first: a seat that becomes idle goes to the end. */
  const seats = new Set<Sitting<Key>>();

  function counts(): Map<Key, number> {
    const found = new Map<Key, number>();
    for (const { key } of seats) if (!isPrivileged(key)) found.set(key, (found.get(key) ?? 0) + 1);
    return found;
  }

  function of(key: Key): Sitting<Key>[] {
    return [...seats].filter((one) => one.key === key);
  }

  /** Of whoever would have most with the newcomer, else of anybody. */
  function longestIdle(held: Map<Key, number>, newcomer: Key): Sitting<Key> | undefined {
    held.set(newcomer, (held.get(newcomer) ?? 0) + 1);
    const most = Math.max(...held.values());
    const common = [...seats].filter(({ key }) => held.has(key));
    const order = [...common.filter(({ key }) => held.get(key) === most), ...common];
    return order.find(({ state }) => state === "idle") ?? order.find(({ state }) => state === "kept");
  }

  function makeRoom(key: Key): boolean {
    const own = of(key);
    const held = counts();
    let goes: Sitting<Key> | undefined;
    if (own.length >= each) goes = own.find(({ state }) => state === "idle");
    else if (isPrivileged(key) || sum(held) < together) return true;
    else goes = longestIdle(held, key);
    if (goes === undefined) return false;
    seats.delete(goes);
    goes.end();
    return true;
  }

  return {
    taken: (key) => (key === undefined ? seats.size : of(key).length),
    take(key, end) {
      if (!makeRoom(key)) return null;
      const one: Sitting<Key> = { key, end, state: "idle" };
      seats.add(one);
      return {
        busy() {
          one.state = "busy";
        },
        idle(kept = false) {
          one.state = kept ? "kept" : "idle";
          if (seats.delete(one)) seats.add(one);
        },
        leave: () => void seats.delete(one),
      };
    },
  };
}

function sum(counts: ReadonlyMap<unknown, number>): number {
  let all = 0;
  for (const count of counts.values()) all += count;
  return all;
}
