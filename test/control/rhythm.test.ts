import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  afterCut,
  afterFailure,
  afterSuccess,
  breaker,
  firstDelayMs,
  intervalS,
  LIMITS,
  nextDelayMs,
  type RhythmState,
  startRhythm,
  waitSeconds,
  wakeDelayMs,
  wakes,
} from "../../src/control/rhythm.ts";
import { forAll } from "../support/for-all.ts";

const plain = { intervalS: null, waitedInFull: false };
const failed = { rateLimited: false, retryAfterMs: null };
const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

function times<T>(count: number, start: T, step: (value: T) => T): T {
  let value = start;
  for (let i = 0; i < count; i++) value = step(value);
  return value;
}

describe("the interval", () => {
  test("the first round has its place in the interval, the same at each start and spread over a fleet", () => {
    const state = startRhythm("normal", null);
    const places = Array.from({ length: 600 }, (_, index) => firstDelayMs(state, `machine-${index}`));
    expect(firstDelayMs(state, "machine-7")).toBe(places[7]);
    expect(Math.max(...places)).toBeLessThan(60_000);
    for (let minute = 0; minute < 6; minute++) {
      const share = places.filter((place) => Math.floor(place / 10_000) === minute).length;
      expect(share).toBeGreaterThan(60);
      expect(share).toBeLessThan(140);
    }
  });

  test("idle, no hour has more than 60 rounds, whatever the chance, and each pause stays near the interval", () => {
    forAll(
      fc.property(fc.array(unit, { minLength: 150, maxLength: 150 }), (randoms) => {
        let state = startRhythm("normal", null);
        let now = 0;
        const starts: number[] = [];
        for (const random of randoms) {
          starts.push(now);
          const heldMs = random * 50_000;
          state = afterSuccess(state, { intervalS: 60, waitedInFull: true }, random);
          const pause = heldMs + nextDelayMs(state, heldMs);
          expect(pause).toBeGreaterThanOrEqual(54_000);
          expect(pause).toBeLessThanOrEqual(66_700);
          now += pause;
        }
        for (const [index, start] of starts.entries()) {
          const hour = starts.slice(index).filter((at) => at < start + 3_600_000);
          expect(hour.length).toBeLessThanOrEqual(60);
        }
      }),
      { seed: 1, cases: 50 },
    );
  });

  test("a server's value is bounded in every profile, and no value lowers the metered floor", () => {
    forAll(
      fc.property(fc.oneof(fc.double(), fc.integer()), unit, (value, random) => {
        const normal = intervalS(
          afterSuccess(startRhythm("normal", null), { ...plain, intervalS: value }, random),
        );
        expect(normal).toBeGreaterThanOrEqual(LIMITS.minIntervalS);
        expect(normal).toBeLessThanOrEqual(LIMITS.maxIntervalS);
        const metered = intervalS(
          afterSuccess(startRhythm("metered", 20), { ...plain, intervalS: value }, random),
        );
        expect(metered).toBeGreaterThanOrEqual(LIMITS.meteredFloorS);
        expect(metered).toBeLessThanOrEqual(LIMITS.maxIntervalS);
      }),
      { seed: 2 },
    );
  });

  test("when the server changes the interval, the next pause spreads over the whole new one, and only that one", () => {
    const changed = (random: number) =>
      afterSuccess(startRhythm("normal", null), { ...plain, intervalS: 100 }, random);
    expect(nextDelayMs(changed(0), 0)).toBe(60_000);
    expect(nextDelayMs(changed(0.5), 0)).toBe(110_000);
    expect(nextDelayMs(changed(0.999999), 0)).toBe(160_000);
    const settled = afterSuccess(changed(0.999999), { ...plain, intervalS: 100 }, 0.5);
    expect(nextDelayMs(settled, 0)).toBeLessThan(111_000);
    const shortened = afterSuccess(startRhythm("normal", null), { ...plain, intervalS: 20 }, 0.999999);
    expect(nextDelayMs(shortened, 0)).toBe(40_000);
  });

  test("a configured interval is not shortened by the server, and a longer one of the server holds", () => {
    const state = startRhythm("normal", 300);
    expect(intervalS(state)).toBe(300);
    expect(intervalS(afterSuccess(state, { ...plain, intervalS: 60 }, 0.5))).toBe(300);
    expect(intervalS(afterSuccess(state, { ...plain, intervalS: 600 }, 0.5))).toBe(600);
    expect(intervalS(startRhythm("normal", 20))).toBe(20);
    expect(intervalS(startRhythm("normal", 7200))).toBe(7200);
    expect(intervalS(startRhythm("metered", null))).toBe(3600);
    expect(intervalS(startRhythm("metered", 1200))).toBe(1200);
    expect(intervalS(startRhythm("metered", 60))).toBe(900);
  });
});

