/**
 * What NodeFoundry answers, as schemas: sizes capped, unknown fields ignored. A server's word ends up in a
 * URL (node id) or in a header (token), so each is checked for what it is. Commands: ../command-document.ts.
 */
import * as v from "valibot";
import { id, text, time } from "../wire-atoms.ts";

/** Visible ASCII: fits into a header and nothing else can be put there. */
const token = v.pipe(v.string(), v.regex(/^nf_nt_[\x21-\x7e]{1,500}$/));
/** The clock is an extra: an answer is not thrown away for it. */
const clock = v.fallback(v.nullable(time), null);
const seconds = v.pipe(v.number(), v.finite(), v.minValue(0));

export const ErrorEnvelope = v.object({
  error: v.object({
    code: text(100),
    message: v.fallback(text(4000), ""),
    request_id: v.fallback(v.nullish(text(200)), null),
  }),
});

export const EnrolAnswer = v.object({
  data: v.object({
    id,
    /** Anything that is not `live` is test. */
    mode: v.fallback(v.string(), "test"),
    node_token: token,
    now: clock,
    sync: v.fallback(v.object({ interval_s: v.nullish(seconds, null), wait_s: v.nullish(seconds, null) }), {
      interval_s: null,
      wait_s: null,
    }),
    /** Parsed one by one. */
    open_commands: v.fallback(v.array(v.unknown()), []),
  }),
});

export const SyncAnswer = v.object({
  data: v.object({
    now: clock,
    ack_seq: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
    acked_events: v.pipe(v.array(text(64)), v.maxLength(1000)),
    resync: v.pipe(v.array(text(64)), v.maxLength(256)),
    epoch: text(64),
    /** Parsed one by one: a bad one must not hide the others. */
    commands: v.optional(v.array(v.unknown()), []),
    cancel: v.optional(v.pipe(v.array(text(64)), v.maxLength(1000)), []),
    interval_s: v.nullish(seconds, null),
    node_token: v.nullish(token, null),
  }),
});
export type SyncData = v.InferOutput<typeof SyncAnswer>["data"];

const count = v.fallback(v.nullish(v.number(), null), null);

/** Of the documented reference (section 1); read tolerantly, since only compared. */
export const NodeWire = v.object({
  id,
  hostname: text(253),
  status: v.fallback(text(64), ""),
  cluster_id: v.fallback(v.nullish(id, null), null),
  ip_address: v.fallback(v.nullish(text(64), null), null),
  cpu_cores: count,
  ram_gb: count,
  drives: v.fallback(
    v.array(
      v.object({
        device: text(64),
        size_gb: count,
        type: v.fallback(text(16), ""),
        smart_ok: v.fallback(v.nullish(v.boolean(), null), null),
      }),
    ),
    [],
  ),
});
export type NodeOnServer = v.InferOutput<typeof NodeWire>;

export const NodeListAnswer = v.object({
  data: v.pipe(v.array(v.unknown()), v.maxLength(100)),
  meta: v.fallback(v.object({ total: v.nullish(v.number(), null) }), { total: null }),
});
