import { type Logger, pino } from "pino";

export interface Recorded {
  log: Logger;
  lines: { level: number; msg: string; [key: string]: unknown }[];
}

/** A real pino logger whose lines can be read. */
export function recordedLog(): Recorded {
  const lines: Recorded["lines"] = [];
  const log = pino({ level: "trace" }, { write: (line: string) => lines.push(JSON.parse(line)) });
  return { log, lines };
}
