/**
 * The conditions that hold now. A condition is logged and made an event once when it is raised and once
 * when it is cleared, never per retry; raising it again with other words only changes the words.
 *
 * Also over a restart: what held when the agent ended and still holds is no news, and what is over by then is
 * told as cleared, or a server would show it for ever.
 */

import * as v from "valibot";
import { type Condition, type ConditionDraft, conditionKey, type Severity } from "../../model/condition.ts";
import type { EventDraft } from "../../model/event.ts";
import type { Logger } from "../../model/log.ts";
import type { Clock } from "../../system/clock.ts";
import { openEarly } from "./early.ts";
import { unknownWhile } from "./settling.ts";

export interface Health {
  raise(condition: ConditionDraft): void;
  clear(code: string, subject?: string): void;
  /** Replace all conditions that `owner` raised before with these (a collector's, the store's, …). */
  set(owner: string, conditions: readonly ConditionDraft[]): void;
  /** Worst first, then oldest first. */
  list(): Condition[];
  /** What would be raised and may settle yet, with what that leaves unknown; empty once the first minute is over. */
  notYetKnown(): NotYetKnown[];
  /** The first minute is over: what has not settled is raised. */
  settleEarly(): void;
  /**
   * Somebody listens who knows nothing of what was told before (this is another node to its server now): each
   * condition that holds is an event once more, marked `repeated`.
   */
  tellAgain(): void;
  /**
   * All has been looked at since the start: what held before it and was not raised again is over, unless `later`
   * says that it is judged later. Then it goes on holding where its owner is known, who will say when it is over.
   */
  settle(later: (condition: Condition, owner: string | null) => boolean): void;
}

export interface NotYetKnown extends Pick<ConditionDraft, "code" | "subject"> {
  /** "whether lldpd runs" */
  readonly what: string;
  readonly owner: string | null;
}

/** Where the conditions are kept over restarts, written lazily. */
export interface HealthMemory {
  get(): unknown;
  set(value: unknown): void;
}

const severity = v.picklist(["error", "warning", "info"]);
const Kept = v.object({
  code: v.string(),
  subject: v.optional(v.string()),
  severity,
  text: v.string(),
  nextStep: v.nullable(v.string()),
  since: v.number(),
  owner: v.optional(v.string()),
});
type Kept = Condition & { readonly owner?: string };

const RANK: Record<Severity, number> = { error: 0, warning: 1, info: 2 };

/** @param emit takes the events `condition.raised` and `condition.cleared`; the store keeps them. */
export function openHealth(
  clock: Clock,
  log: Logger,
  emit: (event: EventDraft) => void,
  memory: HealthMemory = { get: () => null, set: () => undefined },
  settleMs = 0,
): Health {
  const minute = openEarly(clock, settleMs);
  /** Absent, and not for long enough to say so. */
  const early = new Map<string, ConditionDraft>();
  const holding = new Map<string, Condition>();
  /** Monotonic, milliseconds: a clock that was in 1970 at the beginning must not make it half a century. */
  const raisedAt = new Map<string, number>();
  const owned = new Map<string, Set<string>>();
  let known: Map<string, Kept> | null = null;

  /** From before the start, not judged yet. Read late: a state that turns out to be another node's is emptied first. */
  const earlier = (): Map<string, Kept> => {
    known ??= new Map(kept(memory.get()).map((condition) => [conditionKey(condition), condition]));
    return known;
  };
  const save = (): void => {
    const owners = new Map([...owned].flatMap(([owner, keys]) => [...keys].map((key) => [key, owner])));
    const held = [...holding].map(([key, condition]) => {
      const owner = owners.get(key);
      return owner === undefined ? condition : { ...condition, owner };
    });
    memory.set([...earlier().values(), ...held]);
  };

  function raise(draft: ConditionDraft, owner: string | null = null): void {
    const key = conditionKey(draft);
    const held = holding.get(key);
    const before = held ?? earlier().get(key);
    if (before === undefined && minute.covers(draft, owner)) {
      early.set(key, draft);
      return;
    }
    early.delete(key);
    const condition: Condition = { ...draft, since: before?.since ?? clock.now() };
    earlier().delete(key);
    holding.set(key, condition);
    if (before === undefined) raisedAt.set(key, clock.monotonic());
    if (held?.severity === draft.severity) return;
    save();
    const level = draft.severity === "warning" ? "warn" : draft.severity;
    log[level]({ condition: key, next: draft.nextStep }, draft.text);
    if (before?.severity === draft.severity) return;
    emit(raisedEvent(draft));
  }

  function clear(code: string, subject?: string): void {
    const key = conditionKey(subject === undefined ? { code } : { code, subject });
    early.delete(key);
    minute.ended(key);
    const before = holding.get(key) ?? earlier().get(key);
    if (!before) return;
    const since = raisedAt.get(key);
    const heldMs = since === undefined ? Math.max(0, clock.now() - before.since) : clock.monotonic() - since;
    holding.delete(key);
    earlier().delete(key);
    raisedAt.delete(key);
    save();
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

  /** It held before the start, and whoever raised it has not said anything since. */
  function goOn(condition: Condition, owner: string): void {
    const key = conditionKey(condition);
    earlier().delete(key);
    holding.set(key, condition);
    owned.set(owner, new Set([...(owned.get(owner) ?? []), key]));
  }

  const list = (): Condition[] =>
    [...holding.values()].sort((a, b) => RANK[a.severity] - RANK[b.severity] || a.since - b.since);

  return {
    raise: (condition) => raise(condition),
    clear,
    set(owner, conditions) {
      const before = owned.get(owner) ?? new Set();
      const now = new Set(conditions.map(conditionKey));
      owned.set(owner, now);
      if (conditions.length === 0) minute.ended(owner);
      for (const condition of conditions) raise(condition, owner);
      for (const key of before) {
        const gone = now.has(key) ? undefined : (holding.get(key) ?? early.get(key));
        if (gone) clear(gone.code, gone.subject);
      }
    },
    list,
    notYetKnown: () =>
      [...early].map(([key, { code, subject }]) => ({
        code,
        ...(subject === undefined ? {} : { subject }),
        what: unknownWhile(code) ?? code,
        owner: [...owned].find(([, keys]) => keys.has(key))?.[0] ?? null,
      })),
    settleEarly() {
      for (const draft of [...early.values()]) raise(draft);
    },
    tellAgain() {
      for (const condition of list()) {
        const event = raisedEvent(condition);
        emit({ ...event, data: { ...event.data, repeated: true } });
      }
      // What was kept over restarts may have gone with the identity before.
      save();
    },
    settle(later) {
      for (const { owner = null, ...condition } of [...earlier().values()]) {
        if (!later(condition, owner)) clear(condition.code, condition.subject);
        else if (owner !== null) goOn(condition, owner);
      }
    },
  };
}

function raisedEvent(draft: ConditionDraft): EventDraft {
  return {
    type: "condition.raised",
    severity: draft.severity,
    data: { code: draft.code, subject: draft.subject ?? null, text: draft.text, next_step: draft.nextStep },
  };
}

/** Of whatever was kept, what can still be used. */
function kept(value: unknown): Condition[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, 1000).flatMap((item) => {
    const parsed = v.safeParse(Kept, item);
    return parsed.success ? [parsed.output as Condition] : [];
  });
}
