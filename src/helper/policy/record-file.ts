/** The record of what the helper did as it stands in its file, and how its ages go on (why: limits.ts). Pure. */
import * as v from "valibot";
import { type WireError, wireErrorSchema } from "../link/request.ts";
import type { BootTime } from "./boot-time.ts";

const KEPT_MS = 30 * 86_400_000;

/** What an id came to. `begun` is all that is known after a crash between writing it down and the end. */
export type Outcome =
  | { readonly state: "begun" }
  | { readonly state: "done"; readonly result: unknown }
  | { readonly state: "failed"; readonly error: WireError };

const outcomeSchema = v.variant("state", [
  v.strictObject({ state: v.literal("begun") }),
  v.strictObject({ state: v.literal("done"), result: v.unknown() }),
  v.strictObject({ state: v.literal("failed"), error: wireErrorSchema }),
]);
const milliseconds = v.pipe(v.number(), v.finite(), v.minValue(0));
/** What a later version adds is kept as it is: it may be the one that runs next. */
export const recordSchema = v.looseObject({
  v: v.literal(1),
  boot_id: v.string(),
  uptime_ms: milliseconds,
  entries: v.array(
    v.looseObject({
      id: v.string(),
      word: v.string(),
      operation: v.string(),
      /** Who asked; older records lack it. */
      source: v.optional(v.string()),
      /** As of `uptime_ms`. */
      age_ms: milliseconds,
      /** Wall clock when it was begun; for people, nothing is decided by it. */
      begun_at: v.string(),
      outcome: outcomeSchema,
      /** Of operations that have several; older records and most entries have none. */
      steps: v.optional(v.array(v.string())),
    }),
  ),
});

export type RecordFile = v.InferOutput<typeof recordSchema>;

/** The record with its ages as of `now`; what is older than 30 days of being on is dropped. Pure. */
export function agedRecord(record: RecordFile, now: BootTime): RecordFile {
  const passed = record.boot_id === now.bootId ? Math.max(0, now.uptimeMs - record.uptime_ms) : now.uptimeMs;
  const entries = record.entries
    .map((entry) => ({ ...entry, age_ms: entry.age_ms + passed }))
    .filter((entry) => entry.age_ms < KEPT_MS);
  return { ...record, boot_id: now.bootId, uptime_ms: now.uptimeMs, entries };
}
