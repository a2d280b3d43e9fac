/**
 * The conditions as a control API may raise and clear them. Each change is a line of the log and an event, and what a
 * server says in its answers is its own affair: one that makes a condition come and go with every answer is told of it
 * a few times an hour, and then it stays until it has been quiet. What was cleared meanwhile ends then by itself: often
 * it is cleared once, and nobody asks that server anything any more.
 */
import type { Conditions } from "../../control/control-api.ts";
import { conditionKey } from "../../model/condition.ts";
import type { Clock } from "../../system/clock.ts";

const HOUR_MS = 3_600_000;
const AN_HOUR = 6;

export interface DampedConditions extends Conditions {
  /** Now and then: what was cleared too soon and stayed away since ends when it is time. */
  ticked(): void;
  /** An operator has changed what this node is to the server: what was cleared ends now. */
  endCleared(): void;
}

/** @param clock of which only the monotonic time counts */
export function dampedConditions(health: Conditions, clock: Pick<Clock, "monotonic">): DampedConditions {
  const held = new Set<string>();
  /** When each was raised, as far as it was within an hour. */
  const raised = new Map<string, number[]>();
  /** Held all the same. */
  const cleared = new Map<string, { readonly code: string; readonly subject: string | undefined }>();
  const lately = (key: string): number[] =>
    (raised.get(key) ?? []).filter((at) => clock.monotonic() - at < HOUR_MS);

  function end(key: string, code: string, subject: string | undefined): void {
    held.delete(key);
    cleared.delete(key);
    health.clear(code, subject);
  }

  return {
    raise(condition) {
      const key = conditionKey(condition);
      cleared.delete(key);
      if (!held.has(key)) raised.set(key, [...lately(key), clock.monotonic()]);
      held.add(key);
      health.raise(condition);
    },
    clear(code, subject) {
      const key = conditionKey(subject === undefined ? { code } : { code, subject });
      if (held.has(key) && lately(key).length >= AN_HOUR) cleared.set(key, { code, subject });
      else end(key, code, subject);
    },
    tellAgain: () => health.tellAgain(),
    ticked() {
      for (const [key, { code, subject }] of cleared)
        if (lately(key).length < AN_HOUR) end(key, code, subject);
    },
    endCleared() {
      for (const [key, { code, subject }] of cleared) end(key, code, subject);
    },
  };
}