describe("failures", () => {
  test("full jitter, doubling from 5 s to 15 min, forgotten by one success", () => {
    let state: RhythmState = startRhythm("normal", null);
    const ceilings: number[] = [];
    for (let i = 0; i < 12; i++) {
      const next = afterFailure(state, failed, 0.999999);
      expect(nextDelayMs(afterFailure(state, failed, 0), 0)).toBe(1000);
      ceilings.push(Math.round(nextDelayMs(next, 0) / 1000));
      state = next;
    }
    expect(ceilings).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900, 900]);
    expect(nextDelayMs(state, 0, 100_000)).toBe(state.retryInMs - 100_000);
    state = afterSuccess(state, plain, 0.5);
    expect(state.failures).toBe(0);
    expect(nextDelayMs(state, 0)).toBeLessThan(67_000);
  });

  test("Retry-After is the earliest moment, capped at an hour, and those that got the same one spread out", () => {
    const state = startRhythm("normal", null);
    const at = (retryAfterMs: number, random: number) =>
      nextDelayMs(afterFailure(state, { rateLimited: false, retryAfterMs }, random), 0);
    expect(at(20_000, 0)).toBe(20_000);
    expect(at(20_000, 0.999)).toBeGreaterThan(70_000);
    expect(at(86_400_000, 0)).toBe(3_600_000);
  });

  test("a 429 lengthens the interval, success brings it back slowly, and it never passes an hour", () => {
    const once = afterFailure(startRhythm("normal", null), { rateLimited: true, retryAfterMs: 1000 }, 0.5);
    const next = afterSuccess(once, { ...plain, intervalS: 60 }, 0.5);
    expect(intervalS(next)).toBeGreaterThan(85);
    expect(intervalS(times(5, next, (state) => afterSuccess(state, plain, 0.5)))).toBeGreaterThan(75);
    expect(intervalS(times(30, next, (state) => afterSuccess(state, plain, 0.5)))).toBe(60);
    const many = times(50, once, (state) => afterFailure(state, { rateLimited: true, retryAfterMs: 0 }, 0.5));
    expect(intervalS(many)).toBe(3600);
  });

  test("the breaker opens at the third failure and closes with a success", () => {
    const state = times(2, startRhythm("normal", null), (at) => afterFailure(at, failed, 0.5));
    expect(breaker(state)).toBe("closed");
    const open = afterFailure(state, failed, 0.5);
    expect(breaker(open)).toBe("open");
    expect(breaker(afterSuccess(open, plain, 0.5))).toBe("closed");
  });
});

describe("waking", () => {
  test("only command states and events from warning up, at most one in 2 s, never out of a back-off", () => {
    expect(wakes({ type: "command.state", severity: "info" })).toBe(true);
    expect(wakes({ type: "drive.verdict", severity: "warning" })).toBe(true);
    expect(wakes({ type: "drive.verdict", severity: "info" })).toBe(false);
    const state = startRhythm("normal", null);
    expect(wakeDelayMs(state, 500)).toBe(1500);
    expect(wakeDelayMs(state, 30_000)).toBe(0);
    expect(wakeDelayMs(afterFailure(state, failed, 0.5), 30_000)).toBeNull();
    expect(wakeDelayMs(startRhythm("metered", null), 500)).toBe(59_500);
  });
});

describe("long polls", () => {
  test("only an empty round waits, none in a metered network, and a wait fits into the interval", () => {
    const state = startRhythm("normal", null);
    expect(waitSeconds(state, true)).toBe(50);
    expect(waitSeconds(state, false)).toBe(0);
    expect(waitSeconds(startRhythm("metered", null), true)).toBe(0);
    expect(waitSeconds(afterSuccess(state, { ...plain, intervalS: 30 }, 0.5), true)).toBe(25);
    expect(waitSeconds(afterFailure(state, failed, 0.5), true)).toBe(0);
  });

  test("behind a proxy with a 20 s idle limit the wait settles below it within a few cuts, and stays there", () => {
    let state = startRhythm("normal", null);
    let cuts = 0;
    const held: number[] = [];
    for (let round = 0; round < 3000; round++) {
      const waitS = waitSeconds(state, true);
      if (waitS > 20) {
        cuts += 1;
        state = afterCut(state, 20_000, 0.5);
      } else {
        held.push(waitS);
        state = afterSuccess(state, { intervalS: 60, waitedInFull: waitS > 0 }, 0.5);
      }
    }
    expect(held[0]).toBe(16);
    expect(Math.max(...held)).toBeLessThanOrEqual(20);
    expect(cuts).toBeLessThan(15); // of 3000 rounds, two days
    expect(state.failures).toBe(0);
  });

  test("when the limit goes away, the wait grows back to the full one", () => {
    let state = afterCut(startRhythm("normal", null), 20_000, 0.5);
    for (let round = 0; round < 2000; round++) {
      state = afterSuccess(state, { intervalS: 60, waitedInFull: true }, 0.5);
    }
    expect(waitSeconds(state, true)).toBe(50);
  });

  test("a limit too short to poll under turns polling off; a connection lost at once is a failure, not a cut", () => {
    const off = afterCut(startRhythm("normal", null), 4000, 0.5);
    expect(waitSeconds(off, true)).toBe(0);
    expect(off.failures).toBe(0);
    expect(afterCut(startRhythm("normal", null), 200, 0.5)).toMatchObject({ failures: 1, waitS: 50 });
  });
});
