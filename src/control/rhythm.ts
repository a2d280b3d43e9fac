/**
 * When to speak with a control API: pure functions over one small state, so that a fleet of hundreds can be
 * played through hours in a test. All chance comes in as `random`, a number in [0, 1).
 *
 * A round begins one interval after the previous one BEGAN. An empty round that is held open (long poll) takes
 * the place of the pause, it is not added to it: with 60 s and a wait of 50 s that makes at most 60 requests in
 * any hour. A command given meanwhile goes out in the answer of the open poll at once; one given in the gap
 * of about 10 s waits for the next round; what the agent says about a command wakes a round of its own.
 */
import type { AgentEvent } from "../model/event.ts";
import { smallHash } from "../system/small-hash.ts";

export type Profile = "normal" | "metered";

export interface RhythmState {
  readonly profile: Profile;
  /** What the configuration asks for at least, seconds; 0: nothing. */
  readonly ownIntervalS: number;
  /** What the server asked for last, within bounds, seconds. */
  readonly serverIntervalS: number;
  /** Factor on the interval: grown by each 429, shrunk slowly by each success. */
  readonly stretch: number;
  /** This round's jitter minus the last one's, as a part of the interval: pauses vary, the phase does not wander. */
  readonly jitter: number;
  readonly shift: number;
  /**
   * The next pause after the server changed the interval, milliseconds; null: the regular one. A fleet that is
   * spread over the old interval would stay crowded in a part of the new one for ever.
   */
  readonly spreadMs: number | null;
  /** Failures in a row. */
  readonly failures: number;
  /** How long to stay away after the last failure, milliseconds. */
  readonly retryInMs: number;
  /** Longest wait that is asked of the server, seconds; shrinks when something on the way cuts idle connections. */
  readonly waitS: number;
  /** Full waits in a row that were not cut, and how many of them it takes to try a longer one. */
  readonly uncut: number;
  readonly uncutWanted: number;
}

export const LIMITS = {
  /** Server values, seconds. */
  minIntervalS: 15,
  maxIntervalS: 3600,
  /** Metered: no server value goes below. */
  meteredFloorS: 900,
  /** Metered and nothing configured: each round pays for a TLS handshake, and a month of them for 3 MB at most. */
  meteredDefaultS: 3600,
  defaultIntervalS: 60,
  maxWaitS: 50,
  /** Below this a long poll costs more requests than it saves. */
  minWaitS: 5,
  backOffFirstMs: 5_000,
  backOffMostMs: 15 * 60_000,
  retryAfterMostMs: 3_600_000,
  wakeGapMs: 2_000,
  wakeGapMeteredMs: 60_000,
  /** Failures after which the breaker is open. */
  breakerAt: 3,
} as const;

const JITTER = 0.05; // of each round; the pause between two rounds varies by twice that
const PADDING = 1.01; // so that 60 pauses never fit into 60 intervals
const STRETCH_MOST = 60;
const UNCUT_FIRST = 60;
const UNCUT_MOST = 1440;

/** The state before the first round. @param intervalS the configuration's wish, null for none */
export function startRhythm(profile: Profile, intervalS: number | null): RhythmState {
  return {
    profile,
    ownIntervalS: intervalS ?? (profile === "metered" ? LIMITS.meteredDefaultS : 0),
    serverIntervalS: intervalS === null ? LIMITS.defaultIntervalS : 0,
    stretch: 1,
    jitter: 0,
    shift: 0,
    spreadMs: null,
    failures: 0,
    retryInMs: 0,
    waitS: profile === "metered" ? 0 : LIMITS.maxWaitS,
    uncut: 0,
    uncutWanted: UNCUT_FIRST,
  };
}

/** The interval in effect, seconds. */
export function intervalS(state: RhythmState): number {
  const floor = state.profile === "metered" ? LIMITS.meteredFloorS : 0;
  const wanted = Math.max(floor, state.ownIntervalS, state.serverIntervalS);
  // A 429 may lengthen up to an hour; a configuration that asks for more than that keeps it.
  return Math.max(wanted, Math.min(LIMITS.maxIntervalS, wanted * state.stretch));
}

/**
 * Pause before the very first round, milliseconds: the node's place in the interval, the same at each start. On
 * a metered network in the first quarter of an hour, since nobody waits an hour to see a node come back.
 */
export function firstDelayMs(state: RhythmState, machineId: string): number {
  const place = Number.parseInt(smallHash(machineId).slice(0, 12), 16);
  return place % Math.round(Math.min(intervalS(state), LIMITS.meteredFloorS) * 1000);
}

/** After a round that was answered. */
export function afterSuccess(
  state: RhythmState,
  round: {
    /** From the answer; null: as before. */
    readonly intervalS: number | null;
    /** The round was a long poll that was held to its end, unanswered by news. */
    readonly waitedInFull: boolean;
  },
  random: number,
): RhythmState {
  const jitter = (random * 2 - 1) * JITTER;
  const serverIntervalS = round.intervalS === null ? state.serverIntervalS : bounded(round.intervalS);
  return {
    ...grownWait(state, round.waitedInFull),
    serverIntervalS,
    spreadMs: spread(intervalS(state), intervalS({ ...state, serverIntervalS }), random),
    // 2 % back with each round: after one 429 about 20 rounds, far slower than a limit's minute.
    stretch: Math.max(1, state.stretch * 0.98),
    jitter,
    shift: jitter - state.jitter,
    failures: 0,
    retryInMs: 0,
  };
}

