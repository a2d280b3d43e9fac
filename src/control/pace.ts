/**
 * One control API's rhythm (control/rhythm.ts) with its state and clock: what the loop asks when a round is
 * over is how long to wait for the next.
 */

import { errorCode } from "../model/errors.ts";
import type { Clock } from "../system/clock.ts";
import { RetryError } from "./retry-error.ts";
import {
  afterCut,
  afterFailure,
  afterSuccess,
  breaker,
  firstDelayMs,
  intervalS,
  nextDelayMs,
  type Profile,
  startRhythm,
  waitSeconds,
  wakeDelayMs,
} from "./rhythm.ts";

export interface PaceStatus {
  readonly failures: number;
  readonly backingOff: boolean;
  readonly breaker: "closed" | "open";
  readonly intervalS: number;
}

/** All delays are milliseconds from now. */
export interface Pace {
  firstDelayMs(): number;
  /** A round begins. */
  began(): void;
  /** What an empty round may ask the server to wait, seconds. */
  waitS(): number;
  /** What the server is told about the next round, seconds from now. */
  nextDueS(): number;
  /**
   * @param round `pollable`: the server holds empty rounds open, as one that is only looked at does not;
   *   `ofCommands`: it told what became of a command
   */
  succeeded(round: {
    waitedS: number;
    intervalS: number | null;
    more: boolean;
    pollable: boolean;
    ofCommands: boolean;
  }): number;
  failed(error: unknown, waitedS: number): number;
  /** Delay to a round that something urgent asks for, or null: it waits for the regular one. */
  wokenMs(): number | null;
  status(): PaceStatus;
}

export interface PaceOptions {
  readonly profile: Profile;
  readonly intervalS: number | null;
  readonly machineId: string;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
}

/** How a connection ends that something on the way found idle for too long. */
const CUT = new Set(["connection_lost", "first_byte_timeout"]);

export function openPace(options: PaceOptions): Pace {
  const { clock, random } = options;
  let state = startRhythm(options.profile, options.intervalS);
  let beganAt = clock.monotonic();
  let lingered = false;
  const sinceStart = (): number => clock.monotonic() - beganAt;

  return {
    firstDelayMs: () => firstDelayMs(state, options.machineId),
    began() {
      beganAt = clock.monotonic();
    },
    waitS: () => waitSeconds(state, true),
    nextDueS: () => Math.round(intervalS(state)),
    succeeded({ waitedS, intervalS: wanted, more, pollable, ofCommands }) {
      const waitedInFull = pollable && waitedS > 0 && sinceStart() >= waitedS * 900;
      state = afterSuccess(state, { intervalS: wanted, waitedInFull }, random());
      const regular = nextDelayMs(state, sinceStart());
      // A round that had something to say could not wait for commands; one long poll after it can. Only one,
      // so that a section that never rests does not make rounds of its own. Commands come to a rest, and
      // whoever gave one gives another.
      const linger = pollable && waitedS === 0 && (!lingered || ofCommands) && waitSeconds(state, true) > 0;
      lingered = linger;
      return more || linger ? Math.min(regular, wakeDelayMs(state, sinceStart()) ?? regular) : regular;
    },
    failed(error, waitedS) {
      if (waitedS > 0 && CUT.has(errorCode(error))) {
        state = afterCut(state, sinceStart(), random());
        return nextDelayMs(state, sinceStart());
      }
      const retryAfterMs = error instanceof RetryError ? error.retryAfterMs : null;
      state = afterFailure(
        state,
        { rateLimited: errorCode(error) === "rate_limited", retryAfterMs },
        random(),
      );
      return nextDelayMs(state, sinceStart());
    },
    wokenMs: () => wakeDelayMs(state, sinceStart()),
    status: () => ({
      failures: state.failures,
      backingOff: state.failures > 0,
      breaker: breaker(state),
      intervalS: Math.round(intervalS(state)),
    }),
  };
}
