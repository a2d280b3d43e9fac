/**
 * The numbers of one drive with what they mean: the ATA table, the fields of NVMe and SCSI, self-tests. A meaning
 * stands beside its number where the terminal is wide, below it where it is not.
 */

import { ageText } from "../../collectors/smart/table.ts";
import { isHeat } from "../../collectors/smart/verdict/heat.ts";
import { hasNoThreshold } from "../../collectors/smart/verdict/thresholds.ts";
import { printable } from "../../model/text/scrub.ts";
import { plural } from "../../model/text/sentence.ts";
import type { SmartWire } from "../../sockets/wire/drive-schemas.ts";
import type { Color } from "../text/format.ts";
import { type Cell, type Column, displayWidth, table } from "../text/table.ts";
import { wrapText } from "../text/wrap.ts";
import { attributeMeaning, fieldMeaning } from "./attribute-meanings.ts";
import { decodedRaw } from "./raw-value.ts";

type FactsWire = NonNullable<SmartWire["facts"]>;

export interface Drawing {
  readonly color: boolean;
  /** Of the terminal; undefined where there is none. */
  readonly width: number | undefined;
}

/** Beside the table only where a sentence has this much room. */
const BESIDE = 40;
const INDENT = 6;
const TEST_HOURS_WRAP = 65_536;

/** "" without any. Lines end in a line break. */
export function attributesText(attributes: FactsWire["attributes"] | undefined, drawing: Drawing): string {
  if (attributes === undefined || attributes.length === 0) return "";
  const columns: Column[] = [
    { title: "id", align: "right" },
    { title: "attribute", shrink: true, min: 12 },
    { title: "now", align: "right" },
    { title: "worst", align: "right" },
    { title: "limit", align: "right" },
    { title: "raw value", align: "right" },
    { title: "state" },
  ];
  const rows = attributes.map((row): Cell[] => [
    String(row.id),
    row.name.replaceAll("_", " "),
    numberText(row.value),
    numberText(row.worst),
    row.thresh === 0 || hasNoThreshold(row) ? null : numberText(row.thresh),
    decodedRaw(row) ?? numberText(row.raw),
    attributeState(row),
  ]);
  return withMeanings(columns, rows, attributes.map(attributeMeaning), drawing);
}

/** Heat is no failure and leaves nothing behind, and what is no limit can't be reached. */
function attributeState(row: FactsWire["attributes"][number]): Cell {
  const { when_failed, prefail } = row;
  if (hasNoThreshold(row)) return "ok";
  if (when_failed === "now")
    return prefail === true && !isHeat(row)
      ? { text: "FAILING", color: "red" }
      : { text: "at its limit", color: "yellow" };
  if (isHeat(row)) return when_failed === "past" ? "was at its limit" : "ok";
  return when_failed === "past" ? { text: "was at its limit", color: "yellow" } : "ok";
}

const BITS: readonly (readonly [number, string])[] = [
  [1, "spare low"],
  [2, "temperature"],
  [4, "reliability"],
  [8, "read-only"],
  [16, "backup"],
  [32, "memory region"],
];
/** More of them is worse; 0 is as it should be. */
const SHOULD_BE_ZERO =
  /^(?:media_errors|grown_defects|pending_defects|(?:read|write|verify)_uncorrected|critical_warning)$/;

/** The fields of `nvme` or `scsi` that the drive told. */
export function fieldsText(fields: object | null | undefined, drawing: Drawing): string {
  const told = Object.entries(fields ?? {}).filter(([, value]) => value !== null);
  if (told.length === 0) return "";
  const columns: Column[] = [{ title: "field" }, { title: "value", align: "right" }];
  const rows = told.map(([name, value]): Cell[] => [
    name.replace(/_(?:percent|minutes)$/, "").replaceAll("_", " "),
    fieldCell(name, value),
  ]);
  return withMeanings(
    columns,
    rows,
    told.map(([name]) => fieldMeaning(name)),
    drawing,
  );
}

function fieldCell(name: string, value: unknown): Cell {
  const bad: Color = "yellow";
  if (typeof value !== "number") return String(value);
  if (name === "critical_warning") {
    const set = BITS.filter(([bit]) => (value & bit) !== 0).map(([, word]) => word);
    return value === 0 ? "none" : { text: `${value} (${set.join(", ") || "unknown"})`, color: bad };
  }
  if (name === "asc" || name === "ascq") return `${value.toString(16).padStart(2, "0")} (hex)`;
  const unit = /_percent$|^percentage_/.test(name) ? " %" : /_minutes$/.test(name) ? " min" : "";
  const text = `${numberText(value)}${unit}`;
  return value > 0 && SHOULD_BE_ZERO.test(name) ? { text, color: bad } : text;
}

