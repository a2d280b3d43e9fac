/** The end of the first minute, in which what is absent is not yet known (settling.ts). */
import type { Clock } from "../../system/clock.ts";
import type { Configured } from "../configured.ts";
import { OF_THE_HELPER } from "../helper-access.ts";
import type { Health } from "./health.ts";
import { ownerOf } from "./judging.ts";

/** A timer may fire a fraction of a millisecond before the clock is there. */
const MARGIN_MS = 5;

export interface FirstMinute {
  /** Once a tick: by the monotonic clock, which a timer may fall behind. */
  look(): void;
  stop(): void;
}

/** When the time is over, what is still absent is looked at once more, and told if it is. */
export function openFirstMinute({
  health,
  clock,
  settleMs,
  running,
}: {
  readonly health: Health;
  readonly clock: Clock;
  readonly settleMs: number;
  readonly running: () => Configured;
}): FirstMinute {
  const settledAt = clock.monotonic() + settleMs;
  let over = false;
  let stopped = false;

  /** Whose answer is missing, and whoever asked a helper that did not answer. */
  async function lookAgain(): Promise<void> {
    const { schedule, collectors } = running();
    const owners = new Set(health.notYetKnown().map(({ owner }) => owner));
    const again = collectors.filter(
      ({ name }) =>
        owners.has(ownerOf(name)) || OF_THE_HELPER.has(schedule.section(name)?.reason?.code ?? ""),
    );
    await Promise.allSettled(again.map(({ name }) => schedule.runNow(name)));
    if (!stopped) health.settleEarly();
  }

  function look(): void {
    if (over || clock.monotonic() < settledAt) return;
    over = true;
    clearTimeout(timer);
    if (health.notYetKnown().length > 0) void lookAgain();
  }

  // Ticks come with what is collected, which may be a minute apart: the minute would be two.
  const timer = setTimeout(look, settleMs + MARGIN_MS).unref();

  return {
    look,
    stop() {
      over = true;
      stopped = true;
      clearTimeout(timer);
    },
  };
}
