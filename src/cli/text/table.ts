/** Aligned plain text tables, cut to the width of the terminal. */
import { printable } from "../../model/text/scrub.ts";
import { type Color, paint } from "./format.ts";

export interface Column {
  readonly title: string;
  /** Numbers: to the right. */
  readonly align?: "left" | "right";
  /** Gives way first when the table is too wide. */
  readonly shrink?: boolean;
  /** Columns of the terminal it keeps at least; 4 without it. */
  readonly min?: number;
}

export type Cell = string | null | { readonly text: string; readonly color: Color };

export interface TableOptions {
  /** Of the terminal, in columns; without it lines are as long as they need to be. */
  readonly width?: number;
  /** Io.color. */
  readonly color?: boolean;
}

const GAP = 2;
const MIN_WIDTH = 4;

/**
 * Titles in capitals, one line a row, two blanks between; null prints as "-". Ends with a line break.
 * A table too wide is cut in its columns marked `shrink`, then in its widest, with "…".
 */
export function table(
  columns: readonly (string | Column)[],
  rows: readonly (readonly Cell[])[],
  options: TableOptions = {},
): string {
  const declared = columns.map((column): Column => (typeof column === "string" ? { title: column } : column));
  const head: Cell[] = declared.map(({ title }) => title.toUpperCase());
  const texts = [head, ...rows].map((row) => declared.map((_column, index) => cellText(row[index] ?? null)));
  const widths = declared.map((_column, index) =>
    texts.reduce((width, row) => Math.max(width, displayWidth(row[index] ?? "")), 0),
  );
  if (options.width !== undefined) shrinkToFit(widths, declared, options.width);
  const lines = texts.map((row, line) =>
    row
      .map((text, index) => {
        const width = widths[index] ?? 0;
        const shown = cut(text, width);
        const padding = " ".repeat(Math.max(0, width - displayWidth(shown)));
        const cell = line === 0 ? head[index] : rows[line - 1]?.[index];
        const painted =
          cell !== null && typeof cell === "object"
            ? paint(shown, cell.color, options.color ?? false)
            : shown;
        return declared[index]?.align === "right" ? padding + painted : painted + padding;
      })
      .join(" ".repeat(GAP))
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}

/** Take columns in from the widest on, those that may shrink first, until the table fits. */
function shrinkToFit(widths: number[], columns: readonly Column[], width: number): void {
  let surplus = widths.reduce((sum, each) => sum + each + GAP, -GAP) - width;
  for (const willing of [true, false]) {
    while (surplus > 0) {
      let widest = -1;
      widths.forEach((each, index) => {
        if ((columns[index]?.shrink ?? false) !== willing || each <= (columns[index]?.min ?? MIN_WIDTH))
          return;
        if (widest === -1 || each > (widths[widest] ?? 0)) widest = index;
      });
      if (widest === -1) break;
      widths[widest] = (widths[widest] ?? 0) - 1;
      surplus--;
    }
  }
}

function cellText(cell: Cell): string {
  const text = cell !== null && typeof cell === "object" ? cell.text : cell;
  return text === null || text === "" ? "-" : printable(text);
}

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const NARROWEST = /\p{Mn}|\p{Me}/u;

/** Columns of a terminal that a printable text takes. */
export function displayWidth(text: string): number {
  if (/^[\u0020-\u007e]*$/.test(text)) return text.length;
  let width = 0;
  for (const char of text) width += NARROWEST.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
  return width;
}

/** At most `width` columns, the last one "…" where something was cut. */
export function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let shown = "";
  let used = 1;
  for (const char of text) {
    used += displayWidth(char);
    if (used > width) break;
    shown += char;
  }
  return `${shown.trimEnd()}…`;
}
