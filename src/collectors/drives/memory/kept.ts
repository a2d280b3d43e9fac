/**
 * What the collector keeps over restarts: every drive with what was on it, the last comings and goings, and who has
 * which key. Whatever stands in a memory, what of it can be used is.
 */
import * as v from "valibot";
import { seqSchema, usable, usableHistory } from "../../told-once.ts";
import type { DriveKeys, SharedClaim } from "../scan/keys.ts";
import { sharedSchema } from "../scan/shared-schema.ts";
import type { HistoryEntry } from "../schema.ts";

export const MAX_DRIVES = 2_000;
export const MAX_HISTORY = 20;

const text = v.pipe(v.string(), v.maxLength(512));
// A damaged fact costs only itself: what matters is that the drive is missed.
const fact = v.fallback(v.nullable(text), null);
const knownSchema = v.object({
  id: text,
  serial: v.nullable(text),
  model: fact,
  last_name: text,
  enclosure: fact,
  slot: fact,
  size_bytes: v.fallback(v.nullable(v.number()), null),
  carried: v.fallback(v.nullable(text), null),
});
const rememberedSchema = v.object({
  ...knownSchema.entries,
  since: v.fallback(v.nullable(text), null),
  stays: v.fallback(v.boolean(), true),
});
const historySchema = v.object({
  seq: seqSchema,
  at: text,
  what: v.picklist(["missing", "added", "returned", "replaced", "moved"]),
  ...knownSchema.entries,
  replaced_by: fact,
  from_enclosure: fact,
  from_slot: fact,
});
const memorySchema = v.object({
  drives: v.array(v.unknown()),
  history: v.array(v.unknown()),
  shared: v.optional(v.array(v.unknown())),
});

export type Known = v.InferOutput<typeof knownSchema>;
export type Remembered = v.InferOutput<typeof rememberedSchema>;

export interface DriveMemory {
  readonly drives: readonly Remembered[];
  readonly history: readonly HistoryEntry[];
  /** Keys that more than one drive claimed; left out while there are none. */
  readonly shared?: readonly SharedClaim[];
  /** Kept by a version that remembered no drive on a port that may be plugged; never kept itself. */
  readonly fixedOnly?: true;
}

/** Of whatever was kept, what can still be used; a damaged entry costs only itself. null: nothing was kept. */
export function parseDriveMemory(value: unknown): DriveMemory | null {
  const whole = v.safeParse(memorySchema, value);
  if (!whole.success) return null;
  const isOlder = !whole.output.drives.some(
    (drive) => typeof drive === "object" && drive !== null && "stays" in drive,
  );
  return {
    ...(isOlder ? { fixedOnly: true } : {}),
    drives: usable(whole.output.drives.slice(0, MAX_DRIVES), rememberedSchema),
    history: usableHistory(whole.output.history.slice(-MAX_HISTORY), historySchema),
    ...(whole.output.shared === undefined
      ? {}
      : { shared: usable(whole.output.shared.slice(0, MAX_DRIVES), sharedSchema) }),
  };
}

/** Who had which key before the start. */
export function learnKeys(keys: DriveKeys, memory: DriveMemory | null): void {
  const known = (memory?.drives ?? []).map(({ id, serial, model, size_bytes }) => ({
    id,
    wwn: null,
    serial,
    model,
    sizeBytes: size_bytes,
  }));
  keys.learn(known, memory?.shared ?? []);
}

/** What of the keys is to be kept. */
export function sharedOf(keys: DriveKeys): Pick<DriveMemory, "shared"> {
  const shared = keys.shared();
  return shared.length === 0 ? {} : { shared };
}
