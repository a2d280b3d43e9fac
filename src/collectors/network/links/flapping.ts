/** Whether a link comes and goes: so that a bad cable is one thing to tell and not one a minute. */

const WINDOW_MS = 10 * 60_000;
/** Lost and found three times: a switch that restarts makes one or two of these. */
const CHANGES = 6;
/** More than any driver makes honestly; a counter that jumps says no more than that it flaps. */
const MOST = 100;

export interface Flapping {
  /**
   * One look.
   * @param changes how often the kernel has seen the carrier change; null: not told
   * @param now monotonic, milliseconds
   */
  look(name: string, changes: number | null, now: number): boolean;
  /** Only these are there now: those that went count as changed twice when they are back. */
  only(names: ReadonlySet<string>, now: number): void;
}

interface Link {
  count: number | null;
  readonly seen: { at: number; changes: number }[];
  gone: boolean;
}

export function openFlapping(): Flapping {
  const links = new Map<string, Link>();
  return {
    look(name, changes, now) {
      const link = links.get(name) ?? { count: changes, seen: [], gone: false };
      links.set(name, link);
      const more = link.gone ? 2 : changes === null || link.count === null ? 0 : changes - link.count;
      if (more > 0) link.seen.push({ at: now, changes: Math.min(more, MOST) });
      link.count = changes;
      link.gone = false;
      while (link.seen.length > 0 && now - (link.seen[0]?.at ?? now) > WINDOW_MS) link.seen.shift();
      return link.seen.reduce((sum, entry) => sum + entry.changes, 0) >= CHANGES;
    },
    only(names, now) {
      for (const [name, link] of links) {
        if (names.has(name)) continue;
        link.gone = true;
        if (link.seen.every(({ at }) => now - at > WINDOW_MS) && link.seen.length > 0) links.delete(name);
      }
      // However many come by: a node has a few dozen of these.
      while (links.size > 1024) links.delete(links.keys().next().value as string);
    },
  };
}
