/**
 * Growth, told from one sample a day for 90 days: a counter that stands still for years is scar tissue, one
 * that moves is a wound. Pure; where the samples are kept is the caller's matter.
 */
import type { SmartFacts, SmartSample } from "../../model/smart.ts";
import { sampleOf } from "./verdict/counts.ts";

/** Defects: a month, so that a drive that loses a sector a week stays noticed. */
const DEFECT_DAYS = 30;
/** Cable and time-outs: a week, so that it is quiet soon after the cable was changed. */
const TRANSPORT_DAYS = 7;

const DAY_MS = 86_400_000;

/** How much each counter rose; null: no earlier sample to compare with. */
export interface SmartTrend {
  /** Oldest day compared with, `2026-11-21`. */
  readonly since: string | null;
  /** Within 30 days. */
  readonly reallocated: number | null;
  readonly pending: number | null;
  readonly uncorrectable: number | null;
  readonly reported_uncorrectable: number | null;
  readonly media_errors: number | null;
  readonly grown_defects: number | null;
  readonly pending_defects: number | null;
  /** How far it fell, per cent. */
  readonly helium_lost: number | null;
  readonly wear_percent: number | null;
  /** Within 7 days. */
  readonly command_timeouts: number | null;
  readonly crc_errors: number | null;
}

type Counter = Exclude<keyof SmartTrend, "since" | "helium_lost">;

export const NO_TREND: SmartTrend = {
  since: null,
  reallocated: null,
  pending: null,
  uncorrectable: null,
  reported_uncorrectable: null,
  media_errors: null,
  grown_defects: null,
  pending_defects: null,
  helium_lost: null,
  wear_percent: null,
  command_timeouts: null,
  crc_errors: null,
};

/** The UTC day of a wall-clock time in milliseconds. */
export function dayOf(now: number): string {
  return new Date(now).toISOString().slice(0, 10);
}

/** The first day that is still kept, or that counts for a window of `days` days before `day`. */
export function daysBefore(day: string, days: number): string {
  return dayOf(Date.parse(day) - days * DAY_MS);
}

/**
 * What rose from the kept samples to the facts of today. Only rises count, summed up step by step: a counter
 * that wraps, or is set back by new firmware, is no growth and does not hide the one before it.
 * @param samples of this drive, oldest first; later ones than `day` (the clock was wrong) are left out
 */
export function trendOf(samples: readonly SmartSample[], facts: SmartFacts, day: string): SmartTrend {
  const past = samples.filter((sample) => sample.day < day && sample.day >= daysBefore(day, DEFECT_DAYS));
  const recent = past.filter((sample) => sample.day >= daysBefore(day, TRANSPORT_DAYS));
  const sameDay = samples.filter((sample) => sample.day === day);
  const now = sampleOf(facts, day);
  const rise = (counter: Counter, before: readonly SmartSample[]): number | null =>
    riseOf([...before, ...sameDay, now].map((sample) => sample[counter]));
  return {
    since: past[0]?.day ?? sameDay[0]?.day ?? null,
    reallocated: rise("reallocated", past),
    pending: rise("pending", past),
    uncorrectable: rise("uncorrectable", past),
    reported_uncorrectable: rise("reported_uncorrectable", past),
    media_errors: rise("media_errors", past),
    grown_defects: rise("grown_defects", past),
    pending_defects: rise("pending_defects", past),
    helium_lost: fallOf([...past, ...sameDay, now].map((sample) => sample.helium_percent)),
    wear_percent: rise("wear_percent", past),
    command_timeouts: rise("command_timeouts", recent),
    crc_errors: rise("crc_errors", recent),
  };
}

function riseOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value): value is number => value !== null);
  if (known.length < 2 || values.at(-1) === null) return null;
  let risen = 0;
  for (const [index, value] of known.entries()) risen += Math.max(0, value - (known[index - 1] ?? value));
  return risen;
}

/** From the highest to the last. */
function fallOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value): value is number => value !== null);
  const last = values.at(-1) ?? null;
  return known.length < 2 || last === null ? null : Math.max(...known) - last;
}
