/** Wall clock (may jump) and monotonic clock (never does), both in milliseconds. */
export interface Clock {
  /** Milliseconds since the epoch. On a Raspberry Pi without RTC this is wrong until NTP has answered. */
  now(): number;
  /** Milliseconds since some fixed moment; for every duration and time-out. */
  monotonic(): number;
}

export function hostClock(): Clock {
  return { now: () => Date.now(), monotonic };
}

/** As in `Clock`. Not `performance.now()`: the first use of `performance` costs 2 ms of every start. */
export function monotonic(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1e6;
}

/** Before this program was written: a clock that says less is wrong. Milliseconds since the epoch. */
export const EARLIEST_TIME = Date.UTC(2026, 0, 1);
/** After anything that runs this: who says more, or keeps it, is wrong. Milliseconds since the epoch. */
export const LATEST_TIME = Date.UTC(2100, 0, 1);
