/** The first minute, in which what is absent may still come: what is raised in it, and of whom an end was told in it. */

import { type ConditionDraft, conditionKey } from "../../model/condition.ts";
import type { Clock } from "../../system/clock.ts";
import { ANSWERED, unknownWhile } from "./settling.ts";

export interface Early {
  /** Whether it is too early to say so. */
  covers(draft: ConditionDraft, owner: string | null): boolean;
  /** An owner has nothing to say any more, or a condition by its key is over. */
  ended(name: string): void;
  /** How many ends are remembered; none once the minute is over, for then nobody asks. */
  readonly size: number;
}

/** @param settleMs how long it is, from now on; milliseconds */
export function openEarly(clock: Clock, settleMs: number): Early {
  const settledAt = clock.monotonic() + settleMs;
  const isOver = (): boolean => clock.monotonic() >= settledAt;
  const ended = new Set<string>();
  return {
    covers(draft, owner) {
      if (isOver() || unknownWhile(draft.code) === null) return false;
      return !(ANSWERED.has(draft.code) && ended.has(owner ?? conditionKey(draft)));
    },
    ended(name) {
      if (isOver()) ended.clear();
      else ended.add(name);
    },
    get size() {
      return ended.size;
    },
  };
}
