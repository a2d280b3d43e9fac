/**
 * A view that is taller than the terminal, made to fit: rows are counted as the terminal breaks lines, the worst rows
 * stay, and what is left out is said in one line ("64 more: 60 ok, 4 asleep"). Pure.
 */
import { displayWidth } from "./table.ts";

/** One row of a list, of one or more lines; ends with a line break. */
export interface FoldRow {
  readonly text: string;
  /** The lower, the worse: left out last. */
  readonly rank: number;
  /** What it counts as where it is left out: "ok". */
  readonly word: string;
}

/** A text, or one with a list in it that can be folded. Each part ends with a line break, or is "". */
export type View =
  | string
  | { readonly before: string; readonly rows: readonly FoldRow[]; readonly after: string };

/** Of the terminal; undefined: not known, and nothing is folded. */
export interface Room {
  readonly columns: number | undefined;
  readonly rows: number | undefined;
}

/** All of it. */
export function whole(view: View): string {
  return typeof view === "string"
    ? view
    : view.before + view.rows.map(({ text }) => text).join("") + view.after;
}

/** @returns what fits, ending with a line break */
export function fold(view: View, room: Room): string {
  const all = whole(view);
  if (room.rows === undefined || height(all, room) <= room.rows) return all;
  if (typeof view === "string") return cutLines(all, room);
  const { before, rows, after } = view;
  const budget = room.rows - height(before, room) - height(after, room) - 1;
  const kept = new Set<FoldRow>();
  let used = 0;
  for (const row of [...rows].sort((a, b) => a.rank - b.rank)) {
    const more = height(row.text, room);
    if (used + more > budget) break;
    kept.add(row);
    used += more;
  }
  const left = rows.filter((row) => !kept.has(row));
  const shown = rows.filter((row) => kept.has(row)).map(({ text }) => text);
  const folded = `${before}${shown.join("")}${moreLine(left)}${after}`;
  return height(folded, room) <= room.rows ? folded : cutLines(folded, room);
}

/** Lines of the terminal that a text takes. */
export function height(text: string, { columns }: Room): number {
  if (text === "") return 0;
  return text
    .replace(/\n$/, "")
    .split("\n")
    .reduce((sum, line) => sum + lineHeight(line, columns), 0);
}

function lineHeight(line: string, columns: number | undefined): number {
  if (columns === undefined || columns <= 0) return 1;
  return Math.max(1, Math.ceil(displayWidth(uncolored(line)) / columns));
}

/** Without what only colours it. */
function uncolored(line: string): string {
  return line.replace(/\u001b\[[0-9;]*m/g, "");
}

function moreLine(left: readonly FoldRow[]): string {
  if (left.length === 0) return "";
  const counts = new Map<string, number>();
  for (const { word } of [...left].sort((a, b) => a.rank - b.rank))
    counts.set(word, (counts.get(word) ?? 0) + 1);
  return `${left.length} more: ${[...counts].map(([word, count]) => `${count} ${word}`).join(", ")}\n`;
}

/** From the top, for a text that has no list in it. */
function cutLines(text: string, room: Room): string {
  const lines = text.replace(/\n$/, "").split("\n");
  const most = (room.rows ?? 0) - 1;
  let [used, count] = [0, 0];
  for (const line of lines) {
    used += lineHeight(line, room.columns);
    if (used > most) break;
    count++;
  }
  const left = lines.length - count;
  return `${lines
    .slice(0, count)
    .map((line) => `${line}\n`)
    .join("")}${left} more ${left === 1 ? "line" : "lines"}\n`;
}
