/**
 * The system event log: `ipmitool sel info` and `ipmitool -c sel elist`. Record ids are hexadecimal and not
 * always rising (they start anew after a clear and may wrap), so what is new is found by place in the list.
 */
import * as v from "valibot";
import { cleanValue, countOf, fieldOf, linesOf, parseFields } from "./text.ts";

const text = v.pipe(v.string(), v.maxLength(128));

export const selRecordSchema = v.object({
  id: v.number(),
  /** RFC 3339 by the BMC's own clock, taken as UTC; null: it had not been set. */
  at: v.nullable(text),
  /** Seconds since the BMC started, of an entry made before its clock was set. */
  uptime_s: v.nullable(v.number()),
  /** Type and name: `Power Supply PS1 Status`; with `#0x30` where the name is not known. */
  sensor: v.nullable(text),
  event: v.nullable(text),
  /** null: a record of the vendor's own form, which has no direction. */
  asserted: v.nullable(v.boolean()),
  /** `Reading 95 > Threshold 90 degrees C`. */
  detail: v.nullable(text),
});

export type SelRecord = v.InferOutput<typeof selRecordSchema>;

/** What tells a record again. */
export const selMarkSchema = v.strictObject({
  id: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffff)),
  at: v.nullable(text),
  uptime_s: v.nullable(v.number()),
});
export type SelMark = v.InferOutput<typeof selMarkSchema>;

export interface SelInfo {
  readonly entries: number | null;
  readonly percentUsed: number | null;
  readonly overflow: boolean | null;
  /** Entries and the times of the last addition and deletion: when it is the same, so is the log. */
  readonly state: string;
}

/** Null when it is no `sel info` at all. */
export function parseSelInfo(stdout: string): SelInfo | null {
  const fields = parseFields(stdout);
  const entries = countOf(fieldOf(fields, "Entries"));
  const used = /^(\d{1,3})\s*%/.exec(fieldOf(fields, "Percent Used") ?? "");
  const overflow = fieldOf(fields, "Overflow");
  if (entries === null && overflow === null) return null;
  return {
    entries,
    percentUsed: used ? Number(used[1]) : null,
    overflow: overflow === null ? null : overflow.toLowerCase() === "true",
    state: [entries, fieldOf(fields, "Last Add Time"), fieldOf(fields, "Last Del Time")]
      .map((part) => part ?? "-")
      .join(" "),
  };
}

/** Records in the order of the log; lines that are none (warnings of ipmitool, half lines) are counted. */
export function parseSel(stdout: string): { records: SelRecord[]; strange: number } {
  const records: SelRecord[] = [];
  let strange = 0;
  for (const line of linesOf(stdout)) {
    if (line.trim() === "" || /^SEL has no entries/i.test(line)) continue;
    const record = parseRecord(line.slice(0, 1_000));
    if (record === null) strange++;
    else records.push(record);
  }
  return { records, strange };
}

function parseRecord(line: string): SelRecord | null {
  const [first = "", date = "", time = "", sensor, ...rest] = line.split(",");
  const id = /^\s*([0-9a-f]{1,4})\s*$/i.exec(first);
  if (id === null || sensor === undefined) return null;
  const before = /^\s*pre-init/i.test(date) ? /^\s*(\d{1,10})/.exec(time) : null;
  const about = {
    id: Number.parseInt(id[1] as string, 16),
    at: timeOf(date, time),
    uptime_s: before ? Number(before[1]) : null,
  };
  const undirected = { ...about, event: null, asserted: null, detail: null };
  const panic = /^\s*(Linux kernel panic):(.*)$/i.exec([sensor, ...rest].join(","));
  if (panic) return { ...undirected, sensor: cleanValue(panic[1]), event: cleanValue(panic[2]) };
  if (/^OEM record/i.test(sensor.trim()) && rest.length > 0)
    return { ...undirected, sensor: cleanValue(sensor) };
  // Some events have a comma in their own name; a name that is one of the directions is a vendor's.
  const at = rest.findIndex((field, index) => index > 0 && /^\s*(?:de)?asserted\b/i.test(field));
  // A direction cut off is half a record, and what is half is not told as something that happened.
  if (at < 0) return null;
  return {
    ...about,
    sensor: cleanValue(sensor),
    event: cleanValue(
      rest
        .slice(0, at)
        .join(",")
        .replace(/\(\s*\)\s*$/, ""),
    ),
    asserted: /^\s*asserted/i.test(rest[at] as string),
    detail: cleanValue(rest.slice(at + 1).join(",")),
  };
}

/** `11/20/26` or `11/20/2026` and `10:00:00 UTC` → RFC 3339. ipmitool is run with TZ=UTC. */
function timeOf(date: string, time: string): string | null {
  const day = /^\s*(\d{2})\/(\d{2})\/(\d{2}|\d{4})\s*$/.exec(date);
  const clock = /^\s*(\d{2}:\d{2}:\d{2})(?:\s|$)/.exec(time);
  if (day === null || clock === null) return null;
  const [, month, dayOfMonth, year] = day as unknown as string[];
  const text = `${(year as string).length === 2 ? `20${year}` : year}-${month}-${dayOfMonth}T${clock[1]}Z`;
  return Number.isNaN(Date.parse(text)) ? null : text;
}

/**
 * Which of `records` (the end of the log) came after the record `after`.
 * @param after the last one known; null: none, so all are new
 * @param isAll whether `records` is the whole log
 * @returns `gap`: there may be more new ones than those listed; `restarted`: `after` is no longer in a log that
 * should still have it, so the log was cleared and begun anew, and all of it is new.
 */
export function newerThan(
  records: readonly SelRecord[],
  after: SelMark | null,
  isAll: boolean,
): { records: readonly SelRecord[]; gap: boolean; restarted: boolean } {
  if (after === null) return { records, gap: !isAll, restarted: false };
  const place = records.findLastIndex((record) => isMarked(record, after));
  if (place >= 0) return { records: records.slice(place + 1), gap: false, restarted: false };
  // Ids that went on rising beyond the window: more came than are looked at.
  const [first] = records;
  if (!isAll && first !== undefined && first.id > after.id) return { records, gap: true, restarted: false };
  return { records, gap: false, restarted: true };
}

/** Id alone is not enough: after a clear the same ids come again. */
function isMarked(record: SelRecord, mark: SelMark): boolean {
  return record.id === mark.id && record.at === mark.at && record.uptime_s === mark.uptime_s;
}

export function markOf(record: SelRecord): SelMark {
  return { id: record.id, at: record.at, uptime_s: record.uptime_s };
}
