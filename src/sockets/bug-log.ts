/**
 * Bugs of the agent that a request brought to light, in its log: whole the first time, then counted. Whoever finds one
 * could else fill the log with it at the rate at which he can ask.
 */
import { errorText } from "../model/errors.ts";
import type { Logger } from "../model/log.ts";
import { moreText, openRepeats } from "../model/text/repeats.ts";
import { monotonic } from "../system/clock.ts";

export interface BugLog {
  /** @param what one sentence's beginning: what failed */
  log(error: unknown, what: string, fields?: Readonly<Record<string, unknown>>): void;
}

export function openBugLog(log: Logger, windowMs?: number): BugLog {
  const repeats = openRepeats({
    monotonic,
    ...(windowMs === undefined ? {} : { windowMs }),
    tell: (kind, more) => log.error(`${kind ?? "other requests failed"} (${moreText(more)})`),
  });
  return {
    log(error, what, fields = {}) {
      const sentence = `${what}: ${errorText(error)}`;
      if (repeats.take(sentence)) log.error({ err: error, ...fields }, sentence);
    },
  };
}
