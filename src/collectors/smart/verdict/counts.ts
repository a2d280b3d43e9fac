/**
 * The few counters of a drive that tell of its health, out of the attributes where a vendor may have packed
 * other things into the same 48 bits. null: the drive does not count it, or says nothing usable.
 */
import { type AttributeKind, compactName, kindOf, rowOf } from "../../../helper/smart/attributes/kinds.ts";
import type { SmartAttribute, SmartFacts, SmartSample } from "../../../model/smart.ts";

/** By what the rows are named after; the number is where it stands as a rule. */
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
  /** 22, per cent */
  readonly helium_percent: number | null;
}

/** Never set: all ones in 32 or 48 bits. */
const NEVER_SET = new Set([0xffff_ffff, 0xffff_ffff_ffff]);

/**
 * Counters that count something else than they say: on Crucial's MX300 and MX500, and drives with the same firmware,
 * the sectors that wait flip between 0 and 1 (smartmontools, ticket 1227; drivedb.h, Current_Pending_ECC_Cnt).
 */
const FLIPS = { name: /^currentpendingecc/, model: /\bCT\d+MX[35]00|\bMX[35]00\b|\bMicron_1100/i, most: 1 };

/** Pure. */
export function countsOf(facts: SmartFacts): SmartCounts {
  const { attributes } = facts;
  const of = (kind: AttributeKind, usual: number): number | null => countOf(rowOf(attributes, kind, usual));
  return {
    // What a flash drive calls bad blocks at this number it has replaced.
    reallocated:
      of("reallocated", 5) ?? countOf(attributes.find((row) => row.id === 5 && kindOf(row) === "bad_blocks")),
    spin_retries: of("spin_retries", 10),
    end_to_end_errors: of("end_to_end", 184),
    reported_uncorrectable: of("reported_uncorrectable", 187),
    pending: pendingOf(facts),
    uncorrectable: of("uncorrectable", 198),
    crc_errors: of("crc", 199),
    helium_percent: heliumOf(attributes),
  };
}

function pendingOf({ attributes, model }: SmartFacts): number | null {
  const row = rowOf(attributes, "pending", 197);
  const count = countOf(row);
  if (row === undefined || count === null || count > FLIPS.most) return count;
  return FLIPS.name.test(compactName(row.name)) || FLIPS.model.test(model ?? "") ? 0 : count;
}

/** Toshiba's two conditions of the helium are no percentages, and have thresholds. The lower one of the value and of the raw number's low word, where both can be per cent. */
function heliumOf(attributes: readonly SmartAttribute[]): number | null {
  const row = rowOf(attributes, "helium_level", 22);
  if (row === undefined) return null;
  const raw = row.raw === null ? null : row.raw % 0x1_0000;
  const told = [row.value, raw].filter(
    (value): value is number => value !== null && value > 0 && value <= 100,
  );
  return told.length === 0 ? null : Math.min(...told);
}

/**
 * A raw value that fits into one word is the count. Beyond that smartctl's own reading counts, which knows of
 * many vendors' packings: `0 (2000 0)` and `0/149299` are 0.
 */
export function countOf(attribute: SmartAttribute | undefined): number | null {
  const raw = attribute?.raw ?? null;
  if (attribute === undefined || raw === null || NEVER_SET.has(raw)) return null;
  if (raw <= 0xffff) return raw;
  const read = /^(\d{1,15})(?:[ /]|$)/.exec(attribute.raw_text ?? "")?.[1];
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
    pending_defects: facts.scsi?.pending_defects ?? null,
    helium_percent: counts.helium_percent,
    wear_percent: facts.wear_percent,
    power_on_hours: facts.power_on_hours,
    temperature_c: facts.temperature_c,
  };
}
