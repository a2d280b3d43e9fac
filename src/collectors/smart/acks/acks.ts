/**
 * What a person has said to be known and accepted of a drive: for each reason of a warning the counter as it was on
 * that day. It covers the reason as long as the counter has not grown; a failing drive is never covered. Pure.
 */
import type { SmartFacts, SmartReason, SmartSample, SmartVerdict } from "../../../model/smart.ts";
import type { SmartDrive, SmartLastVerdict } from "../schema.ts";
import { countsOf, sampleOf, uncorrectedOf } from "../verdict/counts.ts";
import { failedTest } from "../verdict/failed-test.ts";

/** One reason, and how far it had come. */
export interface AckReason {
  /** Of the reason; two that count the same thing have one (`FAMILY`). */
  readonly code: string;
  /** Id of the ATA attribute it is about. */
  readonly attribute: number | null;
  /** Its counter; more than this is news. null: it counts nothing, and is accepted as it is. */
  readonly value: number | null;
}

export interface Ack {
  /** Serial number; of drives that share one, and those without one, the key of the section `drives`. */
  readonly drive: string;
  readonly by: string;
  /** RFC 3339. */
  readonly at: string;
  readonly note: string | null;
  readonly reasons: readonly AckReason[];
}

/** Reasons that look at one counter: which of them is given depends on how fast it rose. */
const FAMILY: Readonly<Record<string, string>> = {
  reallocated_growing: "reallocated_sectors",
  worn_out: "wear_high",
  helium_falling: "helium_low",
};

/** Gaps beside a verdict (verdict/gaps.ts): none of them makes a warning, so there is nothing in them to accept. */
const GAPS: ReadonlySet<string> = new Set([
  "log_unreadable",
  "smart_disabled",
  "no_own_verdict",
  "wear_unclear",
]);

/** Those that a warning is made of. */
export function warningReasons(reasons: readonly SmartReason[]): SmartReason[] {
  return reasons.filter(({ code }) => !GAPS.has(code));
}

/** Counters that only rise while the drive is the same and its firmware does not set them back. */
const RISING: Readonly<Record<string, (facts: SmartFacts, counts: SmartSample) => number | null>> = {
  reallocated_sectors: (_, { reallocated }) => reallocated,
  reported_uncorrectable: (_, { reported_uncorrectable: count }) => count,
  media_errors: ({ nvme }) => nvme?.media_errors ?? null,
  grown_defects: ({ scsi }) => scsi?.grown_defects ?? null,
  uncorrected_errors: (facts) => uncorrectedOf(facts),
  // The reasons count what rose within a week; accepted is all there was.
  check_cable: (_, { crc_errors }) => crc_errors,
  command_timeouts_growing: ({ command_timeouts }) => command_timeouts,
  wear_high: ({ wear_percent, nvme }) => wear_percent ?? nvme?.percentage_used ?? null,
  helium_low: (facts) => heliumLost(facts),
  hot: ({ temperature_c }) => temperature_c,
  self_test_failed: ({ self_tests }) => failedTest(self_tests)?.test.hours ?? null,
};

/** Not a counter that is set back: what is lower now was as high before. */
const NEVER_LOWERED: ReadonlySet<string> = new Set(["hot", "self_test_failed"]);

/** °C that a drive which is accepted as hot may be hotter: the weather, and not a fan that has stopped. */
const WARMER = 4;

/** Normalised values fall from 253 where things get worse. */
const WORST_OF_ATTRIBUTE = 256;

/** What is left falls where things get worse. */
function heliumLost(facts: SmartFacts): number | null {
  const { helium_percent: left } = countsOf(facts);
  return left === null ? null : 100 - left;
}

export function familyOf(code: string): string {
  return FAMILY[code] ?? code;
}

/** How far a reason has come; null: it counts nothing, or what it counts is not known now. */
function amountOf({ code, params = {} }: SmartReason, facts: SmartFacts | null): number | null {
  const rising = facts === null ? null : (risingOf(familyOf(code), facts) ?? null);
  if (rising !== null) return rising;
  if (params.count !== undefined) return params.count;
  const row = facts?.attributes.find(({ id }) => id === params.attribute);
  return row?.worst == null ? null : WORST_OF_ATTRIBUTE - row.worst;
}

