/** Params and results of commands for people: words in place of JSON. */
import { printable } from "../../model/text/scrub.ts";
import type { Shown } from "../show/conditions.ts";
import { wrapText } from "../text/wrap.ts";

const DEEPEST = 4;

/** "yes", "cpu, drives", "device sda, kind long". */
export function valueText(value: unknown, depth = 0): string {
  if (value === null || value === undefined || value === "") return "-";
  if (typeof value === "boolean") return value ? "yes" : "no";
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

function nameText(name: string): string {
  return name.replaceAll("_", " ");
}
