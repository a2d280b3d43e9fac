/** What stands in the frames: the request of the main process, the answer of the helper. */
import * as v from "valibot";
import { AgentError } from "../../model/errors.ts";
import { MAX_SIGNED_BYTES } from "../../model/signed-text.ts";
import type { Signed } from "../policy/signed-command.ts";
import { SOURCE_WORD } from "../policy/words.ts";
import type { CallOptions } from "../port.ts";

/** Longest time a request may ask for; each operation's own time-out is shorter. */
const MAX_DEADLINE_MS = 600_000;
const DEFAULT_DEADLINE_MS = 120_000;

export interface HelperRequest {
  /** Unique for what only reads, the command's own for what changes anything. */
  readonly id: string;
  readonly operation: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** Milliseconds from when the client sent it. */
  readonly deadlineMs: number;
  /** Milliseconds since the client sent it, as far as its word goes: starting the helper can take its time. */
  readonly underWayMs: number;
  /** `local`, or a control API's name; null when it was not said. */
  readonly source: string | null;
  /** What the command's sender signed, not looked at yet; null when it did not come along. */
  readonly signed: Signed | null;
}

const requestSchema = v.strictObject({
  v: v.literal(1),
  id: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_.:-]{1,128}$/)),
  operation: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_.]{0,63}$/)),
  args: v.custom<Record<string, unknown>>(
    (value) => value !== null && typeof value === "object" && !Array.isArray(value),
  ),
  deadline_ms: v.pipe(v.number(), v.integer()),
  /** Monotonic clock of this boot, which both processes share (CLOCK_MONOTONIC). */
  sent_ms: v.optional(v.pipe(v.number(), v.finite())),
  source: v.optional(v.pipe(v.string(), v.regex(SOURCE_WORD))),
  signed: v.optional(
    v.strictObject({
      text: v.pipe(v.string(), v.maxBytes(MAX_SIGNED_BYTES)),
      signature: v.pipe(v.string(), v.maxLength(200)),
    }),
  ),
});

export type WireRequest = v.InferInput<typeof requestSchema>;

/** The request for a call; `freshId` where the call has no id of its own. */
export function requestFor(
  operation: string,
  args: object,
  freshId: string,
  sentMs: number,
  { id = freshId, source, signed, deadlineMs = DEFAULT_DEADLINE_MS }: CallOptions,
): WireRequest {
  return {
    v: 1,
    id,
    operation,
    args: args as Record<string, unknown>,
    deadline_ms: Math.floor(Math.min(deadlineMs, MAX_DEADLINE_MS)),
    sent_ms: sentMs,
    ...(source === undefined ? {} : { source }),
    ...(signed === undefined ? {} : { signed: { text: signed.text, signature: signed.signature } }),
  };
}

/**
 * @param nowMs the helper's monotonic clock
 * @throws AgentError `helper_protocol` naming the first field that is wrong, never its value
 */
export function readRequest(value: unknown, nowMs: number): HelperRequest {
  const read = v.safeParse(requestSchema, value);
  if (!read.success)
    throw new AgentError("helper_protocol", `the request's ${issuePlace(read.issues)} is not as expected`);
  const { id, operation, args, deadline_ms, sent_ms = nowMs, source = null, signed = null } = read.output;
  return {
    id,
    operation,
    args,
    deadlineMs: Math.min(deadline_ms, MAX_DEADLINE_MS),
    // A client can only make its own time shorter by this, never longer.
    underWayMs: Math.max(0, nowMs - sent_ms),
    source,
    signed,
  };
}

/** Where the first problem is, for a sentence: a field's path, or "shape". Names of clients are cut. */
export function issuePlace(issues: readonly [v.BaseIssue<unknown>, ...unknown[]]): string {
  return (v.getDotPath(issues[0]) ?? "shape").replace(/[^\w.[\]-]/g, "?").slice(0, 64);
}

const short = (max: number) => v.pipe(v.string(), v.maxLength(max));

/** An error as it travels and as it is recorded. */
export const wireErrorSchema = v.strictObject({
  code: v.pipe(v.string(), v.regex(/^[A-Za-z][A-Za-z0-9_]{0,63}$/)),
  message: short(1_000),
  next_step: v.nullable(short(1_000)),
});

export type WireError = v.InferOutput<typeof wireErrorSchema>;

export type Answer =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: WireError };

const answerSchema = v.variant("ok", [
  v.strictObject({ ok: v.literal(true), result: v.unknown() }),
  v.strictObject({ ok: v.literal(false), error: wireErrorSchema }),
]);

/** @throws AgentError `helper_protocol` */
export function readAnswer(value: unknown): Answer {
  const read = v.safeParse(answerSchema, value);
  if (!read.success)
    throw new AgentError(
      "helper_protocol",
      `the helper's answer is not as expected (${issuePlace(read.issues)})`,
    );
  return read.output;
}

/** Any thrown thing as it travels; what is no AgentError is a bug, of which only the kind is told. */
export function wireError(error: unknown): WireError {
  if (!(error instanceof AgentError)) {
    const kind = error instanceof Error ? error.constructor.name : typeof error;
    return {
      code: "helper_failed",
      message: `the helper met an internal error (${kind.slice(0, 64)})`,
      next_step: "journalctl -u foundry-agent-helper",
    };
  }
  const code = /^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(error.code) ? error.code : "helper_failed";
  return {
    code,
    message: error.message.slice(0, 1_000),
    next_step: error.nextStep?.slice(0, 1_000) ?? null,
  };
}

/** The error on this side of the wire again. */
export function fromWireError({ code, message, next_step: nextStep }: WireError): AgentError {
  return new AgentError(code, message, nextStep);
}
