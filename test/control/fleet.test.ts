/** 800 agents (the pure rhythm) under a limit of 600 requests a minute, in virtual time: hours in a second. */
import { describe, expect, test } from "vitest";
import {
  afterFailure,
  afterSuccess,
  firstDelayMs,
  nextDelayMs,
  type RhythmState,
  startRhythm,
  waitSeconds,
} from "../../src/control/rhythm.ts";
import { createLimiter, fairIntervalS } from "../../src/sandbox/limiter.ts";
import { seeded } from "../support/random.ts";

const AGENTS = 800;
const LIMIT = 600;
const MINUTE = 60_000;

interface Played {
  /** Requests and refusals a minute. */
  readonly requests: number[];
  readonly refused: number[];
  /** The most requests in any one second. */
  readonly busiestSecond: number;
  readonly agents: readonly { readonly state: RhythmState; readonly answered: number }[];
}

/** @param start when each agent begins its clockwork, milliseconds; @param intervalS what the server's answers ask for */
function play(minutes: number, start: (agent: number) => number, intervalS: number): Played {
  const random = seeded(7);
  let now = 0;
  const limiter = createLimiter(() => now);
  const requests = new Array<number>(minutes).fill(0);
  const refused = new Array<number>(minutes).fill(0);
  const seconds = new Map<number, number>();
  const agents = Array.from({ length: AGENTS }, (_, index) => {
    const state = startRhythm("normal", null);
    return {
      state,
      answered: 0,
      due: start(index) + firstDelayMs(state, `machine-${index}`),
      began: 0,
      polling: false,
    };
  });
  // A round is two moments: its request, and (for a long poll) its answer.
  for (;;) {
    const next = agents.reduce((first, agent) => (agent.due < first.due ? agent : first));
    now = next.due;
    if (now >= minutes * MINUTE) break;
    if (next.polling) {
      next.polling = false;
      finish(next);
      continue;
    }
    next.began = now;
    const minute = Math.floor(now / MINUTE);
    requests[minute] = (requests[minute] ?? 0) + 1;
    const second = Math.floor(now / 1000);
    seconds.set(second, (seconds.get(second) ?? 0) + 1);
    const verdict = limiter.take("account", LIMIT);
    if (!verdict.allowed) {
      refused[minute] = (refused[minute] ?? 0) + 1;
      next.state = afterFailure(
        next.state,
        { rateLimited: true, retryAfterMs: verdict.retryAfterS * 1000 },
        random(),
      );
      next.due = now + nextDelayMs(next.state, 0);
      continue;
    }
    next.polling = true;
    next.due = now + waitSeconds(next.state, true) * 1000;
  }
  return { requests, refused, busiestSecond: Math.max(...seconds.values()), agents };

  function finish(agent: (typeof agents)[number]): void {
    agent.answered += 1;
    agent.state = afterSuccess(agent.state, { intervalS, waitedInFull: true }, random());
    agent.due = now + nextDelayMs(agent.state, now - agent.began);
  }
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

describe("800 agents, 600 requests a minute", () => {
  const fair = fairIntervalS(AGENTS, LIMIT, 60);

  test("started together, they settle: no 429 in the last ten minutes, and no herd at the start", () => {
    const { requests, refused, busiestSecond, agents } = play(60, () => 0, fair);
    expect(total(refused.slice(-10))).toBe(0);
    expect(Math.max(...requests.slice(-10))).toBeLessThanOrEqual(LIMIT);
    expect(busiestSecond).toBeLessThan(AGENTS / 20);
    // Settled is not silent: everybody is heard, and the limit is used.
    expect(Math.min(...agents.map(({ answered }) => answered))).toBeGreaterThan(15);
    expect(Math.min(...requests.slice(-10))).toBeGreaterThan(LIMIT / 2);
  });

  test("without the hash's phase a common start would be a herd: the test can tell", () => {
    const { busiestSecond } = play(
      5,
      (agent) => -firstDelayMs(startRhythm("normal", null), `machine-${agent}`),
      fair,
    );
    expect(busiestSecond).toBe(AGENTS);
  });

  test("even from a herd they settle", () => {
    const { requests, refused } = play(
      90,
      (agent) => -firstDelayMs(startRhythm("normal", null), `machine-${agent}`),
      fair,
    );
    expect(total(refused)).toBeGreaterThan(0);
    expect(total(refused.slice(-10))).toBe(0);
    expect(Math.max(...requests.slice(-10))).toBeLessThanOrEqual(LIMIT);
  });

  test("a server that does not lengthen the interval: refusals stay rare, since a 429 lengthens it here", () => {
    const { requests, refused } = play(120, () => 0, 60);
    const last = total(refused.slice(-60)) / total(requests.slice(-60));
    expect(last).toBeLessThan(0.1);
  });
});
