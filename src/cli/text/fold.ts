/**
 * A view that is taller than the terminal, made to fit: rows are counted as the terminal breaks lines, the worst rows
 * stay, and what is left out is said in one line ("64 more: 60 ok, 4 asleep"). Pure.
 */
import { plural } from "../../model/text/sentence.ts";
import { displayWidth } from "./table.ts";

/** Lines below a list that are no more than its foot. */
const FOOT = 4;

/** One row of a list, of one or more lines; ends with a line break. */
export interface FoldRow {
  readonly text: string;
  /** The lower, the worse: left out last. */
  readonly rank: number;
  /** What it counts as where it is left out: "ok"; and several of them, where that is another word. */
  readonly word: string;
  readonly words?: string;
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
  // What stands below a list of what is wrong gives way to it, where it is more than a foot.
  const lines = after.split("\n").length - 1;
  const below =
    height(after, room) > FOOT && keeping(view, after, room).length < rows.length ? moreLines(lines) : after;
  const kept = new Set(keeping(view, below, room));
  const left = rows.filter((row) => !kept.has(row));
  const shown = rows.filter((row) => kept.has(row)).map(({ text }) => text);
  const folded = `${before}${shown.join("")}${moreLine(left)}${below}`;
  return height(folded, room) <= room.rows ? folded : cutLines(folded, room);
}

/** The worst rows for which there is room between what stands before and below them. */
function keeping({ before, rows }: Exclude<View, string>, below: string, room: Room): FoldRow[] {
  let left = (room.rows ?? 0) - height(before, room) - height(below, room);
  const kept: FoldRow[] = [];
  for (const row of [...rows].sort((a, b) => a.rank - b.rank)) {
    left -= height(row.text, room);
    // One line stays for what is left out.
    if (left < (kept.length + 1 < rows.length ? 1 : 0)) break;
    kept.push(row);
  }
  return kept;
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
  const kinds = new Map<string, FoldRow[]>();
  for (const row of [...left].sort((a, b) => a.rank - b.rank))
    kinds.set(row.word, [...(kinds.get(row.word) ?? []), row]);
  const counted = [...kinds].map(([word, all]) => plural(all.length, word, all[0]?.words ?? word));
  return `${left.length} more: ${counted.join(", ")}\n`;
}

function moreLines(count: number): string {
  return `${plural(count, "more line", "more lines")}\n`;
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
    .join("")}${moreLines(left)}`;
}
