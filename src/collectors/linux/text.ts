/** Long files of /proc as they are, and short ones (a line, a counter) made fit for a report. */
import type { Files } from "../../system/files.ts";

/**
 * The text of a file untrimmed, "" when it can't be read for any reason. For files of hundreds of lines, where
 * the trimming of `Files.text` costs as much as the kernel's own work.
 * @param maxBytes 64 KiB if not given
 */
export function readWhole(files: Files, path: string, maxBytes?: number): string {
  try {
    return files.read(path, maxBytes);
  } catch {
    return "";
  }
}

/** A whole number from 0 on; null when there is none or it can't be read. */
export function counter(files: Files, path: string): number | null {
  const value = files.number(path);
  return value !== null && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

/** What there is of them, with a space between; null when there is nothing. */
export function words(...parts: (string | null)[]): string | null {
  return parts.filter((part) => part !== null).join(" ") || null;
}

/** One line without control and undecodable characters, cut at `maxLength`; null when nothing is left. */
export function oneLine(raw: string | null | undefined, maxLength = 128): string | null {
  if (raw === null || raw === undefined) return null;
  const clean = raw
    .slice(0, 4 * maxLength)
    .replace(/[\x00-\x1f\x7f-\x9f\ufffd]+/g, " ")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, maxLength)
    .trim();
  return clean === "" ? null : clean;
}
