/**
 * What time it is by the servers that send commands. The wall clock of a node without RTC is a guess, so expiry is
 * judged by the `now` of an authenticated answer carried on by the kernel's uptime; over a boot, what was known
 * before is a lower bound.
 */
import { EARLIEST_TIME, LATEST_TIME } from "../../system/clock.ts";
import type { KnownTime } from "../gates/gate.ts";
import type { HostPort, StatePort } from "./ports.ts";

export interface TimeMark {
  /** Server time, milliseconds since the epoch. */
  readonly serverNow: number;
  readonly bootId: string;
  readonly uptimeMs: number;
}

export interface ServerTime {
  /** What no clock can say (before this program, after 2100) is not believed. */
  heard(serverNow: number): void;
  /** Registered anew, or left: what the server before it said of the time counts no more. */
  forget(): void;
  known(): KnownTime;
  /** Remember what was heard last: when a command is taken, and at the end. */
  keep(): void;
}

/** In between it is remembered only so often: each time is a write on somebody's SD card. */
const KEPT_EVERY_MS = 6 * 3_600_000;
/** … and when it is another time than what is kept would have become: that one must not come back with a restart. */
const STEP_MS = 5 * 60_000;

export function openServerTime({ bootId, uptimeMs }: HostPort, { memory }: StatePort): ServerTime {
  let mark = markOf(memory.get());
  let kept = mark;

  function keep(): void {
    if (mark === null || mark === kept) return;
    memory.set(mark);
    kept = mark;
  }

  return {
    heard(serverNow) {
      if (!isPossible(serverNow)) return;
      const uptime = uptimeMs();
      // A server that steps back is believed for what is exact; the lower bound of another boot is never lowered.
      mark = { serverNow, bootId, uptimeMs: uptime };
      const keptFor = kept?.bootId === bootId ? uptime - kept.uptimeMs : KEPT_EVERY_MS;
      const stepped = kept !== null && Math.abs(serverNow - kept.serverNow - keptFor) > STEP_MS;
      if (keptFor >= KEPT_EVERY_MS || stepped) keep();
    },
    known() {
      if (mark === null) return { atLeast: null, exact: false };
      // Not with the uptime of this boot on top: in a container that is its host's.
      if (mark.bootId !== bootId) return { atLeast: mark.serverNow, exact: false };
      return { atLeast: mark.serverNow + Math.max(0, uptimeMs() - mark.uptimeMs), exact: true };
    },
    keep,
    forget() {
      mark = null;
      kept = null;
      memory.set(null);
    },
  };
}

function markOf(value: unknown): TimeMark | null {
  if (value === null || typeof value !== "object") return null;
  const { serverNow, bootId, uptimeMs } = value as Partial<TimeMark>;
  if (typeof serverNow !== "number" || typeof bootId !== "string" || typeof uptimeMs !== "number")
    return null;
  return isPossible(serverNow) && uptimeMs >= 0 ? { serverNow, bootId, uptimeMs } : null;
}

function isPossible(time: number): boolean {
  return time >= EARLIEST_TIME && time <= LATEST_TIME;
}
