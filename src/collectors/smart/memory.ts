/**
 * What is remembered of drives over restarts: the last verdict that was one, and the newest self-test, so that
 * a change is told once, also when it came while the agent was off, and a sleeping drive keeps its alarm. It is
 * written only when one of them changes; the values themselves are in the daily history.
 */
import * as v from "valibot";
import type { SharedClaim } from "../drives/scan/keys.ts";
import { isSameSerial } from "../drives/scan/same-drive.ts";
import { sharedSchema } from "../drives/scan/shared-schema.ts";
import { seqSchema, usable, usableHistory, withNews } from "../told-once.ts";
import { reasonSchema } from "./reason-schema.ts";
import type { SmartDrive, SmartEvent, SmartLastVerdict } from "./schema.ts";

const MAX_DRIVES = 1_000;
const MAX_EVENTS = 20;

const text = v.pipe(v.string(), v.maxLength(512));
const definite = v.picklist(["ok", "warn", "fail"]);
const rememberedSchema = v.object({
  id: text,
  /** Not of versions before it was written down. */
  serial: v.optional(v.nullable(text)),
  severity: definite,
  reasons: v.array(reasonSchema),
  since: text,
  /** Of the newest self-tests; null: none seen. */
  tests: v.nullable(text),
});
const testSchema = v.object({
  kind: v.string(),
  passed: v.nullable(v.boolean()),
  text: v.string(),
  hours: v.nullable(v.number()),
});
const eventSchema = v.object({
  seq: seqSchema,
  at: text,
  what: v.picklist(["verdict", "self_test"]),
  id: text,
  device: text,
  serial: v.nullable(text),
  model: v.nullable(text),
  from: v.nullable(definite),
  to: v.nullable(definite),
  reasons: v.array(reasonSchema),
  test: v.nullable(testSchema),
});
const memorySchema = v.object({
  drives: v.array(v.unknown()),
  history: v.array(v.unknown()),
  shared: v.fallback(v.array(v.unknown()), []),
});

type Remembered = v.InferOutput<typeof rememberedSchema>;

export interface SmartMemory {
  readonly drives: readonly Remembered[];
  readonly history: readonly SmartEvent[];
  /** Keys that more than one drive claimed. */
  readonly shared: readonly SharedClaim[];
}

/** Of whatever was kept, what can still be used; a damaged entry costs only itself. */
export function parseSmartMemory(value: unknown): SmartMemory {
  const whole = v.safeParse(memorySchema, value);
  if (!whole.success) return { drives: [], history: [], shared: [] };
  return {
    drives: usable(whole.output.drives.slice(-MAX_DRIVES), rememberedSchema),
    history: usableHistory(whole.output.history.slice(-MAX_DRIVES), eventSchema),
    shared: usable(whole.output.shared.slice(0, MAX_DRIVES), sharedSchema),
  };
}

/** @param serial as far as it is known: another drive may have the place or the bridge by now */
export function lastVerdictOf(
  memory: SmartMemory,
  id: string,
  serial: string | null,
): SmartLastVerdict | null {
  const found = memory.drives.find((drive) => drive.id === id && isNoOther(drive, serial));
  return found === undefined
    ? null
    : { severity: found.severity, reasons: found.reasons, since: found.since };
}

/** Whether what was remembered may be of the drive that tells this serial number. */
function isNoOther({ serial: before = null }: Remembered, serial: string | null): boolean {
  return before === null || serial === null || isSameSerial(before, serial);
}

/**
 * What is to be remembered after this round. Pure.
 * @param now RFC 3339
 */
export function rememberSmart(
  before: SmartMemory,
  drives: readonly SmartDrive[],
  now: string,
  shared: readonly SharedClaim[] = before.shared,
): SmartMemory {
  const known = new Map(before.drives.map((drive) => [drive.id, drive]));
  const news: Omit<SmartEvent, "seq">[] = [];
  for (const drive of drives) {
    if (drive.state !== "answered") continue;
    const { severity, reasons, facts } = drive;
    if (severity === "unknown" || severity === "asleep") continue;
    const under = known.get(drive.id);
    const old = under !== undefined && isNoOther(under, drive.serial) ? under : undefined;
    const { id, device, serial, model } = drive;
    // In the schema's order: what comes back from the memory must be the same text.
    const about = (what: SmartEvent["what"]) => ({ at: now, what, id, device, serial, model });
    if (old === undefined ? severity !== "ok" : old.severity !== severity)
      news.push({ ...about("verdict"), from: old?.severity ?? null, to: severity, reasons, test: null });
    const tests = fingerprint(facts?.self_tests ?? []);
    const newest = facts?.self_tests[0];
    // The first look at a drive finds tests of years ago: no news.
    if (old !== undefined && tests !== null && tests !== old.tests && newest !== undefined)
      news.push({ ...about("self_test"), from: null, to: null, reasons: [], test: newest });
    known.set(id, {
      id,
      serial: serial ?? old?.serial ?? null,
      severity,
      reasons,
      since: old?.severity === severity ? old.since : now,
      tests: tests ?? old?.tests ?? null,
    });
  }
  return {
    drives: within(MAX_DRIVES, [...known.values()], new Set(drives.map(({ id }) => id))),
    history: withNews(before.history, news, MAX_EVENTS),
    shared,
  };
}

/** Those that are gone fall out first. */
function within(most: number, all: Remembered[], present: ReadonlySet<string>): Remembered[] {
  return all.length <= most ? all : all.filter(({ id }) => present.has(id)).slice(-most);
}

/** The newest few: the same test done twice within an hour moves the ones behind it. */
function fingerprint(tests: readonly v.InferOutput<typeof testSchema>[]): string | null {
  if (tests.length === 0) return null;
  return tests
    .slice(0, 3)
    .map(({ kind, passed, hours }) => `${kind.slice(0, 40)} ${passed} ${hours}`)
    .join(";");
}
