/**
 * The few counters of a drive that tell of its health, out of the attributes where a vendor may have packed
 * other things into the same 48 bits. null: the drive does not count it, or says nothing usable.
 */
import type { SmartAttribute, SmartFacts, SmartSample } from "../../../model/smart.ts";

export interface SmartCounts {
  /** 5 */
  readonly reallocated: number | null;
  /** 10 */
  readonly spin_retries: number | null;
  /** 184 */
  readonly end_to_end_errors: number | null;
  /** 187 */
  readonly reported_uncorrectable: number | null;
  /** 197 */
  readonly pending: number | null;
  /** 198 */
  readonly uncorrectable: number | null;
  /** 199 */
  readonly crc_errors: number | null;
}

/** Never set: all ones in 32 or 48 bits. */
const NEVER_SET = new Set([0xffff_ffff, 0xffff_ffff_ffff]);

/** Pure. */
export function countsOf(facts: SmartFacts): SmartCounts {
  const of = (id: number): number | null => countOf(facts.attributes.find((row) => row.id === id));
  return {
    reallocated: of(5),
    spin_retries: of(10),
    end_to_end_errors: of(184),
    reported_uncorrectable: of(187),
    pending: of(197),
    uncorrectable: of(198),
    crc_errors: of(199),
  };
}

/**
 * A raw value that fits into one word is the count. Beyond that smartctl's own reading counts, which knows of
 * many vendors' packings: `0 (2000 0)` is 0.
 */
export function countOf(attribute: SmartAttribute | undefined): number | null {
  const raw = attribute?.raw ?? null;
  if (attribute === undefined || raw === null || NEVER_SET.has(raw)) return null;
  if (raw <= 0xffff) return raw;
  const read = /^(\d{1,15})(?: |$)/.exec(attribute.raw_text ?? "")?.[1];
  const value = read === undefined ? raw : Number(read);
  return NEVER_SET.has(value) || value > 0xffff_ffff ? null : value;
}

/** SCSI: reads, writes and verifications that could not be corrected. */
export function uncorrectedOf(facts: SmartFacts): number | null {
  const { read_uncorrected, write_uncorrected, verify_uncorrected } = facts.scsi ?? {};
  const known = [read_uncorrected, write_uncorrected, verify_uncorrected].filter(
    (value): value is number => typeof value === "number",
  );
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}

/** @param day `2026-11-21`, UTC */
export function sampleOf(facts: SmartFacts, day: string): SmartSample {
  const counts = countsOf(facts);
  return {
    day,
    reallocated: counts.reallocated,
    pending: counts.pending,
    uncorrectable: counts.uncorrectable,
    reported_uncorrectable: counts.reported_uncorrectable,
    command_timeouts: facts.command_timeouts,
    crc_errors: counts.crc_errors,
    media_errors: facts.nvme?.media_errors ?? null,
    grown_defects: facts.scsi?.grown_defects ?? null,
    wear_percent: facts.wear_percent,
    power_on_hours: facts.power_on_hours,
    temperature_c: facts.temperature_c,
  };
}
