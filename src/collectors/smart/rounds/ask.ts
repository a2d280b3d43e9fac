/**
 * Asking many drives, a few at a time, when any of them may never answer. A round ends when everybody answered
 * or when those who are left were given their time; what they answer after it is handed on all the same. So
 * one sick drive costs a round some seconds and nobody else anything. One that hung three times is left alone
 * for a day.
 */
import { AgentError, errorCode, errorText } from "../../../model/errors.ts";
import type { SmartFacts } from "../../../model/smart.ts";
import type { Clock } from "../../../system/clock.ts";

export interface SmartTarget {
  /** Device and type: `/dev/bus/0 megaraid,3`. */
  readonly key: string;
  readonly device: string;
  readonly type: string;
}

/** One answer or failure; `at`: wall clock, milliseconds. */
export type SmartOutcome =
  | { readonly facts: SmartFacts; readonly error: null; readonly at: number }
  | { readonly facts: null; readonly error: AgentError; readonly at: number };

export interface SmartAsker {
  /**
   * Ask all that are not being asked already; every outcome goes to `onOutcome`.
   * @param ask may take for ever
   * @param until ends the round, not what is under way
   */
  round(
    targets: readonly SmartTarget[],
    ask: (target: SmartTarget) => Promise<SmartFacts>,
    until: AbortSignal,
  ): Promise<void>;
  isQuarantined(key: string): boolean;
  /** Time-outs in a row. */
  hangs(key: string): number;
  /** Another drive is there now: what the one before it did says nothing of it. */
  forget(key: string): void;
}

export interface SmartAskerOptions {
  readonly clock: Clock;
  /** Asked at the same time. */
  readonly parallel: number;
  /** How long a round waits for the last ones, milliseconds. */
  readonly patienceMs: number;
  /** @param late it came when no round ran any more */
  readonly onOutcome: (key: string, outcome: SmartOutcome, late: boolean) => void;
}

/** As many time-outs in a row, and it is left alone. */
export const MAX_HANGS = 3;
const QUARANTINE_MS = 24 * 60 * 60_000;
const HANG_CODES = new Set(["drive_hangs", "helper_timeout"]);

export function isHang(error: AgentError): boolean {
  return HANG_CODES.has(error.code);
}

export function smartAsker({ clock, parallel, patienceMs, onOutcome }: SmartAskerOptions): SmartAsker {
  const underway = new Set<string>();
  const hung = new Map<string, { count: number; last: number }>();
  /** Of the round that runs; one at a time. */
  let proceed: (() => void) | null = null;

  function note(key: string, outcome: SmartOutcome): void {
    if (outcome.error === null) hung.delete(key);
    else if (isHang(outcome.error))
      hung.set(key, { count: (hung.get(key)?.count ?? 0) + 1, last: clock.monotonic() });
  }

  async function outcomeOf(asked: Promise<SmartFacts>): Promise<SmartOutcome> {
    try {
      return { facts: await asked, error: null, at: clock.now() };
    } catch (error) {
      const typed = error instanceof AgentError ? error : new AgentError(errorCode(error), errorText(error));
      return { facts: null, error: typed, at: clock.now() };
    }
  }

  function start(target: SmartTarget, ask: (target: SmartTarget) => Promise<SmartFacts>): void {
    underway.add(target.key);
    void outcomeOf(ask(target)).then((outcome) => {
      underway.delete(target.key);
      note(target.key, outcome);
      onOutcome(target.key, outcome, proceed === null);
      proceed?.();
    });
  }

  return {
    round(targets, ask, until) {
      const queue = targets.filter(({ key }) => !underway.has(key));
      return new Promise((resolve) => {
        let timer: NodeJS.Timeout | undefined;
        const end = (): void => {
          proceed = null;
          clearTimeout(timer);
          until.removeEventListener("abort", end);
          resolve();
        };
        proceed = (): void => {
          while (underway.size < parallel) {
            const target = queue.shift();
            if (target === undefined) break;
            start(target, ask);
          }
          clearTimeout(timer);
          if (underway.size === 0 && queue.length === 0) end();
          // Whoever is left now has been asked for at least this long when the time is up.
          else if (queue.length === 0) timer = setTimeout(end, patienceMs);
        };
        if (until.aborted) end();
        else {
          until.addEventListener("abort", end, { once: true });
          proceed();
        }
      });
    },
    isQuarantined(key) {
      const found = hung.get(key);
      return (
        found !== undefined && found.count >= MAX_HANGS && clock.monotonic() - found.last < QUARANTINE_MS
      );
    },
    hangs: (key) => hung.get(key)?.count ?? 0,
    forget: (key) => void hung.delete(key),
  };
}
