/** Sentences broken at the terminal's edge, so that what stands below them stays aligned. */
import { displayWidth } from "./table.ts";

/** Narrower columns are left to the terminal: a word a line reads worse than a broken line. */
const NARROWEST = 24;

/** Whether a sentence can be broken beside so many columns; always where nothing is broken. */
export function hasRoom(width: number | undefined, indent: number): boolean {
  return width === undefined || width - indent >= NARROWEST;
}

/**
 * Pure. Never break what is to be copied (a command): pass sentences only.
 * @param width of the terminal in columns; undefined: nothing is broken (a pipe)
 * @param indent columns that stand before the first line already, and are put before each further one
 */
export function wrapText(text: string, width: number | undefined, indent: number): string {
  if (width === undefined || !hasRoom(width, indent)) return text;
  const room = width - indent;
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && displayWidth(line) + 1 + displayWidth(word) > room) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join(`\n${" ".repeat(indent)}`);
}
