/**
 * The last lines of this process' own log, for a diagnostics bundle: also where nobody keeps the log (a
 * container, a terminal), and without reading the journal, which the agent may not. Lines come from log.ts,
 * finished and freed of secrets; a line costs one place in a list, and nothing when nothing is logged.
 */

export interface LogTail {
  /** @param line without its line break */
  add(line: string): void;
  /** Oldest first. */
  lines(): string[];
}

const LINES = 500;
const BYTES = 256 * 1024;
/** One endless line must not push out all others. */
const LINE_BYTES = 4 * 1024;

/** Bounded to 500 lines and 256 KiB; what is older is gone. */
export function openLogTail(): LogTail {
  const kept: { text: string; bytes: number }[] = [];
  let bytes = 0;
  return {
    add(line) {
      const text = line.length > LINE_BYTES ? `${line.slice(0, LINE_BYTES).toWellFormed()}…` : line;
      const one = { text, bytes: Buffer.byteLength(text) };
      kept.push(one);
      bytes += one.bytes;
      while (kept.length > LINES || bytes > BYTES) bytes -= kept.shift()?.bytes ?? 0;
    },
    lines: () => kept.map(({ text }) => text),
  };
}
