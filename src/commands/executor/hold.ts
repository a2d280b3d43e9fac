/** `foundry-agent hold`: every command from the network waits, over restarts and reboots, until it is released. */
import { AgentError } from "../../model/errors.ts";
import type { Clock } from "../../system/clock.ts";
import type { Hold } from "../gates/gate.ts";
import type { StatePort } from "./ports.ts";

const KEY = "hold";

export interface HoldKeeper {
  held(): Hold | null;
  /** On the disk when it returns. */
  set(hold: Omit<Hold, "since">): Hold;
  /** @returns what was held */
  release(by: string): Hold | null;
}

/** @param changed called after each */
export function openHold(
  { values, journal, durable }: StatePort,
  clock: Clock,
  changed: () => void,
): HoldKeeper {
  function held(): Hold | null {
    const hold = parse(values.get(KEY));
    // By the wall clock: one that stands in 1970 holds longer, never shorter.
    return hold === null || (hold.until !== null && clock.now() >= hold.until) ? null : hold;
  }
  function tell(type: string, data: Record<string, unknown>): void {
    journal.appendEvents([{ type, severity: "warning", data }], clock.now());
    changed();
  }
  return {
    held,
    set({ reason, by, until }) {
      const hold = { reason, by, until, since: clock.now() };
      values.set(KEY, JSON.stringify(hold));
      tell("hold", { by, reason, until: until === null ? null : new Date(until).toISOString() });
      if (!durable())
        throw new AgentError(
          "hold_not_durable",
          "commands are held, but only until the agent ends: its state can't be written",
          "foundry-agent status",
        );
      return hold;
    },
    release(by) {
      const before = held();
      values.set(KEY, null);
      if (before !== null) tell("hold.released", { by });
      return before;
    },
  };
}

/** What can't be read holds: somebody wanted nothing to happen. */
function parse(text: string | null): Hold | null {
  if (text === null) return null;
  const unreadable: Hold = {
    reason: "what was said of it can't be read",
    by: "unknown",
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
