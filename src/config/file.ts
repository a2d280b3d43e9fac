/**
 * One configuration file from disk to a parsed table with positions. Everything wrong with it becomes a
 * Problem that names file, line and what was expected, and that never shows a value: people put secrets
 * in the wrong place, and a problem is printed and logged.
 */

import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { parse } from "toml";
import { errorCode } from "../model/errors.ts";
import { looksSecret, printable, shownKey } from "../model/text/scrub.ts";
import { clause } from "../model/text/sentence.ts";
import { shellWord } from "../model/text/shell-word.ts";
import { systemWords } from "../model/text/system-words.ts";
import { locateKeys, type Position } from "../system/toml-locate.ts";

export interface Problem {
  readonly file: string;
  /** From 1; null when it concerns the file as a whole. */
  readonly line: number | null;
  readonly column: number | null;
  /** `metrics.listen`; null when no key can be named. */
  readonly key: string | null;
  /** One clause without a full stop: what is wrong and what was expected. */
  readonly message: string;
  /** What to do. */
  readonly nextStep: string;
}

export interface ConfigFile {
  readonly file: string;
  /** The parsed table; null when there is none to be had. */
  readonly table: Readonly<Record<string, unknown>> | null;
  readonly positions: ReadonlyMap<string, Position>;
  readonly problems: readonly Problem[];
}

export const MAX_CONFIG_BYTES = 256 * 1024;
const MAX_NESTING = 32;
/** Of one file: every `=`, `.`, `,` and opening bracket; docs/config.example.toml has some hundred. */
const MAX_PARTS = 16_384;

/**
 * Read and parse one file.
 * @returns null when there is no such file
 */
export function readConfigFile(file: string): ConfigFile | null {
  const read = readBounded(file);
  if (read === null) return null;
  if (read.text === null) return { file, table: null, positions: new Map(), problems: read.problems };
  const parsed = parseConfigText(file, read.text);
  return { ...parsed, problems: [...read.problems, ...parsed.problems] };
}

/** Parse the text of a configuration file; `file` is only its name in problems. */
function parseConfigText(file: string, text: string): ConfigFile {
  // A few bytes a value, and some hundred in memory for each: judged before any is made.
  if ((text.match(/[=[{,.]/g)?.length ?? 0) > MAX_PARTS)
    return unread(file, "too many keys and values for one file");
  const positions = locateKeys(text);
  const problems = secretLines(file, text, positions);
  try {
    const table = parse(text, { maxDepth: MAX_NESTING }) as Record<string, unknown>;
    // The parser bounds brackets, not names with dots.
    if (isDeeper(table, MAX_NESTING)) return unread(file, `tables nested deeper than ${MAX_NESTING} levels`);
    return { file, table, positions, problems };
  } catch (error) {
    return { file, table: null, positions, problems: [syntaxProblem(file, text, error), ...problems] };
  }
}

function unread(file: string, message: string): ConfigFile {
  const nextStep = "foundry-agent config show  # names every key that there is";
  const problem = { file, line: null, column: null, key: null, message, nextStep };
  return { file, table: null, positions: new Map(), problems: [problem] };
}

/** Level by level, without recursion. */
function isDeeper(table: object, levels: number): boolean {
  let level: object[] = [table];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > levels) return true;
    level = level.flatMap((item) =>
      Object.values(item).filter((inner) => inner !== null && typeof inner === "object"),
    );
  }
  return false;
}

/** The problem of a secret inside the configuration. */
export function secretProblem(
  file: string,
  line: number | null,
  column: number | null,
  key: string | null,
): Problem {
  return {
    file,
    line,
    column,
    key,
    message: "a key or token stands in the configuration itself, expected the name of a file that holds it",
    nextStep:
      "move it to a file of its own (chmod 0600; for the service chown root:foundry-agent and chmod 0640), name that file in a *_file key, and replace the key: it may have been seen",
  };
}

