/**
 * The daemon's log: pino, written synchronously (a line that explains a crash must be out before it; a
 * transport worker costs 25 MB), to stderr.
 *
 * Three forms: under journald one plain line with a syslog priority `<N>` before it, which is what
 * `journalctl -p` filters by; on a terminal short lines; else (a container, a pipe) JSON. Whatever is
 * logged, secrets are taken out of the finished record, at any depth: fields by name, tokens by look.
 */
import { fstatSync } from "node:fs";
import { destination, type Level, type Logger as PinoLogger, pino, stdSerializers } from "pino";
import type { Logger, Write } from "../model/log.ts";
import { printable, scrubSecrets } from "../model/text/scrub.ts";

export type LogFormat = "journal" | "terminal" | "json";

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

/**
 * Which form fits where `fd` leads. JOURNAL_STREAM is inherited by everything a service starts, so it
 * counts only when it names the very file that `fd` is (systemd.exec(5)).
 */
export function logFormat(env: NodeJS.ProcessEnv, fd = 2): LogFormat {
  const { JOURNAL_STREAM: stream } = env;
  try {
    const found = fstatSync(fd, { bigint: true });
    if (stream === `${found.dev}:${found.ino}`) return "journal";
    // node:tty costs 1.5 MB: a service, whose log is no device, never loads it.
    if (found.isCharacterDevice() && process.getBuiltinModule("node:tty").isatty(fd)) return "terminal";
  } catch {
    // A closed stderr is neither.
  }
  return "json";
}

function stderrWriter(): (line: string) => void {
  const stderr = destination({ fd: 2, sync: true });
  // A log that can't be written (full disk, nobody reads) has nowhere to be told, and is no reason to die.
  stderr.on("error", () => undefined);
  return (line) => {
    stderr.write(line);
  };
}

/** syslog(3): 2 critical, 3 error, 4 warning, 6 informational, 7 debug. */
const PRIORITIES: Readonly<Record<number, number>> = { 10: 7, 20: 7, 30: 6, 40: 4, 50: 3, 60: 2 };
const NAMES: Readonly<Record<number, string>> = {
  10: "trace",
  20: "debug",
  30: "info",
  40: "warn",
  50: "error",
  60: "fatal",
};

/** One finished JSON record of pino as the line to write (without line break), secrets taken out. */
export function formatRecord(json: string, format: LogFormat): string {
  let record: Record<string, unknown>;
  try {
    record = withoutSecrets(JSON.parse(json)) as Record<string, unknown>;
  } catch {
    return printable(scrubSecrets(json)); // pino always writes JSON; if not, still show it
  }
  if (format === "json") return JSON.stringify(record);
  const { level, time, msg, err, error, ...rest } = record;
  const number = typeof level === "number" ? level : 30;
  const parts = [typeof msg === "string" ? msg : ""];
  for (const thrown of [err, error]) {
    if (thrown === undefined) continue;
    const text = messageOf(thrown);
    // pino takes an error's message for the line's where none is given; the error's own has its causes too.
    if (parts[0] !== undefined && text.startsWith(parts[0])) parts[0] = text;
    else parts.push(text);
  }
  const fields = Object.entries(rest).map(([key, value]) => `${key}=${fieldText(value)}`);
  const sentence = parts.filter((part) => part !== "").join(": ");
  const text = printable([sentence, ...fields].join(" ").trim());
  if (format === "journal") return `<${PRIORITIES[number] ?? 6}>${text}`;
  const clock = typeof time === "string" ? time.slice(11, 19) : "";
  return `${clock} ${(NAMES[number] ?? "info").padEnd(5)} ${text}`;
}

function messageOf(thrown: unknown): string {
  if (thrown !== null && typeof thrown === "object" && "message" in thrown) return String(thrown.message);
  return fieldText(thrown);
}

function fieldText(value: unknown): string {
  if (typeof value === "string") return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value) ?? "null";
}

/** Fields that hold nothing else than a secret, whatever it looks like. */
const SECRET_FIELD =
  /^(?:(?:proxy[-_]?)?authorization|(?:set[-_])?cookie|.*password|.*passphrase|.*secret|(?:.*[-_])?token|.*[a-z]Token|(?:api|account|enrol|private|bearer)[-_]?key|credentials?)$/i;
const MAX_DEPTH = 20;

/** A copy with every secret hidden: values of telling names, and whatever looks like one in any text or name. */
export function withoutSecrets(value: unknown): unknown {
  return clean(value, 0);
}

/** Whether a field of this name holds nothing else than a secret. */
export function isSecretName(name: string): boolean {
  return SECRET_FIELD.test(name);
}

function clean(value: unknown, depth: number): unknown {
  if (typeof value === "string") return scrubSecrets(value);
  if (value === null || typeof value !== "object") return value;
  if (depth > MAX_DEPTH) return "[too deep]";
  if (Array.isArray(value)) return value.map((item) => clean(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      scrubSecrets(key),
      SECRET_FIELD.test(key) && inner !== null && inner !== "" ? "[hidden]" : clean(inner, depth + 1),
    ]),
  );
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