/** A table, and what each row means. */
function withMeanings(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  meanings: readonly (string | null)[],
  { color, width }: Drawing,
): string {
  const indented = width === undefined ? undefined : width - 2;
  const lines = table(columns, rows, { color, ...(indented === undefined ? {} : { width: indented }) })
    .trimEnd()
    .split("\n");
  const plain = table(columns, rows, indented === undefined ? {} : { width: indented })
    .trimEnd()
    .split("\n");
  const widest = Math.max(...plain.map(displayWidth));
  const beside = width === undefined || width - widest - 4 >= BESIDE;
  return lines
    .map((line, index) => {
      const meaning = index === 0 ? null : (meanings[index - 1] ?? null);
      if (index === 0 && beside)
        return `  ${line}${" ".repeat(widest - displayWidth(plain[0] ?? ""))}  MEANING\n`;
      if (meaning === null) return `  ${line}\n`;
      if (!beside) return `  ${line}\n${" ".repeat(INDENT)}${wrapText(meaning, width, INDENT)}\n`;
      const padding = " ".repeat(widest - displayWidth(plain[index] ?? ""));
      return `  ${line}${padding}  ${wrapText(meaning, width, widest + 4)}\n`;
    })
    .join("");
}

/**
 * Newest first; "" without any.
 * @param asked when the drive said so: "4 min ago"
 */
export function selfTestsText(facts: FactsWire, asked: string, drawing: Drawing): string {
  const { self_tests: tests, self_test_running: running, power_on_hours: hours } = facts;
  const parts: string[] = [];
  if (running !== null) {
    const kind = running.kind === null ? "a self-test" : `a ${running.kind} self-test`;
    const done =
      running.percent_done === null
        ? "; the drive does not say how far it is"
        : `, ${running.percent_done} % done`;
    parts.push(printable(`  Running now: ${kind}${done} (asked ${asked})`), "\n");
  }
  if (tests.length > 0) {
    const rows = tests.map((test): Cell[] => [
      test.kind,
      test.passed === null
        ? test.text || "no result"
        : test.passed
          ? "passed"
          : { text: `FAILED${test.text === "" ? "" : `: ${test.text}`}`, color: "red" },
      test.hours === null ? null : `${numberText(test.hours)} h`,
      testAge(test.hours, hours),
    ]);
    const columns: Column[] = [
      { title: "self-test" },
      { title: "result", shrink: true },
      { title: "at hour", align: "right" },
      { title: "hours of use since" },
    ];
    const { color, width } = drawing;
    const drawn = table(columns, rows, { color, ...(width === undefined ? {} : { width: width - 2 }) });
    parts.push(drawn.replace(/^(?=.)/gm, "  "));
  }
  return parts.join("");
}

/** ATA keeps 16 bits of the hours, so an old drive's are told only where they can't have wrapped. */
function testAge(at: number | null, now: number | null): string | null {
  if (at === null || now === null || now >= TEST_HOURS_WRAP || at > now) return null;
  return ageText(now - at);
}

type Counter = readonly [name: string, one: string, more: string];

const GROWTH: readonly Counter[] = [
  ["reallocated", "sector replaced by a spare one", "sectors replaced by spare ones"],
  ["pending", "sector that can't be read now", "sectors that can't be read now"],
  [
    "uncorrectable",
    "sector the drive's own scan could not read",
    "sectors the drive's own scan could not read",
  ],
  ["reported_uncorrectable", "error the host got to see", "errors the host got to see"],
  ["media_errors", "media error", "media errors"],
  ["grown_defects", "grown defect", "grown defects"],
  ["pending_defects", "place that can't be read now", "places that can't be read now"],
  ["wear_percent", "per cent of the rated endurance", "per cent of the rated endurance"],
];
const GROWTH_WEEK: readonly Counter[] = [
  ["command_timeouts", "command that timed out", "commands that timed out"],
  ["crc_errors", "transfer damaged on the cable", "transfers damaged on the cable"],
];
const DAY_MS = 86_400_000;

/** What rose, within how many days, as lines; one line when nothing did. */
export function trendLines(trend: SmartWire["trend"], now: number): string[] {
  if (trend == null) return [];
  const counters: Readonly<Record<string, number | string | null>> = trend;
  const days =
    trend.since === null ? 0 : Math.round((Date.parse(dayOf(now)) - Date.parse(trend.since)) / DAY_MS);
  if (!(days > 0)) return ["Not known yet: it is told from the second day on."];
  const lines = [
    [GROWTH, Math.min(30, days)],
    [GROWTH_WEEK, Math.min(7, days)],
  ] as const;
  const rose = lines.flatMap(([names, within]) =>
    names.flatMap(([name, one, more]) => {
      const count = counters[name];
      if (typeof count !== "number" || count <= 0) return [];
      return [`+${plural(count, one, more, numberText(count))} within ${daysText(within)}`];
    }),
  );
  if (typeof counters.helium_lost === "number" && counters.helium_lost > 0)
    rose.push(`-${counters.helium_lost} per cent of the helium within ${daysText(Math.min(30, days))}`);
  return rose.length > 0 ? rose : [`Nothing rose within ${daysText(Math.min(30, days))}.`];
}

function daysText(days: number): string {
  return days === 1 ? "a day" : plural(days, "day");
}

function dayOf(now: number): string {
  return new Date(now).toISOString().slice(0, 10);
}

/** With narrow blanks between thousands, as long numbers are read. */
export function numberText(value: number | null): string {
  if (value === null) return "-";
  return Math.abs(value) < 10_000 ? String(value) : String(value).replace(/\B(?=(\d{3})+$)/g, " ");
}
