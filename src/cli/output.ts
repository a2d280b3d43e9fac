/**
 * Where a sub-command's words go: results to stdout, everything else to stderr, one sentence and the
 * next command to type for an error. A reader that goes away (`| head`) ends the program quietly.
 */
import { fstatSync, writeSync } from "node:fs";
import { AgentError, errorCode, errorText } from "../model/errors.ts";
import { labelled } from "../model/text/next-step.ts";
import { printable, scrubSecrets } from "../model/text/scrub.ts";
import { ended } from "../model/text/sentence.ts";
import { calledHere } from "./text/program-name.ts";

/** Everything a sub-command may touch of the process that runs it. */
export interface Io {
  /** Written as it is: end lines with "\n". */
  stdout: (text: string) => void;
  stderr: (text: string) => void;
  /** Whether stdout is a terminal. */
  isTty: boolean;
  env: NodeJS.ProcessEnv;
  /** A terminal, and nobody asked for none (NO_COLOR, TERM=dumb). */
  color: boolean;
  /** Wall clock, milliseconds since the epoch. */
  now(): number;
  /** Fires on Ctrl-C, SIGTERM and when nobody reads stdout any more. */
  signal: AbortSignal;
}

export const EXIT = { ok: 0, failed: 1, usage: 2, unreachable: 3, refused: 4 } as const;

/** The same for every sub-command; the overview, the manual and docs/commands.md say it in these words. */
export const EXIT_MEANINGS: readonly (readonly [code: number, meaning: string])[] = [
  [EXIT.ok, "ok"],
  [EXIT.failed, "failed; of status: not well"],
  [EXIT.usage, "a mistake on the command line"],
  [EXIT.unreachable, "no agent answers"],
  [EXIT.refused, "refused"],
];

/** What else is a mistake on the command line: the sandbox's, which knows nothing of command lines. */
const ON_THE_LINE = new Set(["invalid_listen", "not_loopback"]);

/** Words for "refused": what the host's policy does not let be done, and commands that are not taken at all. */
const NOT_TAKEN = new Set([
  "helper_refused",
  "policy_unusable",
  "bad_params",
  "bad_signature",
  "expired",
  "foreign",
  "from_the_future",
  "journal_full",
  "malformed",
  "no_trusted_time",
  "too_many_commands",
  "unsigned",
  "unsupported",
]);

/** Exit code of a thrown thing: an AgentError by its code, everything else 1. */
export function exitCodeOf(error: unknown): number {
  const code = error instanceof AgentError ? error.code : "";
  if (code === "usage" || ON_THE_LINE.has(code)) return EXIT.usage;
  if (code === "daemon_unreachable") return EXIT.unreachable;
  if (code === "refused" || code.startsWith("refused_") || NOT_TAKEN.has(code)) return EXIT.refused;
  return EXIT.failed;
}

/** "foundry-agent: <sentence>. Next: <command>", without secrets and control characters, one line. */
export function errorLine(error: unknown): string {
  const known = error instanceof AgentError;
  const text = scrubSecrets(known ? error.message : `internal error: ${errorText(error)}`).trim();
  const next =
    known && error.nextStep !== null ? ` ${calledHere(labelled(scrubSecrets(error.nextStep)))}` : "";
  return printable(`foundry-agent: ${ended(text)}${next}`);
}

/** The error line to stderr; for a bug its stack too, since only that says where. */
export function printError(io: Pick<Io, "stderr">, error: unknown): void {
  io.stderr(`${errorLine(error)}\n`);
  if (error instanceof AgentError || !(error instanceof Error) || error.stack === undefined) return;
  const frames = error.stack.split("\n").filter((line) => /^\s+at /.test(line));
  for (const frame of frames.slice(0, 10)) io.stderr(`${scrubSecrets(frame)}\n`);
}

/** One value as indented JSON with a line break at its end: what every `--json` prints. */
export function printJson(io: Pick<Io, "stdout">, value: unknown): void {
  io.stdout(`${JSON.stringify(value, null, 2)}\n`);
}

/** Whether colour is wanted: https://no-color.org, a real terminal, not a dumb one. */
export function wantsColor(isTty: boolean, env: NodeJS.ProcessEnv): boolean {
  const { NO_COLOR: no, TERM: term } = env;
  return isTty && (no === undefined || no === "") && term !== "dumb";
}

/** A reader that went away, or a terminal that was hung up. */
const GONE: ReadonlySet<string> = new Set(["EPIPE", "ERR_STREAM_DESTROYED", "EIO"]);

function writeLast(text: string): void {
  try {
    writeFile(2, Buffer.from(text));
  } catch {
    // Nobody is left to be told.
  }
}

export interface ProcessStreams {
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  env: NodeJS.ProcessEnv;
}

/** Whether this descriptor is a file or a device that is no terminal: there a write is over at once, or fails at once. */
function isFile(fd: number): boolean {
  try {
    const found = fstatSync(fd);
    return found.isFile() || (found.isCharacterDevice() && !process.getBuiltinModule("node:tty").isatty(fd));
  } catch {
    return false;
  }
}

/**
 * All of it to stdout, which Node does not do where that is a file on a disk that becomes full: it drops the rest and
 * says nothing, or throws beside whoever wrote.
 * @throws AgentError `output_not_writable`
 */
export async function writeOut(bytes: Uint8Array): Promise<void> {
  if (isFile(1)) return writeFile(1, bytes);
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(bytes, (error) => (error ? reject(notWritten(error)) : resolve()));
  });
}

function writeFile(fd: number, bytes: Uint8Array): void {
  try {
    for (let rest = bytes; rest.length > 0; ) rest = rest.subarray(writeSync(fd, rest));
  } catch (error) {
    throw notWritten(error);
  }
}

function notWritten(error: unknown): AgentError {
  const code = errorCode(error);
  const why = code === "ENOSPC" ? "there is no space left where it goes" : code;
  return new AgentError("output_not_writable", `the output can't be written: ${why}`, null, { cause: error });
}

/**
 * The Io of this process. Its signal fires with `signal` (Ctrl-C, SIGTERM: main.ts) and when stdout's
 * reader is gone; what is written after that is dropped. A file that takes no more is an AgentError
 * (`output_not_writable`) of whoever writes; on stderr there is nobody left to tell.
 */
export function processIo(signal: AbortSignal, streams: ProcessStreams = process): Io {
  const gone = new AbortController();
  const failed = (error: unknown): void => {
    if (GONE.has(errorCode(error))) gone.abort();
    else throw error;
  };
  const ours = streams === process;
  const [toFile, errorsToFile] = [ours && isFile(1), ours && isFile(2)];
  const used = new Set<string>();
  /** When it is first needed: making them is 5 ms of every start, and the daemon writes to neither. */
  const stream = <Name extends "stdout" | "stderr">(name: Name): ProcessStreams[Name] => {
    if (!used.has(name)) streams[name].on("error", failed);
    used.add(name);
    return streams[name];
  };
  return {
    stdout: (text) => {
      if (gone.signal.aborted) return;
      if (toFile) writeFile(1, Buffer.from(text));
      else stream("stdout").write(text);
    },
    stderr: (text) => {
      if (errorsToFile) writeLast(text);
      else if (!stream("stderr").destroyed) stream("stderr").write(text);
    },
    get isTty() {
      return stream("stdout").isTTY === true;
    },
    env: streams.env,
    get color() {
      return wantsColor(stream("stdout").isTTY === true, streams.env);
    },
    now: () => Date.now(),
    signal: AbortSignal.any([signal, gone.signal]),
  };
}
