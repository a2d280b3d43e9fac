/**
 * The daemon's log: pino, written synchronously (a line that explains a crash must be out before it; a
 * transport worker costs 25 MB), to stderr.
 *
 * Three forms: under journald one plain line with a syslog priority `<N>` before it, which is what
 * `journalctl -p` filters by; on a terminal short lines; else (a container, a pipe) JSON: src/model/text/log-line.ts.
 */
import { destination, type Level, type Logger as PinoLogger, pino, stdSerializers } from "pino";
import type { Logger, Write } from "../model/log.ts";
import { formatRecord, type LogFormat } from "../model/text/log-line.ts";

export interface LogOptions {
  readonly level: Level;
  readonly format: LogFormat;
  /** Instead of stderr: called with whole lines. */
  readonly write?: (line: string) => void;
  /** Gets every line that is written too, with its time. */
  readonly tail?: LogTail;
}

const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"];

/**
 * Open the log. Its `level` may be set later (a changed configuration). pino is set up with the first line
 * that is written: a start that has nothing to say is ready sooner without it.
 */
export function openLog(options: LogOptions): Logger {
  let opened: PinoLogger | null = null;
  const shared = { level: options.level as string };
  return writingTo(() => {
    opened ??= openPino(options);
    return opened;
  }, shared);
}

function writingTo(open: () => PinoLogger, shared: { level: string }): Logger {
  const writer = (level: "debug" | "info" | "warn" | "error" | "fatal"): Write => {
    const rank = LEVELS.indexOf(level);
    return (...line: unknown[]) => {
      if (rank >= LEVELS.indexOf(shared.level)) open()[level](...(line as [object, string]));
    };
  };
  return {
    get level() {
      return shared.level;
    },
    set level(level) {
      shared.level = level;
    },
    debug: writer("debug"),
    info: writer("info"),
    warn: writer("warn"),
    error: writer("error"),
    fatal: writer("fatal"),
    child(fields) {
      let opened: PinoLogger | null = null;
      return writingTo(() => {
        opened ??= open().child(fields);
        return opened;
      }, shared);
    },
  };
}

function openPino(options: LogOptions): PinoLogger {
  const write = options.write ?? stderrWriter();
  return pino(
    {
      level: "trace",
      base: null, // the journal and every shipper know host and process already
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      serializers: { err: stdSerializers.err, error: stdSerializers.err, cause: stdSerializers.err },
    },
    {
      write(line: string) {
        const shown = formatRecord(line, options.format);
        // The journal stamps its lines itself, a terminal's have no date.
        options.tail?.add(options.format === "json" ? shown : `${new Date().toISOString()} ${shown}`);
        write(`${shown}\n`);
      },
    },
  );
}

function stderrWriter(): (line: string) => void {
  const stderr = destination({ fd: 2, sync: true });
  // A log that can't be written (full disk, nobody reads) has nowhere to be told, and is no reason to die.
  stderr.on("error", () => undefined);
  return (line) => {
    stderr.write(line);
  };
}

/**
 * The last lines of this process' own log, for a diagnostics bundle: also where nobody keeps the log (a
 * container, a terminal), and without reading the journal, which the agent may not. A line costs one place in a
 * list, and nothing when nothing is logged.
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
