/**
 * Any JSON value as aligned text: the view of sections that have no table of their own. Lists of objects
 * become tables, units follow from the names of the fields (`…_bytes`, `…_ms`, `…_c`).
 */
import { printable } from "../model/scrub.ts";
import { duration, memorySize, relativeTime } from "./format.ts";
import { table } from "./table.ts";

type Fields = Readonly<Record<string, unknown>>;

const MAX_COLUMNS = 8;

/** Ends with a line break. */
export function genericText(value: unknown, now: number, indent = ""): string {
  if (!isFields(value)) return `${indent}${scalarText("", value, now)}\n`;
  const entries = Object.entries(value);
  if (entries.length === 0) return `${indent}(nothing)\n`;
  const width = Math.max(...entries.filter(([, field]) => isShort(field)).map(([name]) => label(name).length), 0);
  let text = "";
  for (const [name, field] of entries) {
    if (isShort(field)) text += `${indent}${label(name).padEnd(width)}  ${shortText(name, field, now)}\n`;
    else if (Array.isArray(field)) text += `${indent}${label(name)}\n${listText(field, now, `${indent}  `)}`;
    else text += `${indent}${label(name)}\n${genericText(field, now, `${indent}  `)}`;
  }
  return text;
}

/** A list of objects as a table of their plain fields. */
function listText(items: readonly unknown[], now: number, indent: string): string {
  const rows = items.filter(isFields);
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  // What is nothing everywhere, or no plain value, would only take room.
  const shown = names.filter((name) => rows.some((row) => isFilled(row[name])) && rows.every((row) => isShort(row[name])));
  if (shown.length === 0 || rows.length !== items.length) return items.map((item) => genericText(item, now, indent)).join("");
  const columns = shown.slice(0, MAX_COLUMNS);
  const drawn = table(
    columns.map(label),
    rows.map((row) => columns.map((name) => shortText(name, row[name], now))),
  );
  return drawn.replace(/^(?=.)/gm, indent);
}

function shortText(name: string, value: unknown, now: number): string {
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map((item) => scalarText(name, item, now)).join(", ");
  return scalarText(name, value, now);
}

function scalarText(name: string, value: unknown, now: number): string {
  if (value === null || value === undefined || value === "") return "-";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return numberText(name, value);
  if (typeof value !== "string") return printable(JSON.stringify(value));
  if (/_at$|^since$/.test(name)) {
    const at = Date.parse(value);
    if (!Number.isNaN(at)) return relativeTime(at, now);
  }
  return printable(value);
}

function numberText(name: string, value: number): string {
  if (/_bytes$/.test(name)) return memorySize(value);
  if (/_ms$/.test(name)) return duration(value);
  if (/(?:_s|_seconds)$/.test(name)) return duration(value * 1000);
  const rounded = Number.isInteger(value) ? String(value) : String(Number(value.toFixed(2)));
  const unit = [
    [/_c$/, " °C"],
    [/_percent$/, " %"],
    [/_mhz$/, " MHz"],
    [/_mbps$/, " Mbit/s"],
  ].find(([pattern]) => (pattern as RegExp).test(name));
  return rounded + (unit?.[1] ?? "");
}

/** "size_bytes" → "size": the unit is beside the number. */
function label(name: string): string {
  return printable(name.replace(/_(?:bytes|ms|s|seconds|c|percent|mhz|mbps|at)$/, "").replaceAll("_", " "));
}

function isShort(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((item) => item === null || typeof item !== "object");
  return value === null || typeof value !== "object";
}

function isFilled(value: unknown): boolean {
  return value !== null && value !== undefined && value !== "" && !(Array.isArray(value) && value.length === 0);
}

function isFields(value: unknown): value is Fields {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
