/**
 * "N requests a minute": an exact sliding window, counted by an injected clock, so that a fleet of
 * hundreds of agents can be played through a simulated hour in a test. A fixed window or a token bucket
 * would let up to twice the limit through in some minute; the window costs one number a request.
 */
const MINUTE_MS = 60_000;

export interface Verdict {
  readonly allowed: boolean;
  /** Whole seconds until one more request would be let through, at least 1; 0 when allowed. */
  readonly retryAfterS: number;
  /** Requests left in the window after this one. */
  readonly remaining: number;
}

/**
 * Judge one more request. Pure: the window given is not changed.
 * @param times when the requests of the last minute were let through, oldest first, milliseconds
 * @param limit requests a minute; null: unlimited
 * @param now milliseconds of the same clock
 * @returns the verdict and the window to keep; a refused request is not counted
 */
export function admit(
  times: readonly number[],
  limit: number | null,
  now: number,
): { verdict: Verdict; times: readonly number[] } {
  if (limit === null) {
    return { verdict: { allowed: true, retryAfterS: 0, remaining: Number.POSITIVE_INFINITY }, times };
  }
  const recent = times.filter((time) => time > now - MINUTE_MS);
  const oldest = recent[recent.length - limit];
  if (recent.length >= limit && oldest !== undefined) {
    const retryAfterS = Math.max(1, Math.ceil((oldest + MINUTE_MS - now) / 1000));
    return { verdict: { allowed: false, retryAfterS, remaining: 0 }, times: recent };
  }
  recent.push(now);
  return { verdict: { allowed: true, retryAfterS: 0, remaining: limit - recent.length }, times: recent };
}

export interface Limiter {
  /** Count one request of `key` (an account, a node) against `limit` a minute. */
  take(key: string, limit: number | null): Verdict;
}

/** A limiter with a window per key. @param now milliseconds; any clock that does not go back. */
export function createLimiter(now: () => number): Limiter {
  const windows = new Map<string, readonly number[]>();
  return {
    take(key, limit) {
      const { verdict, times } = admit(windows.get(key) ?? [], limit, now());
      windows.set(key, times);
      return verdict;
    },
  };
}

/**
 * The interval at which `nodes` agents, one request each, fill no more than four fifths of an account's
 * limit (the rest is for enrolling, jitter and people), for a server that counts node tokens against it.
 * @param requestsAMinute null: unlimited
 * @returns seconds, never below `baseS`
 */
export function fairIntervalS(nodes: number, requestsAMinute: number | null, baseS: number): number {
  if (requestsAMinute === null) return baseS;
  return Math.max(baseS, Math.ceil((nodes * 60) / (requestsAMinute * 0.8)));
}
