/**
 * Numbers, times and tables as people read them. Pure: what is printed depends on the arguments only.
 * Every text from outside (a drive's model, an interface's name) passes `printable` on its way to a
 * terminal, and what a colour says is said by a word too.
 */
import type { Severity } from "../../model/condition.ts";
import { printable } from "../../model/text/scrub.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * "3 min ago", "in 2 h", "now"; a date from 60 days on, "never" for null.
 * @param at and @param now milliseconds since the epoch
 * @param moment what stands for less than a second: "just now" where a sentence goes on with it
 */
export function relativeTime(at: number | null, now: number, moment = "now"): string {
  if (at === null || !Number.isFinite(at)) return "never";
  const distance = Math.abs(now - at);
  if (distance < SECOND) return moment;
  if (distance >= 60 * DAY) return new Date(at).toISOString().slice(0, 10);
  return at <= now ? `${roughly(distance)} ago` : `in ${roughly(distance)}`;
}

/**
 * How long something holds already: "for 47 s", "just now", "since 2026-09-21" from 60 days on; "" for null.
 * @param at and @param now milliseconds since the epoch
 */
export function heldFor(at: number | null, now: number): string {
  if (at === null || !Number.isFinite(at)) return "";
  const distance = now - at;
  if (distance < SECOND) return "just now";
  return distance >= 60 * DAY
    ? `since ${new Date(at).toISOString().slice(0, 10)}`
    : `for ${roughly(distance)}`;
}

function roughly(ms: number): string {
  if (ms < 90 * SECOND) return `${Math.floor(ms / SECOND)} s`;
  if (ms < 90 * MINUTE) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < 36 * HOUR) return `${Math.floor(ms / HOUR)} h`;
  return `${Math.floor(ms / DAY)} d`;
}

/** A length of time with its two largest units: "850 ms", "< 1 ms", "12 s", "3 min 20 s", "2 h 5 min", "3 d 4 h". */
export function duration(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms) || ms < 0) return "-";
  if (ms > 0 && ms < 1) return "< 1 ms";
  if (Math.round(ms) < SECOND) return `${Math.round(ms)} ms`;
  const steps = [
    [DAY, "d", HOUR, "h"],
    [HOUR, "h", MINUTE, "min"],
    [MINUTE, "min", SECOND, "s"],
  ] as const;
  for (const [large, largeUnit, small, smallUnit] of steps) {
    if (ms < large) continue;
    const rest = Math.floor((ms % large) / small);
    return `${Math.floor(ms / large)} ${largeUnit}${rest === 0 ? "" : ` ${rest} ${smallUnit}`}`;
  }
  return ms < 10 * SECOND
    ? `${Math.max(1, Math.floor(ms / 100) / 10).toFixed(1)} s`
    : `${Math.floor(ms / SECOND)} s`;
}

/** Decimal, as drives are sold: "4.0 TB", "480 GB", "7.9 GB". */
export function driveSize(bytes: number | null): string {
  return scaled(bytes, 1000, ["B", "kB", "MB", "GB", "TB", "PB", "EB"], 4);
}

/** Binary, as memory is counted: "15.6 GiB", "512 MiB". */
export function memorySize(count: number | null): string {
  return scaled(count, 1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"], 3);
}

/** An amount of data sent, stored or spooled, in the units of our own budgets: "1.9 KiB", "3.0 MiB". */
export function bytes(count: number | null): string {
  return memorySize(count);
}

/** Of a link, from megabits a second as the kernel says it: "10 Gbit/s", "100 Mbit/s", "2.5 Gbit/s". */
export function linkSpeed(megabits: number | null): string {
  if (megabits === null || !Number.isFinite(megabits) || megabits <= 0) return "-";
  return megabits < 1000 ? `${megabits} Mbit/s` : `${Number((megabits / 1000).toFixed(1))} Gbit/s`;
}

/** One decimal below 10, and always from the unit at `preciseFrom` on. */
function scaled(value: number | null, base: number, units: readonly string[], preciseFrom: number): string {
  if (value === null || !Number.isFinite(value) || value < 0) return "-";
  let unit = 0;
  let rest = value;
  // 999.96 would print as 1000.0: rounding comes before the choice of unit.
  while (unit < units.length - 1 && Number(rest.toFixed(1)) >= base) {
    rest /= base;
    unit++;
  }
  const precise = unit > 0 && (unit >= preciseFrom || rest < 9.95);
  const number = precise ? rest.toFixed(1) : String(Math.round(rest));
  return `${number} ${units[unit]}`;
}

/** A share of 1: "0.4 %", "12 %". Never "100 %" or "0 %" for what is only nearly so. */
export function percent(share: number | null): string {
  if (share === null || !Number.isFinite(share)) return "-";
  const value = share * 100;
  if (value > 99.9 && value < 100) return "99.9 %";
  if (value > 0 && value < 0.1) return "< 0.1 %";
  const precise = (value > 0 && value < 9.95) || (value >= 99.5 && value < 100);
  return `${precise ? value.toFixed(1) : Math.round(value)} %`;
}

export type Color = "red" | "yellow" | "green" | "dim" | "bold";

const CODES: Readonly<Record<Color, number>> = { red: 31, yellow: 33, green: 32, dim: 2, bold: 1 };

/** `text`, made printable, in a colour where `on` (Io.color). */
export function paint(text: string, color: Color, on: boolean): string {
  const plain = printable(text);
  return on ? `\u001b[${CODES[color]}m${plain}\u001b[0m` : plain;
}

/** The word for a severity and its colour. */
export function severityWord(severity: Severity): { text: string; color: Color } {
  if (severity === "error") return { text: "error", color: "red" };
  return severity === "warning" ? { text: "warning", color: "yellow" } : { text: "note", color: "dim" };
}

const BARS = "▁▂▃▄▅▆▇█";

/**
 * A line of bars, one a value, null as a gap. Scaled between the smallest and largest, or `range` given
 * (a temperature that wavers by one degree is no mountain).
 */
export function sparkline(
  values: readonly (number | null)[],
  range: { readonly min?: number; readonly max?: number } = {},
): string {
  const known = values.filter((value): value is number => value !== null && Number.isFinite(value));
  if (known.length === 0) return " ".repeat(values.length);
  const min = Math.min(range.min ?? Number.POSITIVE_INFINITY, ...known);
  const max = Math.max(range.max ?? Number.NEGATIVE_INFINITY, ...known);
  return values
    .map((value) => {
      if (value === null || !Number.isFinite(value)) return " ";
      const share = max === min ? 0 : (value - min) / (max - min);
      return BARS[Math.min(BARS.length - 1, Math.floor(share * BARS.length))];
    })
    .join("");
}
