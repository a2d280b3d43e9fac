/**
 * The conditions as a control API may raise and clear them. Each change is a line of the log and an event, and what a
 * server says in its answers is its own affair: one that makes a condition come and go with every answer is told of it
 * a few times an hour, and then it stays until it has been quiet.
 */
import type { Conditions } from "../../control/control-api.ts";
import { conditionKey } from "../../model/condition.ts";
import type { Clock } from "../../system/clock.ts";

const HOUR_MS = 3_600_000;
const AN_HOUR = 6;

/** @param clock of which only the monotonic time counts */
export function dampedConditions(health: Conditions, clock: Pick<Clock, "monotonic">): Conditions {
  const held = new Set<string>();
  /** When each was raised, as far as it was within an hour. */
  const raised = new Map<string, number[]>();
  const lately = (key: string): number[] =>
    (raised.get(key) ?? []).filter((at) => clock.monotonic() - at < HOUR_MS);

  return {
    raise(condition) {
      const key = conditionKey(condition);
      if (!held.has(key)) raised.set(key, [...lately(key), clock.monotonic()]);
      held.add(key);
      health.raise(condition);
    },
    clear(code, subject) {
      const key = conditionKey(subject === undefined ? { code } : { code, subject });
      // It is cleared again with each answer that has nothing of it.
      if (held.has(key) && lately(key).length >= AN_HOUR) return;
      held.delete(key);
      health.clear(code, subject);
    },
    tellAgain: () => health.tellAgain(),
  };
}
