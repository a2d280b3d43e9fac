/** An answer that says "later": the one error that carries when. */
import { AgentError } from "../model/errors.ts";

/** Codes `rate_limited` (429) and `unavailable` (any 5xx). */
export class RetryError extends AgentError {
  override readonly name = "RetryError";
  /** What Retry-After asked for, milliseconds from now; null when the server did not say. */
  readonly retryAfterMs: number | null;

  constructor(code: "rate_limited" | "unavailable", message: string, retryAfterMs: number | null) {
    super(code, message, null);
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * A Retry-After header (RFC 9110 section 10.2.3): seconds, or an HTTP date.
 * @param now wall clock for the date form, milliseconds; better the answer's own Date header than ours
 * @returns milliseconds from now, never negative; null for none or nonsense
 */
export function parseRetryAfter(value: string | undefined, now: number): number | null {
  if (value === undefined) return null;
  if (/^\s*\d{1,9}\s*$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
