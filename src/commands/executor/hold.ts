/**
 * `foundry-agent hold`: every command from the network waits, over restarts and reboots, until it is released. What
 * holds is kept here; the file (store/hold-file.ts) is read once, and written before anybody is told.
 */
import type { ConditionDraft } from "../../model/condition.ts";
import { AgentError } from "../../model/errors.ts";
import { clause } from "../../model/text/sentence.ts";
import type { Clock } from "../../system/clock.ts";
import type { Hold } from "../gates/gate.ts";
import type { StatePort } from "./ports.ts";

/** Where versions before this one kept it, in the state itself. */
const KEY = "hold";
const RETRY_MS = 30_000;

export interface HoldKeeper {
  held(): Hold | null;
  /** On the disk when it returns. @throws AgentError `hold_not_durable`: it holds, in memory only */
  set(hold: Omit<Hold, "since">): Hold;
  /** @returns what was held; null: nothing. @throws AgentError `hold_not_released`: it can't be removed, so it goes on */
  release(by: string): Hold | null;
  /** `hold_unreadable`, `hold_not_durable` */
  conditions(): ConditionDraft[];
}

/** @param changed called after each */
export function openHold(
  { values, holds, journal, durable }: StatePort,
  clock: Clock,
  changed: () => void,
): HoldKeeper {
  const found = holds.read();
  let { unreadable } = found;
  let current = found.hold;
  /** Why it is not on the disk. */
  let unwritten: AgentError | null = null;
  let retryAt = 0;
  carryOver();

  function carryOver(): void {
    const earlier = parse(values.get(KEY));
    if (earlier === null) return;
    if (current === null) {
      current = earlier;
      write(earlier);
    }
    if (unwritten === null) values.set(KEY, null);
  }

  function write(hold: Hold): void {
    retryAt = clock.monotonic() + RETRY_MS;
    try {
      holds.write(hold);
      unwritten = null;
      unreadable = null;
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      unwritten = error;
    }
  }

  /** The disk may take it by now. */
  function writeAgain(): void {
    if (unwritten === null || current === null || clock.monotonic() < retryAt) return;
    write(current);
    if (unwritten !== null) return;
    values.set(KEY, null);
    changed();
  }

  function held(): Hold | null {
    // By the wall clock: one that stands in 1970 holds longer, never shorter.
    if (current !== null && (current.until === null || clock.now() < current.until)) {
      writeAgain();
      return current;
    }
    if (unwritten !== null) {
      unwritten = null;
      changed();
    }
    return null;
  }

  function tell(type: string, data: Record<string, unknown>): void {
    journal.appendEvents([{ type, severity: "warning", data }], clock.now());
    changed();
  }

  return {
    held,
    set({ reason, by, until }) {
      const hold = { reason, by, until, since: clock.now() };
      current = hold;
      write(hold);
      tell("hold", { by, reason, until: until === null ? null : new Date(until).toISOString() });
      if (unwritten !== null)
        throw new AgentError(
          "hold_not_durable",
          `commands are held, but only until the agent ends: ${clause(unwritten.message)}`,
          unwritten.nextStep,
        );
      return hold;
    },
    release(by) {
      const before = held();
      try {
        holds.remove();
      } catch (error) {
        if (!(error instanceof AgentError)) throw error;
        throw new AgentError(
          error.code,
          `commands are held as before, because ${clause(error.message)}`,
          error.nextStep,
        );
      }
      if (values.get(KEY) !== null) {
        values.set(KEY, null);
        if (!durable()) {
          values.set(KEY, JSON.stringify(current));
          throw new AgentError(
            "hold_not_released",
            "commands are held as before, because the hold is still in the state, which can't be written",
            "foundry-agent status",
          );
        }
      }
      current = null;
      unwritten = null;
      unreadable = null;
      if (before !== null) tell("hold.released", { by });
      return before;
    },
    conditions() {
      if (held() === null) return [];
      const nextStep = "foundry-agent release  # or hold again with a reason";
      if (unreadable !== null)
        return [
          {
            code: "hold_unreadable",
            severity: "warning",
            text: `Commands from the network wait, because there is a hold of which nothing more is known: ${unreadable}.`,
            nextStep,
          },
        ];
      if (unwritten === null) return [];
      const text = `The hold is kept in memory only and ends with the agent: ${clause(unwritten.message)}.`;
      return [{ code: "hold_not_durable", severity: "warning", text, nextStep: unwritten.nextStep }];
    },
  };
}

/** What can't be read holds: somebody wanted nothing to happen. */
function parse(text: string | null): Hold | null {
  if (text === null) return null;
  const unreadable: Hold = {
    reason: "what was said of it can't be read",
    by: "somebody",
    since: 0,
    until: null,
  };
  try {
    const { reason, by, since, until } = JSON.parse(text) as Partial<Hold>;
    return typeof reason === "string" && typeof by === "string" && typeof since === "number"
      ? { reason, by, since, until: typeof until === "number" ? until : null }
      : unreadable;
  } catch {
    return unreadable;
  }
}
