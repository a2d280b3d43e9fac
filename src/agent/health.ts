/**
 * The conditions that hold now. A condition is logged and made an event once when it is raised and once
 * when it is cleared, never per retry; raising it again with other words only changes the words.
 */
import type { Logger } from "pino";
import { type Condition, type ConditionDraft, conditionKey, type Severity } from "../model/condition.ts";
import type { EventDraft } from "../model/event.ts";
import type { Clock } from "../system/clock.ts";

export interface Health {
  raise(condition: ConditionDraft): void;
  clear(code: string, subject?: string): void;
  /** Replace all conditions that `owner` raised before with these (a collector's, the store's, …). */
  set(owner: string, conditions: readonly ConditionDraft[]): void;
  /** Worst first, then oldest first. */
  list(): Condition[];
}

const RANK: Record<Severity, number> = { error: 0, warning: 1, info: 2 };

/** @param emit takes the events `condition.raised` and `condition.cleared`; the store keeps them. */
export function openHealth(clock: Clock, log: Logger, emit: (event: EventDraft) => void): Health {
  const holding = new Map<string, Condition>();
  /** Monotonic, milliseconds: a clock that was in 1970 at the beginning must not make it half a century. */
  const raisedAt = new Map<string, number>();
  const owned = new Map<string, Set<string>>();

  function raise(draft: ConditionDraft): void {
    const key = conditionKey(draft);
    const before = holding.get(key);
    const condition: Condition = { ...draft, since: before?.since ?? clock.now() };
    holding.set(key, condition);
    if (before === undefined) raisedAt.set(key, clock.monotonic());
    if (before?.severity === draft.severity) return;
    const level = draft.severity === "warning" ? "warn" : draft.severity;
    log[level]({ condition: key, next: draft.nextStep }, draft.text);
    emit({
      type: "condition.raised",
      severity: draft.severity,
      data: { code: draft.code, subject: draft.subject ?? null, text: draft.text, next_step: draft.nextStep },
    });
  }

  function clear(code: string, subject?: string): void {
    const key = conditionKey(subject === undefined ? { code } : { code, subject });
    const before = holding.get(key);
    if (!before) return;
    const heldMs = clock.monotonic() - (raisedAt.get(key) ?? clock.monotonic());
    holding.delete(key);
    raisedAt.delete(key);
    log.info({ condition: key }, `over: ${before.text}`);
    emit({
      type: "condition.cleared",
      severity: before.severity === "info" ? "info" : "warning",
      data: {
        code,
        subject: subject ?? null,
        text: before.text,
        held_s: Math.round(heldMs / 1000),
      },
    });
  }

  return {
    raise,
    clear,
    set(owner, conditions) {
      const now = new Set<string>();
      for (const condition of conditions) {
        now.add(conditionKey(condition));
        raise(condition);
      }
      for (const key of owned.get(owner) ?? []) {
        const gone = now.has(key) ? undefined : holding.get(key);
        if (gone) clear(gone.code, gone.subject);
      }
      owned.set(owner, now);
    },
    list: () =>
      [...holding.values()].sort((a, b) => RANK[a.severity] - RANK[b.severity] || a.since - b.since),
  };
}
