/**
 * Any JSON value as aligned text: what `report NAME` prints of each section, and `collect NAME` of one that has no
 * table of its own. Lists of objects become tables; what has no column of its own stands below its row, or in a long list
 * a line says what is folded. Units follow from the names of the fields (`…_bytes`, `…_ms`, `…_c`). Shares of 1 are shown
 * as per cent here, and only here.
 */
import { printable } from "../../model/text/scrub.ts";
import { duration, memorySize, percent, relativeTime } from "../text/format.ts";
import { table } from "../text/table.ts";

type Fields = Readonly<Record<string, unknown>>;

const MAX_COLUMNS = 8;
/** Of a list with more rows only the columns are shown: what stands below each would hide the table. */
const MAX_UNFOLDED = 16;
/** Of the folded fields so many are named. */
const MAX_NAMED = 8;

export interface GenericOptions {
  /** Wall clock, milliseconds since the epoch. */
  readonly now: number;
  /** How bytes are written; binary units without it. */
  readonly size?: (bytes: number | null) => string;
  /** Numbers without a unit in their name are shares of 1. */
  readonly shares?: boolean;
  /** Nothing is folded, and what is empty is named too. */
  readonly all?: boolean;
}

/** Objects whose parts add up to 1. */
const SHARED_OUT = /^utilisation$/;

/** Ends with a line break. */
export function genericText(value: unknown, options: GenericOptions, indent = ""): string {
  if (!isFields(value)) return `${indent}${scalarText("", value, options)}\n`;
  // A name with "-" behind it says nothing.
  const entries = Object.entries(value).filter(
    ([, field]) => options.all === true || (field !== null && field !== undefined && field !== ""),
  );
  if (entries.length === 0) return `${indent}(nothing)\n`;
  const labels = labelsOf(entries.map(([name]) => name));
  const width = Math.max(
    0,
    ...entries.map(([, field], index) => (isShort(field) ? (labels[index] ?? "").length : 0)),
  );
  let text = "";
  for (const [index, [name, field]] of entries.entries()) {
    const label = labels[index] ?? name;
    if (isShort(field)) text += `${indent}${label.padEnd(width)}  ${shortText(name, field, options)}\n`;
    else if (Array.isArray(field)) text += `${indent}${label}\n${listText(field, options, `${indent}  `)}`;
    else {
      const within = SHARED_OUT.test(name) ? { ...options, shares: true } : options;
      text += `${indent}${label}\n${genericText(field, within, `${indent}  `)}`;
    }
  }
  return text;
}

/** One field in a sentence: "size 16.0 TB", "slot 3". */
export function fieldText(name: string, value: unknown, options: GenericOptions): string {
  return `${labelsOf([name])[0]} ${scalarText(name, value, options)}`;
}

/** A list of objects as a table of their plain fields, with all others below each row. */
function listText(items: readonly unknown[], options: GenericOptions, indent: string): string {
  const rows = items.filter(isFields);
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  // What is nothing everywhere would only take room.
  const filled = names.filter((name) => rows.some((row) => isFilled(row[name])));
  const columns = filled.filter((name) => rows.every((row) => isShort(row[name]))).slice(0, MAX_COLUMNS);
  if (columns.length === 0 || rows.length !== items.length)
    return items.map((item) => genericText(item, options, indent)).join("");
  const drawn = table(
    labelsOf(columns),
    rows.map((row) => columns.map((name) => shortText(name, row[name], options))),
  );
  const rest = (options.all === true ? names : filled).filter((name) => !columns.includes(name));
  const [head = "", ...lines] = drawn.replace(/^(?=.)/gm, indent).split(/(?<=\n)/);
  if (rest.length === 0) return head + lines.join("");
  if (rows.length > MAX_UNFOLDED && options.all !== true)
    return `${head}${lines.join("")}${indent}${foldedText(rest)}\n`;
  return head + lines.map((line, at) => line + belowRow(rows[at], rest, options, indent)).join("");
}

/** The fields of a row that have no column; nothing where they are empty. */
function belowRow(
  row: Fields | undefined,
  names: readonly string[],
  options: GenericOptions,
  indent: string,
): string {
  const fields = names.flatMap((name) =>
    options.all === true || isFilled(row?.[name]) ? [[name, row?.[name] ?? null] as const] : [],
  );
  return fields.length === 0 ? "" : genericText(Object.fromEntries(fields), options, `${indent}    `);
}

/** "3 more fields of each are folded: addresses, members, stats; --all shows them". */
function foldedText(names: readonly string[]): string {
  const labels = labelsOf(names);
  const more = labels.length > MAX_NAMED ? `, and ${labels.length - MAX_NAMED} more` : "";
  const what = labels.length === 1 ? "1 more field of each is" : `${labels.length} more fields of each are`;
  return `${what} folded: ${labels.slice(0, MAX_NAMED).join(", ")}${more}; --all shows them`;
}

function shortText(name: string, value: unknown, options: GenericOptions): string {
  if (!Array.isArray(value)) return scalarText(name, value, options);
  return value.length === 0 ? "none" : value.map((item) => scalarText(name, item, options)).join(", ");
}

function scalarText(name: string, value: unknown, options: GenericOptions): string {
  if (value === null || value === undefined || value === "") return "-";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return numberText(name, value, options);
  if (typeof value !== "string") return printable(JSON.stringify(value));
  if (/_at$|_time$|^since$/.test(name) && /^\d{4}-\d\d-\d\dT/.test(value)) {
    const at = Date.parse(value);
    if (!Number.isNaN(at)) return relativeTime(at, options.now);
  }
  return printable(value);
}

function numberText(
  name: string,
  value: number,
  { size = memorySize, shares = false }: GenericOptions,
): string {
  // 4096 is what everybody calls it, and 4.1 kB nobody.
  if (/_block_bytes$/.test(name)) return `${value} B`;
  if (/_bytes$/.test(name)) return size(value);
  if (/_us$/.test(name)) return duration(value / 1000);
  if (/_ms$/.test(name)) return duration(value);
  if (/(?:_s|_seconds)$/.test(name)) return duration(value * 1000);
  if (/(?:^|_)(?:ratio|share|fraction)$/.test(name)) return percent(value);
  const rounded = Number.isInteger(value) ? String(value) : String(Number(value.toFixed(2)));
  const unit = [
    [/(?:_c|celsius)$/, " °C"],
    [/_percent$|^avg\d+$/, " %"],
    [/_mhz$/, " MHz"],
    [/_mbps$/, " Mbit/s"],
  ].find(([pattern]) => (pattern as RegExp).test(name));
  return unit === undefined && shares ? percent(value) : rounded + (unit?.[1] ?? "");
}

/** "size_bytes" → "size": the unit is beside the number. Whole where two would be called the same. */
function labelsOf(names: readonly string[]): string[] {
  const short = names.map((name) =>
    name.replace(/_(?:bytes|us|ms|s|seconds|c|celsius|percent|ratio|share|fraction|mhz|mbps|at)$/, ""),
  );
  return names.map((name, index) => {
    const label = short[index] ?? name;
    const alone = short.filter((other) => other === label).length === 1;
    return printable((alone ? label : name).replaceAll("_", " "));
  });
}

function isShort(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((item) => item === null || typeof item !== "object");
  return value === null || typeof value !== "object";
}

function isFilled(value: unknown): boolean {
  return (
    value !== null && value !== undefined && value !== "" && !(Array.isArray(value) && value.length === 0)
  );
}

function isFields(value: unknown): value is Fields {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