function readBounded(file: string): { text: string | null; problems: Problem[] } | null {
  const whole = (message: string, nextStep: string): { text: null; problems: Problem[] } => ({
    text: null,
    problems: [{ file, line: null, column: null, key: null, message, nextStep }],
  });
  let fd: number;
  try {
    // O_NONBLOCK: a FIFO in its place must be a problem and not a hang.
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT") return null;
    if (code === "ENOTDIR") return whole("a part of the path is no folder", `ls -ld ${shellWord(file)}`);
    return whole(
      `the file can't be read: ${systemWords(error)}`,
      `chmod u+r,g+r ${shellWord(file)}  # or run as its owner`,
    );
  }
  try {
    const { mode, size } = fstatSync(fd);
    if ((mode & constants.S_IFMT) !== constants.S_IFREG)
      return whole("expected a regular file", `ls -lL ${shellWord(file)}`);
    if (size > MAX_CONFIG_BYTES)
      return whole(
        `the file has ${size} bytes, expected at most ${MAX_CONFIG_BYTES}`,
        "split it into conf.d/*.toml",
      );
    const problems: Problem[] = [];
    if ((mode & 0o002) !== 0) {
      const message = "everybody on this host may write this file, expected only its owner and group";
      problems.push({
        file,
        line: null,
        column: null,
        key: null,
        message,
        nextStep: `chmod o-w ${shellWord(file)}`,
      });
    }
    const buffer = Buffer.alloc(MAX_CONFIG_BYTES + 1);
    let length = 0;
    for (let got = -1; got !== 0 && length < buffer.length; length += got)
      got = readSync(fd, buffer, length, buffer.length - length, null);
    if (length > MAX_CONFIG_BYTES) return whole("the file grew while it was read", "try again");
    const text = decode(buffer.subarray(0, length));
    return text === null
      ? whole("expected text in UTF-8", `iconv -f latin1 -t utf8 ${shellWord(file)}`)
      : { text, problems };
  } catch (error) {
    return whole(`the file can't be read: ${systemWords(error)}`, `ls -l ${shellWord(file)}`);
  } finally {
    closeSync(fd);
  }
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Peggy's errors carry `location`, `found` and a long list of what could follow; the compiler's a line and a sentence. */
interface ParserError {
  readonly message?: string;
  readonly found?: string | null;
  readonly location?: { readonly start: Position };
  readonly line?: number;
  readonly column?: number;
}

function syntaxProblem(file: string, text: string, error: unknown): Problem {
  const thrown = error as ParserError;
  const line = thrown.location?.start.line ?? thrown.line ?? null;
  const column = thrown.location?.start.column ?? thrown.column ?? null;
  const source = line === null ? "" : (text.split("\n")[line - 1] ?? "");
  return { file, line, column, key: null, ...explain(thrown, source, column) };
}

function explain(
  error: ParserError,
  source: string,
  column: number | null,
): { message: string; nextStep: string } {
  if (error.location === undefined) {
    const message = clause(shownKey(error.message ?? "the text can't be parsed"));
    return { message: `not valid TOML: ${message}`, nextStep: "give each key and each [table] once" };
  }
  const unexpected = unexpectedText(error.found ?? null);
  const bare = /^[^#"']*?=\s*([A-Za-z/~][^"'[{]*)$/.exec(source.slice(0, 4096).trimEnd());
  if (bare?.[1] !== undefined && column !== null && column > source.indexOf("=")) {
    return /^(?:true|false|yes|no|on|off)\b/i.test(bare[1])
      ? {
          message: `not valid TOML: ${unexpected}, expected true or false`,
          nextStep: "write true or false, in small letters",
        }
      : { message: "not valid TOML: expected quotes around a text", nextStep: 'write it as: key = "text"' };
  }
  return {
    message: `not valid TOML: ${unexpected}`,
    nextStep: "correct the line, then: foundry-agent config check",
  };
}

function unexpectedText(found: string | null): string {
  if (found === null) return "the text ends too early";
  if (found === "\n" || found === "\r") return "the line ends too early (a quote or bracket not closed?)";
  return `unexpected ${printable(`"${found}"`)}`;
}

/** Secrets anywhere in the text, comments and broken lines included: one problem a line. */
function secretLines(file: string, text: string, positions: ReadonlyMap<string, Position>): Problem[] {
  if (!looksSecret(text)) return [];
  const found: Problem[] = [];
  text.split("\n").forEach((source, index) => {
    if (!looksSecret(source)) return;
    const line = index + 1;
    const key = source.trimStart().startsWith("#") ? null : keyAtLine(line, positions);
    found.push(secretProblem(file, line, null, key));
  });
  return found;
}

/** The last key that begins on or above a line: the one whose value reaches it. */
function keyAtLine(line: number, positions: ReadonlyMap<string, Position>): string | null {
  let best: string | null = null;
  let bestLine = 0;
  for (const [key, position] of positions) {
    if (position.line <= line && position.line >= bestLine) {
      best = key;
      bestLine = position.line;
    }
  }
  return best === null ? null : shownKey(best.replace(/\[\d+\]$/, ""));
}
