/**
 * How often one source is answered. A server that sends without end must not have the disk written, a line logged and
 * an event made for each: what is over its rate is left out, unjudged and unanswered, and only counted. It is delivered
 * again by whoever goes by the protocol, and then has its turn. On the monotonic clock: no jump opens or shuts it.
 */
import type { ConditionDraft } from "../../model/condition.ts";
import { plural } from "../../model/text/sentence.ts";
import type { Clock } from "../../system/clock.ts";
import { utc } from "../gates/text.ts";

const HOUR_MS = 3_600_000;
/** At once, and as many again in an hour. */
const RATES = {
  /** Refused, cancelled before they came, settled. */
  refusal: 100,
  /** Taken. */
  taking: 300,
  /** Known ones that are asked for again. */
  repeat: 100,
} as const;
type Rate = keyof typeof RATES;

/** So long nothing is left out until it is over: longer than a server needs to come back. */
const CALM_MS = 30 * 60_000;

/** all: whatever it is. promising: what the policy would let be done. none: nothing more for now. */
export type Room = "all" | "promising" | "none";

export interface Floods {
  /** What of this source may be looked at now. */
  room(source: string): Room;
  /** Whether one more of this kind may be answered; then it counts. Whoever stands on this host is always answered. */
  take(source: string, rate: Rate): boolean;
  /** A command that was taken is refused after all: counted, also where nothing is left. */
  refused(source: string, code: string): void;
  leftOut(source: string): void;
  conditions(): ConditionDraft[];
}

interface Flood {
  since: number;
  count: number;
  lastAt: number;
}

interface Source {
  readonly level: Record<Rate, number>;
  filledAt: number;
  lastCode: string | null;
  flood: Flood | null;
}

export function openFloods(clock: Clock): Floods {
  const sources = new Map<string, Source>();

  function of(name: string): Source {
    const now = clock.monotonic();
    let found = sources.get(name);
    if (found === undefined) {
      found = { level: { ...RATES }, filledAt: now, lastCode: null, flood: null };
      sources.set(name, found);
    }
    for (const rate of Object.keys(RATES) as Rate[])
      found.level[rate] = Math.min(
        RATES[rate],
        found.level[rate] + (RATES[rate] * (now - found.filledAt)) / HOUR_MS,
      );
    found.filledAt = now;
    return found;
  }

  return {
    room(name) {
      if (name === "local") return "all";
      const { level } = of(name);
      if (level.refusal >= 1) return "all";
      // Those that are refused all the same cost too, down to as many as can be under way.
      return level.refusal > -RATES.refusal ? "promising" : "none";
    },
    take(name, rate) {
      if (name === "local") return true;
      const { level } = of(name);
      if (level[rate] < 1) return false;
      level[rate] -= 1;
      return true;
    },
    refused(name, code) {
      if (name === "local") return;
      const source = of(name);
      source.lastCode = code;
      source.level.refusal = Math.max(-RATES.refusal, source.level.refusal - 1);
    },
    leftOut(name) {
      const source = of(name);
      source.flood ??= { since: clock.now(), count: 0, lastAt: 0 };
      source.flood.count += 1;
      source.flood.lastAt = clock.monotonic();
    },
    conditions() {
      return [...sources].flatMap(([name, source]): ConditionDraft[] => {
        const { flood, lastCode } = source;
        if (flood !== null && clock.monotonic() - flood.lastAt >= CALM_MS) source.flood = null;
        if (source.flood === null) return [];
        const last = lastCode === null ? "" : `; the last one that was refused: ${lastCode}`;
        return [
          {
            code: "command_flood",
            subject: name,
            severity: "warning",
            text: `${name} asks faster than this node answers: since ${utc(source.flood.since)} ${plural(source.flood.count, "command was", "commands were")} left out, neither judged nor written down${last}.`,
            nextStep:
              "foundry-agent commands  # shows what it asks for; stop on the server whatever sends that",
          },
        ];
      });
    },
  };
}
