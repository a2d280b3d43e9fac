/**
 * Times as every listing has them: UTC, as the sentences of the daemon, its log lines in JSON and the control side have
 * them, so that one view never holds two zones. A column of them says so in its title, a sentence behind each.
 */

/** Title of a column of times. */
export const TIME_TITLE = "time (UTC)";

/** "2026-11-21 05:10:55", below TIME_TITLE. @param ms since the epoch */
export function timeCell(ms: number | null): string {
  if (ms === null || !(Math.abs(ms) <= 8.64e15)) return "at an unknown time";
  return new Date(ms).toISOString().slice(0, 19).replace("T", " ");
}

/** "2026-11-21 05:10:55 UTC", within a sentence. */
export function timeText(ms: number | null): string {
  const text = timeCell(ms);
  return ms === null || text.startsWith("at ") ? text : `${text} UTC`;
}
