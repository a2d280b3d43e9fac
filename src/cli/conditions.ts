/** Conditions as sentences: what, since when, and what to do next. Shared by `status` and `why`. */
import type { ConditionWire } from "../agent/wire.ts";
import { printable } from "../model/scrub.ts";
import { paint, relativeTime, severityWord } from "./format.ts";

/** Two or three lines a condition, ending in a line break; "" for none. */
export function conditionLines(conditions: readonly ConditionWire[], now: number, color: boolean): string {
  const words = conditions.map(({ severity }) => severityWord(severity));
  const width = Math.max(0, ...words.map(({ text }) => text.length));
  const indent = " ".repeat(width + 4);
  return conditions
    .map((condition, index) => {
      const word = words[index] ?? severityWord("info");
      const since = at(condition.since);
      const when = since === null ? "" : ` (since ${ago(since, now)})`;
      const first = `  ${paint(word.text.padEnd(width), word.color, color)}  ${printable(condition.text)}`;
      const lines = [first, `${indent}${printable(condition.id)}${when}`];
      if (condition.next_step !== null) lines.push(`${indent}Next: ${printable(condition.next_step)}`);
      return `${lines.join("\n")}\n`;
    })
    .join("");
}

/** "3 min", "2026-11-02": what fits after "since". */
function ago(since: number, now: number): string {
  return relativeTime(since, now).replace(/^now$/, "just now");
}

/** Milliseconds of an RFC 3339 text, or null. */
export function at(time: string | null | undefined): number | null {
  const ms = Date.parse(time ?? "");
  return Number.isNaN(ms) ? null : ms;
}