/**
 * After a round that failed.
 * @param failure `rateLimited`: 429; `retryAfterMs`: what the server asked for, null for nothing
 */
export function afterFailure(
  state: RhythmState,
  failure: { readonly rateLimited: boolean; readonly retryAfterMs: number | null },
  random: number,
): RhythmState {
  const failures = state.failures + 1;
  const stretch = failure.rateLimited ? Math.min(STRETCH_MOST, state.stretch * 1.5) : state.stretch;
  const ceiling = Math.min(LIMITS.backOffMostMs, LIMITS.backOffFirstMs * 2 ** Math.min(failures - 1, 20));
  const asked = Math.min(failure.retryAfterMs ?? 0, LIMITS.retryAfterMostMs);
  // A whole fleet gets the same Retry-After: it is the earliest moment, and from there all spread out.
  const spread = asked > 0 || failure.rateLimited ? intervalS({ ...state, stretch }) * 1000 : ceiling;
  const retryInMs = Math.max(1000, Math.round(asked + random * Math.max(ceiling, spread)));
  return { ...state, failures, stretch, retryInMs };
}

/**
 * After a long poll whose connection was lost while waiting: a proxy with an idle limit, most likely, so no
 * failure of the server. The next waits stay under what was seen to hold.
 * @param heldMs how long the poll was open
 */
export function afterCut(state: RhythmState, heldMs: number, random: number): RhythmState {
  const shorter = Math.floor(Math.min(heldMs / 1000, state.waitS) * 0.8);
  const waitS = shorter < LIMITS.minWaitS ? 0 : shorter;
  // Cut right away is not an idle limit but a server or a network that went away.
  if (heldMs < 1000)
    return afterFailure({ ...state, uncut: 0 }, { rateLimited: false, retryAfterMs: null }, random);
  const jitter = (random * 2 - 1) * JITTER;
  return {
    ...state,
    waitS,
    spreadMs: null,
    uncut: 0,
    uncutWanted: Math.min(
      UNCUT_MOST,
      state.waitS < LIMITS.maxWaitS ? state.uncutWanted * 2 : state.uncutWanted,
    ),
    jitter,
    shift: jitter - state.jitter,
  };
}

/** Pause from now to the next round, milliseconds. @param sinceStartMs since the last round began; @param sinceEndMs since it ended */
export function nextDelayMs(state: RhythmState, sinceStartMs: number, sinceEndMs = 0): number {
  if (state.failures > 0) return Math.max(0, state.retryInMs - sinceEndMs);
  const pause = state.spreadMs ?? intervalS(state) * 1000 * (PADDING + state.shift);
  return Math.max(0, Math.round(pause - sinceStartMs));
}

/** Whether an event is worth a round of its own. What is told once more has waited long enough to wait for the next. */
export function wakes(event: Pick<AgentEvent, "type" | "severity"> & Partial<AgentEvent>): boolean {
  if (event.type === "command.state" && event.data?.repeated === true) return false;
  return event.type === "command.state" || event.severity !== "info";
}

/** Pause from now to a round that an event woke, milliseconds; null: the event waits for the regular one. */
export function wakeDelayMs(state: RhythmState, sinceStartMs: number): number | null {
  if (state.failures > 0) return null; // a back-off is never cut short, least of all by the errors it makes
  const gap = state.profile === "metered" ? LIMITS.wakeGapMeteredMs : LIMITS.wakeGapMs;
  return Math.max(0, gap - sinceStartMs);
}

/** wait_s of the next round, seconds: 0 when there is anything to say, in a metered network, or while unsure. */
export function waitSeconds(state: RhythmState, empty: boolean): number {
  if (!empty || state.profile === "metered" || state.failures > 0) return 0;
  const room = Math.floor(intervalS(state)) - 5;
  const wait = Math.min(state.waitS, room);
  return wait < LIMITS.minWaitS ? 0 : wait;
}

/** closed: working; open: has failed several times in a row and is left alone between the tries. */
export function breaker(state: RhythmState): "closed" | "open" {
  return state.failures >= LIMITS.breakerAt ? "open" : "closed";
}

/** Longer again by a tenth, after many waits that held: a limit on the way seldom goes away. */
function grownWait(state: RhythmState, waitedInFull: boolean): RhythmState {
  if (state.profile === "metered" || state.waitS >= LIMITS.maxWaitS) return state;
  // With polling off nothing is ever held: plain rounds count instead.
  const uncut = state.uncut + (waitedInFull || state.waitS === 0 ? 1 : 0);
  if (uncut < state.uncutWanted) return { ...state, uncut };
  const longer = state.waitS === 0 ? LIMITS.minWaitS : Math.ceil(state.waitS * 1.1);
  return { ...state, uncut: 0, waitS: Math.min(LIMITS.maxWaitS, longer) };
}

/**
 * A pause whose length is uniform over the new interval: added to any phase it gives every phase alike. It begins
 * at the shorter one, so that nobody asks more often for it, and no long poll under way eats a part of the range
 * (what it ate would all come at its end).
 */
function spread(beforeS: number, afterS: number, random: number): number | null {
  if (Math.abs(afterS - beforeS) <= 0.1 * beforeS) return null;
  return Math.round((Math.min(beforeS, afterS) + random * afterS) * 1000);
}

function bounded(seconds: number): number {
  if (!Number.isFinite(seconds)) return LIMITS.defaultIntervalS;
  return Math.min(LIMITS.maxIntervalS, Math.max(LIMITS.minIntervalS, seconds));
}
