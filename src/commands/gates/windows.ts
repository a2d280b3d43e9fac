/**
 * Maintenance windows: "mon-fri 22:00-06:00", "sat,sun 00:00-24:00", "daily 02:00-04:00".
 *
 * A window is open while the clock on the wall of the node's time zone is inside it, so what happens when clocks
 * change follows by itself: an hour that is skipped is in no window, an hour that comes twice is in it twice.
 * Zones are ICU's work, which costs memory: it is first touched when a window is looked at.
 */
import { AgentError } from "../../model/errors.ts";

const DAYS = "Sun Mon Tue Wed Thu Fri Sat".split(" ");
const DAY_NAMES = DAYS.map((day) => day.toLowerCase());
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** A week and the change of a clock. */
const HORIZON = 9 * DAY;
const MAX_TEXT = 100;

/** One window; it belongs to the day on which it begins. */
export interface Window {
  /** By day of the week, Sunday first. */
  readonly days: readonly boolean[];
  /** Minutes of the day. `to` is at most 1440; less than `from`: on the next day. */
  readonly from: number;
  readonly to: number;
}

export const WINDOW_EXPECTED =
  'windows such as "mon-fri 22:00-06:00", "sat,sun 00:00-24:00" or "daily 02:00-04:00"';

/** @throws AgentError `window_invalid` with what is wrong and what is expected */
export function parseWindow(text: string): Window {
  const [days = "", times = "", ...more] = text
    .slice(0, MAX_TEXT + 1)
    .trim()
    .toLowerCase()
    .split(/\s+/);
  if (text.length > MAX_TEXT || more.length > 0 || times === "") throw invalid("days, a space and hours");
  const hours = /^(\d{2}):(\d{2})-(\d{2}):(\d{2})$/.exec(times);
  if (!hours) throw invalid("hours as HH:MM-HH:MM");
  const [from, to] = [minutes(hours[1], hours[2]), minutes(hours[3], hours[4])];
  if (from === null || from === 24 * 60 || to === null) throw invalid("hours from 00:00 to 24:00");
  if (from === to) throw invalid("an end that is not the beginning; the whole day is 00:00-24:00");
  return { days: parseDays(days), from, to };
}

/** @throws AgentError `window_invalid` for the first that is wrong */
export function parseWindows(texts: readonly string[]): Window[] {
  return texts.map(parseWindow);
}

/** Whether `parseWindow` takes it. */
export function isWindow(text: string): boolean {
  try {
    parseWindow(text);
    return true;
  } catch (error) {
    if (error instanceof AgentError) return false;
    throw error;
  }
}

function parseDays(text: string): boolean[] {
  const days = DAY_NAMES.map(() => text === "daily");
  if (text === "daily") return days;
  for (const part of text.split(",")) {
    const [first, last = first, ...more] = part.split("-").map((name) => DAY_NAMES.indexOf(name));
    if (first === undefined || last === undefined || first < 0 || last < 0 || more.length > 0)
      throw invalid("days as daily, sat,sun or mon-fri (sun mon tue wed thu fri sat)");
    for (let day = first; ; day = (day + 1) % 7) {
      days[day] = true;
      if (day === last) break;
    }
  }
  return days;
}

function minutes(hour: string | undefined, minute: string | undefined): number | null {
  const [h, m] = [Number(hour), Number(minute)];
  return m > 59 || h > 24 || (h === 24 && m > 0) ? null : h * 60 + m;
}

function invalid(expected: string): AgentError {
  return new AgentError(
    "window_invalid",
    `a maintenance window is not as expected: ${expected}`,
    'write for example: windows = ["mon-fri 22:00-06:00"]',
  );
}

/** The zone of `null`: the host's own. @throws AgentError `time_zone_unknown` */
export function openZone(timeZone: string | null): Zone {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", {
      ...(timeZone === null ? {} : { timeZone }),
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new AgentError(
      "time_zone_unknown",
      `the time zone ${timeZone} is not known`,
      'write for example: time_zone = "Europe/Berlin"',
    );
  }
  return {
    name: timeZone ?? format.resolvedOptions().timeZone,
    offset: (at) => {
      const field: Record<string, number> = {};
      for (const { type, value } of format.formatToParts(at)) field[type] = Number(value);
      const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = field;
      return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000;
    },
  };
}

export interface Zone {
  readonly name: string;
  /** Milliseconds by which the wall's clock is ahead of UTC at this moment, milliseconds since the epoch. */
  offset(at: number): number;
}

/** "Sat 22:00 in Europe/Berlin": the hour as the window names it, beside a time in UTC. */
export function localTime(zone: Zone, at: number): string {
  const local = new Date(at + zone.offset(at));
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${DAYS[local.getUTCDay()]} ${two(local.getUTCHours())}:${two(local.getUTCMinutes())} in ${zone.name}`;
}

/**
 * Whether one of the windows is open at a moment, and when that changes next.
 * @param at milliseconds since the epoch
 * @returns `changesAt`, milliseconds since the epoch; null: not within nine days (always open, or never)
 */
export function windowAt(
  windows: readonly Window[],
  zone: Zone,
  at: number,
): { readonly open: boolean; readonly changesAt: number | null } {
  // Only at these minutes of a day anything can change, and where the zone's offset does.
  const bounds = [...new Set([...windows.flatMap(({ from, to }) => [from, to]), 24 * 60])]
    .map((minute) => minute * MINUTE)
    .sort((a, b) => a - b);
  let now = at;
  let offset = zone.offset(now);
  const open = isOpen(windows, now + offset);
  while (now < at + HORIZON) {
    const ofDay = modulo(now + offset, DAY);
    const bound = bounds.find((candidate) => candidate > ofDay) ?? DAY;
    let next = now + bound - ofDay;
    let nextOffset = zone.offset(next);
    if (nextOffset !== offset) {
      next = clockChange(zone, now, next, offset);
      nextOffset = zone.offset(next);
    }
    if (isOpen(windows, next + nextOffset) !== open) return { open, changesAt: next };
    [now, offset] = [next, nextOffset];
  }
  return { open, changesAt: null };
}

/** The first moment after `from`, at most `to`, at which the offset is another than before; by halving. */
function clockChange(zone: Zone, from: number, to: number, before: number): number {
  let [same, other] = [from, to];
  while (other - same > 1) {
    const middle = Math.floor((same + other) / 2);
    if (zone.offset(middle) === before) same = middle;
    else other = middle;
  }
  return other;
}

/** @param local what the wall's clock shows, as if it were UTC */
function isOpen(windows: readonly Window[], local: number): boolean {
  const minute = Math.floor(modulo(local, DAY) / MINUTE);
  const today = modulo(Math.floor(local / DAY) + 4, 7); // 1 January 1970 was a Thursday
  return windows.some(({ days, from, to }) => {
    if (from < to) return days[today] === true && minute >= from && minute < to;
    return (days[today] === true && minute >= from) || (days[modulo(today - 1, 7)] === true && minute < to);
  });
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
