/**
 * Rows whose last part is a sentence: it is broken below itself where there is room beside the columns, and has lines of
 * its own where there is not. Nothing is cut.
 */
import { printable } from "../../model/text/scrub.ts";
import { paint } from "./format.ts";
import { type Cell, displayWidth } from "./table.ts";
import { hasRoom, wrapText } from "./wrap.ts";

export interface ListingRow {
  readonly cells: readonly Cell[];
  readonly text: string;
}

export interface ListingOptions {
  /** Of the terminal, in columns; undefined: nothing is broken. */
  readonly width: number | undefined;
  /** Io.color. */
  readonly color: boolean;
  /** Of the columns, where rows come one by one; else what they need. */
  readonly widths?: readonly number[];
}

const GAP = "  ";

/** Titles in capitals above them; ends with a line break. @param titles of the columns and of the sentence */
export function listing(
  titles: readonly string[],
  rows: readonly ListingRow[],
  options: ListingOptions,
): string {
  return listingRows(titles, rows, options).join("");
}

/** The titles, then each row, each ending with a line break: for who may have to leave some out. */
export function listingRows(
  titles: readonly string[],
  rows: readonly ListingRow[],
  options: ListingOptions,
): string[] {
  const head = titles.map((title) => title.toUpperCase());
  const widths =
    options.widths ??
    head
      .slice(0, -1)
      .map((title, at) => Math.max(displayWidth(title), ...rows.map(({ cells }) => cellWidth(cells[at]))));
  const sized = { ...options, widths };
  // Where sentences have lines of their own their title would only take one.
  const last = hasRoom(options.width, indentOf(widths)) ? (head.at(-1) ?? "") : "";
  const top = { cells: head.slice(0, -1), text: last };
  return [top, ...rows].map((row) => listingRow(row, sized));
}

/** One row; ends with a line break. */
export function listingRow(
  { cells, text }: ListingRow,
  { width, color, widths = [] }: ListingOptions,
): string {
  const indent = indentOf(widths);
  const drawn = cells.map((cell, at) => {
    const words = cellText(cell);
    const shown = cell !== null && typeof cell === "object" ? paint(words, cell.color, color) : words;
    return shown + " ".repeat(Math.max(0, (widths[at] ?? 0) - displayWidth(words)));
  });
  const words = printable(text);
  if (hasRoom(width, indent)) return `${[...drawn, wrapText(words, width, indent)].join(GAP).trimEnd()}\n`;
  return `${drawn.join(GAP).trimEnd()}\n${words === "" ? "" : `${GAP}${wrapText(words, width, GAP.length)}\n`}`;
}

function indentOf(widths: readonly number[]): number {
  return widths.reduce((sum, each) => sum + each + GAP.length, 0);
}

function cellText(cell: Cell | undefined): string {
  const text = cell !== null && typeof cell === "object" ? cell.text : cell;
  return text === null || text === undefined || text === "" ? "-" : printable(text);
}

function cellWidth(cell: Cell | undefined): number {
  return displayWidth(cellText(cell));
}
