/** What the rest of the house knows of its log (agent/log.ts): pino's calls, as far as they are used. */
export interface Logger {
  /** "debug", "info", "warn", "error", …; what is below it is not written. Children follow it. */
  level: string;
  debug: Write;
  info: Write;
  warn: Write;
  error: Write;
  fatal: Write;
  /** A log whose every line has these fields too. */
  child(fields: Readonly<Record<string, unknown>>): Logger;
}

/** Fields or an error, and one sentence; or the sentence alone; values for its %s follow. */
export interface Write {
  (fields: object, message?: string, ...values: unknown[]): void;
  (message: string, ...values: unknown[]): void;
}
