/** Conditions as sentences: what, since when, and what to do next. Shared by `status` and `why`. */

import { printable } from "../../model/text/scrub.ts";
import type { ConditionWire } from "../../sockets/wire/schemas.ts";
import type { Io } from "../output.ts";
import type { FoldRow } from "../text/fold.ts";
import { heldFor, paint, severityWord } from "../text/format.ts";
import { nextLine } from "../text/next-step.ts";
import { terminalWidth } from "../text/watch.ts";
import { wrapText } from "../text/wrap.ts";

export interface Shown {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Io.color. */
  readonly color: boolean;
  /** Of the terminal; undefined where there is none. */
  readonly width: number | undefined;
  /** What `--socket` named. */
  readonly socket: unknown;
}

export function shownFor(io: Pick<Io, "now" | "color" | "isTty" | "env">, socket: unknown): Shown {
  return { now: io.now(), color: io.color, width: terminalWidth(io), socket };
}

/** Three lines a condition, or more where the terminal is narrow, ending in a line break; "" for none. */
export function conditionLines(conditions: readonly ConditionWire[], shown: Shown): string {
  return conditionRows(conditions, shown)
    .map(({ text }) => text)
    .join("");
}

const RANKS = ["error", "warning", "info"];

/** The same one by one, for a view that may have to leave some out. */
export function conditionRows(conditions: readonly ConditionWire[], shown: Shown): FoldRow[] {
  const words = conditions.map(({ severity }) => severityWord(severity));
  const widest = Math.max(0, ...words.map(({ text }) => text.length));
  const indent = " ".repeat(widest + 4);
  return conditions.map((condition, index): FoldRow => {
    const word = words[index] ?? severityWord("info");
    const since = at(condition.since);
    const when = since === null ? "" : ` (${heldFor(since, shown.now)})`;
    const text = wrapText(printable(condition.text), shown.width, indent.length);
    const lines = [
      `  ${paint(word.text.padEnd(widest), word.color, shown.color)}  ${text}`,
      `${indent}${printable(condition.id)}${when}`,
    ];
    if (condition.next_step !== null)
      lines.push(`${indent}${printable(nextLine(condition.next_step, shown.socket))}`);
    return {
      text: `${lines.join("\n")}\n`,
      rank: RANKS.indexOf(condition.severity),
      word: word.text,
      words: `${word.text}s`,
    };
  });
}

/** Milliseconds of an RFC 3339 text, or null. */
export function at(time: string | null | undefined): number | null {
  const ms = Date.parse(time ?? "");
  return Number.isNaN(ms) ? null : ms;
}
