/**
 * The helper's lines for people, as the daemon writes its own: what was asked for and how it ended first, then who asked
 * and how long it took. What it tells is JSON for programs (src/helper/carry-out/audit.ts); a pipe gets it as it is.
 */
import type { Priority } from "../../helper/carry-out/audit.ts";
import { formatRecord, type LogFormat } from "../../model/text/log-line.ts";

/** Of pino, by syslog's. */
const LEVELS: Readonly<Record<Priority, number>> = { 4: 40, 5: 30, 6: 30 };

/** @param now milliseconds since the epoch @returns with its line break */
export function helperLine(priority: Priority, text: string, format: LogFormat, now: number): string {
  const level = LEVELS[priority];
  const time = new Date(now).toISOString();
  const told = fieldsOf(text);
  if (told === null) return `${formatRecord(JSON.stringify({ level, time, msg: text }), format)}\n`;
  if (format === "json") return `${JSON.stringify({ level, time, ...told })}\n`;
  const { audit, outcome, message, args, peer, id, duration_ms: took, ...rest } = told;
  const how = outcome === "ok" ? "done" : `${outcome}`;
  const said = typeof message === "string" ? `: ${message}` : "";
  // Without either it is a count of many.
  const msg = audit === null && outcome === null ? said.slice(2) : `${audit ?? "no request"}: ${how}${said}`;
  const { uid } = (peer ?? {}) as { uid?: unknown };
  const given = typeof args === "object" && args !== null ? args : {};
  const fields = {
    ...given,
    ...rest,
    ...(typeof took === "number" && { took_ms: took }),
    ...(uid !== undefined && { uid }),
    ...(id !== null && id !== undefined && { id }),
  };
  const filled = Object.entries(fields).filter(([, value]) => value !== null);
  return `${formatRecord(JSON.stringify({ ...Object.fromEntries(filled), level, time, msg }), format)}\n`;
}

function fieldsOf(text: string): Record<string, unknown> | null {
  if (!text.startsWith("{")) return null;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return null; // a sentence that begins so
  }
}
