/** The bounds of the spool, and which events give way when it is over them. Pure. */

export interface SpoolEntry {
  readonly id: string;
  /** What is dropped first has the lowest: 0 info, 1 warning, 2 error, command states and counts of what was dropped. */
  readonly rank: number;
  readonly bytes: number;
  /** Events that are lost with it: 1, or for a `dropped` event the number it counts. */
  readonly standsFor: number;
  /** `dropped`; of answers to commands `refused`, or whose they were. None of these has the spool for itself. */
  readonly group?: string | null;
}

export interface Bounds {
  readonly events: number;
  readonly bytes: number;
}

export interface SpoolLimits extends Bounds {
  /** Newest events kept for people although everybody has acknowledged them. */
  readonly history: number;
}

export const LIMITS: SpoolLimits = { events: 10_000, bytes: 10 * 1024 * 1024, history: 500 };
/** Part of the bounds that each group may fill. A count of what was dropped goes on in the next one. */
const SHARES: Readonly<Record<string, number>> = { dropped: 0.01, refused: 0.1 };
const SOURCE_SHARE = 0.5;
/** While there is no disk. */
export const MEMORY_LIMITS: Bounds = { events: 1_000, bytes: 1024 * 1024 };
/** Infos wait for company no longer than this. */
export const WAITING_LIMITS: Bounds = { events: 200, bytes: 256 * 1024 };

export interface Drops {
  readonly ids: readonly string[];
  readonly bytes: number;
  /** Events nobody will hear of, what dropped `dropped` events counted included. */
  readonly lost: number;
  /** Of those the ones that nobody had counted yet. */
  readonly newly: number;
}

export function bytesOf(entries: readonly Pick<SpoolEntry, "bytes">[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes, 0);
}

export function isOver({ events, bytes }: Bounds, limit: Bounds): boolean {
  return events > limit.events || bytes > limit.bytes;
}

/**
 * Nothing while within the bounds; else enough to come 5 % under them, so that a flood costs one `dropped`
 * event for every few hundred and not one each. First what everybody has acknowledged (that is no loss),
 * then of each group what is beyond its share, then by rank, the oldest first: however many infos come, they evict each
 * other and never an error, and however much one source asks, its answers evict their own kind first.
 * @param entries oldest first
 * @param ackedUpTo id up to which every control API has acknowledged, or ""
 */
export function whatToDrop(entries: readonly SpoolEntry[], bounds: Bounds, ackedUpTo: string): Drops {
  let events = entries.length;
  let bytes = bytesOf(entries);
  const ids: string[] = [];
  let lost = 0;
  let newly = 0;
  let freed = 0;
  if (!isOver({ events, bytes }, bounds)) return { ids, bytes: 0, lost, newly };
  const fits = (): boolean => events <= bounds.events * 0.95 && bytes <= bounds.bytes * 0.95;
  const greedy = beyondShare(
    entries.filter(({ id }) => id > ackedUpTo),
    bounds,
  );
  for (const turn of ["acked", "greedy", 0, 1, 2] as const) {
    for (const entry of entries) {
      if (fits()) return { ids, bytes: freed, lost, newly };
      const acked = entry.id <= ackedUpTo;
      const own = acked ? "acked" : greedy.has(entry.id) ? "greedy" : entry.rank;
      if (own !== turn) continue;
      ids.push(entry.id);
      events--;
      bytes -= entry.bytes;
      freed += entry.bytes;
      if (acked) continue;
      lost += entry.standsFor;
      if (entry.group !== "dropped") newly += entry.standsFor;
    }
  }
  return { ids, bytes: freed, lost, newly };
}

/** Ids of the oldest of each group that has more than its share. */
function beyondShare(entries: readonly SpoolEntry[], bounds: Bounds): ReadonlySet<string> {
  const found = new Set<string>();
  const groups = Map.groupBy(
    entries.filter(({ group }) => group != null),
    ({ group }) => group,
  );
  for (const [group, own] of groups) {
    const share = SHARES[group ?? ""] ?? SOURCE_SHARE;
    let [events, bytes] = [own.length, bytesOf(own)];
    for (const entry of own) {
      if (events <= bounds.events * share && bytes <= bounds.bytes * share) break;
      found.add(entry.id);
      events--;
      bytes -= entry.bytes;
    }
  }
  return found;
}
