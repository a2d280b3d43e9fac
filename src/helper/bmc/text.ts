/**
 * What ipmitool prints, taken apart into words fit for a report. Everything here is pure and never throws.
 *
 * Only what a parser asks for by name leaves this file's callers: the text as a whole holds secrets (the SNMP
 * community string of `lan print`) and is dropped with the answer.
 */
import { printable } from "../../model/text/scrub.ts";

const MAX_VALUE = 128;
const MAX_LINES = 4_000;

/** Lines of an answer, without the line ends; what is beyond 4000 lines is no answer any more. */
export function linesOf(text: string): string[] {
  return text.split(/\r?\n/, MAX_LINES);
}

/** One printable line of at most `maxLength` characters, or null when nothing is left. */
export function cleanValue(text: string | undefined, maxLength = MAX_VALUE): string | null {
  if (text === undefined) return null;
  const clean = printable(text.replaceAll("\ufffd", ""))
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, maxLength)
    .trim();
  return clean === "" ? null : clean;
}

/**
 * `Key   : value` lines. A line without a key (`      : more`) and one that is only indented belong to the key
 * above it; the first line of a key printed twice counts.
 */
export function parseFields(text: string): Map<string, readonly string[]> {
  const found = new Map<string, string[]>();
  let current: string[] | null = null;
  for (const line of linesOf(text)) {
    const colon = line.indexOf(":");
    const key = colon < 0 ? "" : line.slice(0, colon).trim();
    const value = (colon < 0 ? line : line.slice(colon + 1)).trim();
    const continues = key === "" || /^\s/.test(line);
    if (!continues) {
      current = [value];
      if (!found.has(key)) found.set(key, current);
    } else if (current !== null && value !== "") current.push(value);
  }
  return found;
}

/** The first line of a field; null when it is not there, is empty, or says in words that there is no value. */
export function fieldOf(fields: ReadonlyMap<string, readonly string[]>, key: string): string | null {
  const value = cleanValue(fields.get(key)?.[0]);
  return value === null || /^(?:unknown|not available|n\/a)\b/i.test(value) ? null : value;
}

/** A whole number at the beginning of a field (`257 (0x0101)` is 257), or null. */
export function countOf(text: string | null): number | null {
  const found = /^(\d{1,9})(?!\S)/.exec(text ?? "");
  return found ? Number(found[1]) : null;
}
