/** Params and results of commands for people: words in place of JSON. */
import { printable } from "../../model/text/scrub.ts";
import { at, type Shown } from "../show/conditions.ts";
import { timeText } from "../text/time.ts";
import { wrapText } from "../text/wrap.ts";

const DEEPEST = 4;
/** As the wire has times. */
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

/** Whether it is a time as the wire has it. */
export function isTime(value: unknown): value is string {
  return typeof value === "string" && RFC3339.test(value);
}

/** "yes", "cpu, drives", "device sda, kind long". */
export function valueText(value: unknown, depth = 0): string {
  if (value === null || value === undefined || value === "") return "-";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (isTime(value)) return timeText(at(value));
  if (typeof value !== "object") return String(value);
  if (depth >= DEEPEST) return "…";
  const parts = Array.isArray(value)
    ? value.map((one) => valueText(one, depth + 1))
    : Object.entries(value).map(([name, one]) => `${nameText(name)} ${valueText(one, depth + 1)}`);
  if (parts.length === 0) return "none";
  return parts.join(
    Array.isArray(value) && value.some((one) => one !== null && typeof one === "object") ? "; " : ", ",
  );
}

/** One value a line, beside its name; ends with a line break. */
export function rowsText(
  rows: readonly (readonly [name: string, value: unknown])[],
  { width }: Shown,
): string {
  const widest = Math.max(0, ...rows.map(([name]) => nameText(name).length));
  return rows
    .map(([name, value]) => {
      const label = `  ${printable(nameText(name)).padEnd(widest)}  `;
      return `${label}${wrapText(printable(valueText(value)), width, label.length)}\n`;
    })
    .join("");
}

/** "drain osds" of drain_osds. */
export function nameText(name: string): string {
  return name.replaceAll("_", " ");
}
