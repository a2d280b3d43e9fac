/**
 * What somebody else can have us say as often as he likes is said once and then counted: "and 311 more of these in the
 * last minute". So neither a log nor whoever reads it can be flooded, however fast somebody asks.
 */

const WINDOW_MS = 60_000;
/** What is told apart in one minute; the rest is counted together. */
const KINDS = 20;

export interface Repeats {
  /**
   * Whether to say it now: the first of its kind in this minute. Else it is counted, and told of when that is over.
   * @param group one of few that nobody outside chooses: the first of each is said, however many kinds there were
   */
  take(kind: string, group?: string): boolean;
  /** Tell now what was counted, and begin anew. */
  flush(): void;
}

/**
 * At most 20 kinds and one for each group are let through a minute, and at most one count more is told of after it.
 * @param tell of what was held back: the kind (null: all that were one too many to be told apart) and how many of it
 * @param monotonic milliseconds that never jump
 */
export function openRepeats(options: {
  readonly tell: (kind: string | null, more: number) => void;
  readonly monotonic: () => number;
  readonly windowMs?: number;
}): Repeats {
  const { tell, monotonic, windowMs = WINDOW_MS } = options;
  const counts = new Map<string, number>();
  const groups = new Set<string>();
  let others = 0;
  let since = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    since = Number.NEGATIVE_INFINITY;
    const held = [...counts].filter(([, more]) => more > 0);
    const rest = others;
    counts.clear();
    groups.clear();
    others = 0;
    for (const [kind, more] of held) tell(kind, more);
    if (rest > 0) tell(null, rest);
  }

  function hold(): false {
    // It must not keep a process alive: whoever ends in good order flushes.
    timer ??= setTimeout(flush, Math.max(0, since + windowMs - monotonic())).unref();
    return false;
  }

  return {
    flush,
    take(kind, group) {
      const now = monotonic();
      if (now - since >= windowMs) {
        flush();
        since = now;
      }
      const before = counts.get(kind);
      const isFirst = group !== undefined && !groups.has(group);
      if (before === undefined && (isFirst || counts.size < KINDS + groups.size)) {
        if (isFirst) groups.add(group);
        counts.set(kind, 0);
        return true;
      }
      if (before === undefined) others++;
      else counts.set(kind, before + 1);
      return hold();
    },
  };
}

/** Of what was held back, as a sentence ends: `and 311 more of these in the last minute`. */
export function moreText(more: number, what = "of these"): string {
  return `and ${more} more ${what} in the last minute`;
}
