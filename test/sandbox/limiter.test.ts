import fc from "fast-check";
import { expect, test } from "vitest";
import { admit, createLimiter, fairIntervalS } from "../../src/sandbox/limiter.ts";
import { forAll } from "../support/for-all.ts";

test("lets the limit through in a minute, refuses the next and says when to come again", () => {
  const clock = { now: 1_000_000 };
  const limiter = createLimiter(() => clock.now);
  for (let i = 0; i < 12; i++) expect(limiter.take("node:a", 12).allowed).toBe(true);
  clock.now += 20_500;
  expect(limiter.take("node:a", 12)).toEqual({ allowed: false, retryAfterS: 40, remaining: 0 });
  expect(limiter.take("node:b", 12).allowed).toBe(true);
  clock.now += 39_500;
  expect(limiter.take("node:a", 12)).toEqual({ allowed: true, retryAfterS: 0, remaining: 11 });
});

test("whoever obeys retryAfterS is let through", () => {
  forAll(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 60 }),
      fc.integer({ min: 1, max: 9 }),
      (gaps, limit) => {
        const clock = { now: 0 };
        const limiter = createLimiter(() => clock.now);
        for (const gap of gaps) {
          clock.now += gap;
          const verdict = limiter.take("k", limit);
          if (verdict.allowed) continue;
          clock.now += verdict.retryAfterS * 1000;
          expect(limiter.take("k", limit).allowed).toBe(true);
        }
      },
    ),
    { seed: 1 },
  );
});

test("never more than the limit in any minute, and the window given is not changed", () => {
  forAll(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 9000 }), { maxLength: 80 }),
      fc.integer({ min: 1, max: 9 }),
      (gaps, limit) => {
        let now = 0;
        let times: readonly number[] = [];
        const passed: number[] = [];
        for (const gap of gaps) {
          now += gap;
          const before = [...times];
          const next = admit(times, limit, now);
          expect(times).toEqual(before);
          if (next.verdict.allowed) passed.push(now);
          times = next.times;
          expect(passed.filter((time) => time > now - 60_000).length).toBeLessThanOrEqual(limit);
        }
      },
    ),
    { seed: 2 },
  );
});

test("no limit is no limit", () => {
  const limiter = createLimiter(() => 0);
  for (let i = 0; i < 1000; i++) expect(limiter.take("account", null).allowed).toBe(true);
});

test("the fair interval keeps a fleet under four fifths of the limit", () => {
  expect(fairIntervalS(800, 600, 60)).toBe(100);
  expect(fairIntervalS(10, 600, 60)).toBe(60);
  expect(fairIntervalS(100_000, null, 60)).toBe(60);
});

test("800 agents under 600 requests a minute: the lengthened interval ends the refusals", () => {
  const clock = { now: 0 };
  const limiter = createLimiter(() => clock.now);
  // A small generator of its own, so that the fleet behaves the same in every run.
  let seed = 7;
  const random = (): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed / 2_147_483_648;
  };
  const due = Array.from({ length: 800 }, () => Math.floor(random() * 60_000));
  const refusals: number[] = [];
  for (; clock.now < 30 * 60_000; clock.now += 1000) {
    for (const [agent, at] of due.entries()) {
      if (at > clock.now) continue;
      const verdict = limiter.take("account", 600);
      if (!verdict.allowed) refusals.push(clock.now);
      const waitS = verdict.allowed
        ? fairIntervalS(800, 600, 60) * (0.9 + 0.2 * random())
        : verdict.retryAfterS + 60 * random();
      due[agent] = clock.now + waitS * 1000;
    }
  }
  expect(refusals.length).toBeGreaterThan(0);
  expect(refusals.filter((time) => time > 10 * 60_000)).toEqual([]);
});