function risingOf(family: string, facts: SmartFacts): number | null {
  const read = Object.hasOwn(RISING, family) ? RISING[family] : undefined;
  return read?.(facts, sampleOf(facts, "")) ?? null;
}

/** Today's reasons as accepted ones. */
export function ackReasons(reasons: readonly SmartReason[], facts: SmartFacts): AckReason[] {
  return reasons.map((reason) => ({
    code: familyOf(reason.code),
    attribute: reason.params?.attribute ?? null,
    value: amountOf(reason, facts),
  }));
}

/** The old ones and the new ones, each reason once: what was accepted last counts. */
export function joinedReasons(before: readonly AckReason[], now: readonly AckReason[]): AckReason[] {
  return [...before.filter((old) => !now.some((one) => isSame(old, one))), ...now];
}

/**
 * The verdict with what is accepted in it: reasons that are covered are marked and stand last, and a warning of
 * nothing else is none. Failing, not known and asleep stay what they are. What was marked before is judged anew.
 * @param facts null: not known now; then what the reason itself counts is compared
 */
export function acknowledged(verdict: SmartVerdict, facts: SmartFacts | null, ack: Ack | null): SmartVerdict {
  const plain = unmarked(verdict);
  if (ack === null || plain.severity !== "warn") return plain;
  const warned = warningReasons(plain.reasons);
  const marked = warned.filter((reason) => ack.reasons.some((one) => covers(one, reason, facts)));
  const open = warned.filter((reason) => !marked.includes(reason));
  const gaps = plain.reasons.filter((reason) => !warned.includes(reason));
  return {
    ...plain,
    severity: open.length === 0 ? "ok" : "warn",
    reasons: [...open, ...gaps, ...marked.map((reason) => ({ ...reason, acknowledged: true }))],
  };
}

/** The verdict that stands, as if nothing of it were accepted. */
export function unaccepted({ severity, reasons, last_verdict, smart_ok }: SmartDrive): SmartVerdict | null {
  const own = severity !== "unknown" && severity !== "asleep";
  if (!own && last_verdict === null) return null;
  const standing = own ? { severity, reasons } : (last_verdict as SmartLastVerdict);
  return acknowledged({ smart_ok, ...standing }, null, null);
}

/** As if nothing were accepted. */
function unmarked(verdict: SmartVerdict): SmartVerdict {
  if (!verdict.reasons.some((reason) => reason.acknowledged === true)) return verdict;
  return {
    ...verdict,
    severity: verdict.severity === "ok" ? "warn" : verdict.severity,
    reasons: verdict.reasons.map(({ acknowledged: _, ...reason }) => reason),
  };
}

function covers(ack: AckReason, reason: SmartReason, facts: SmartFacts | null): boolean {
  if (ack.code !== familyOf(reason.code) || ack.attribute !== (reason.params?.attribute ?? null))
    return false;
  const value = amountOf(reason, facts);
  // Hours of a self-test name it, and ATA has 16 bits of them: one after the wrap is a new one too.
  if (ack.code === "self_test_failed" && value !== null && ack.value !== null) return value === ack.value;
  if (ack.code === "hot" && ack.value !== null) return value === null || value <= ack.value + WARMER;
  // A rule that counts by now what it did not count then says something new.
  return ack.value === null ? value === null : value === null || value <= ack.value;
}

/**
 * What is still accepted when the counters were set back: new firmware, or another drive with this serial number.
 * What they count from there on is new. @returns the very same object where nothing is lower
 */
export function lowered(ack: Ack, facts: SmartFacts): Ack {
  const reasons = ack.reasons.map((one): AckReason => {
    const now = risingOf(one.code, facts);
    return one.value === null || now === null || now >= one.value || NEVER_LOWERED.has(one.code)
      ? one
      : { ...one, value: now };
  });
  return reasons.every((one, index) => one === ack.reasons[index]) ? ack : { ...ack, reasons };
}

function isSame(a: AckReason, b: AckReason): boolean {
  return a.code === b.code && a.attribute === b.attribute;
}
