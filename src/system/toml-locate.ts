/**
 * Where each key of a TOML text stands. The parser gives positions for syntax errors only, and "wrong type
 * in line 12" needs one for every key. Tolerant: any text gives some answer, in linear time; for a text
 * the parser accepts, every key and array item is found (fuzzed against the parser).
 *
 * Grammar: https://toml.io/en/v1.1.0
 */
import { parse } from "toml";

/** Both count from 1; a column counts UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** `metrics.listen`, `report.exclude[0]`, `collectors."a.b".x`: how a key is named to people and in maps. */
export function keyText(path: readonly (string | number)[]): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else {
      const name = /^[A-Za-z0-9_-]+$/.test(part) ? part : JSON.stringify(part);
      text += text === "" ? name : `.${name}`;
    }
  }
  return text;
}

type Path = (string | number)[];

/** An inner value deeper than this is skipped; the configuration's parser refuses it anyway. */
const MAX_DEPTH = 64;

/**
 * Position of the first mention of every key, table and array item, by `keyText`. A table that is only
 * implied (`a` in `[a.b]`) stands where it is first implied.
 */
export function locateKeys(text: string): Map<string, Position> {
  const found = new Map<string, Position>();
  const arrayTables = new Map<string, number>(); // length so far, by keyText
  const lines = lineCounter(text);
  let at = 0;

  function note(path: Path, offset: number): void {
    const key = keyText(path);
    if (!found.has(key)) found.set(key, lines(offset));
  }

  function skip(pattern: RegExp): void {
    pattern.lastIndex = at;
    if (pattern.test(text)) at = pattern.lastIndex;
  }
  const skipBlank = (): void => skip(/[ \t]*/y);
  // Comments too: between array items, in inline tables, between statements.
  const skipSpace = (): void => skip(/(?:[ \t\r\n]|#[^\n]*)*/y);
  const skipLine = (): void => skip(/[^\n]*/y);

  /** `a."b c".'d'`; null where no key stands. */
  function keyPath(): string[] | null {
    const path: string[] = [];
    for (;;) {
      skipBlank();
      const part = match(/[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\[^\n])*"|'[^'\n]*'/y);
      if (part === null) return null;
      path.push(unquote(part));
      skipBlank();
      if (text[at] !== ".") return path;
      at++;
    }
  }

  function match(pattern: RegExp): string | null {
    pattern.lastIndex = at;
    const hit = pattern.exec(text);
    if (hit === null) return null;
    at = pattern.lastIndex;
    return hit[0];
  }

  /** Past a string, array, inline table or bare value, noting what is inside. */
  function value(path: Path, depth: number): void {
    const start = text.slice(at, at + 3);
    if (depth > MAX_DEPTH) skipLine();
    else if (start === '"""') skip(/"""(?:[^"\\]|\\[\s\S]?|"{1,2}(?!"))*(?:"{3,5}|$)/y);
    else if (start === "'''") skip(/'''(?:[^']|'{1,2}(?!'))*(?:'{3,5}|$)/y);
    else if (start[0] === '"') skip(/"(?:[^"\\\n]|\\[^\n])*"?/y);
    else if (start[0] === "'") skip(/'[^'\n]*'?/y);
    else if (start[0] === "[") array(path, depth);
    else if (start[0] === "{") inlineTable(path, depth);
    else skip(/[^,\]}\n#]*/y); // numbers, booleans, dates (which may hold one blank)
  }

  function array(path: Path, depth: number): void {
    at++;
    for (let index = 0; at < text.length; ) {
      skipSpace();
      if (text[at] === "]") {
        at++;
        return;
      }
      if (text[at] === ",") {
        at++;
        continue;
      }
      const before = at;
      note([...path, index], at);
      value([...path, index], depth + 1);
      if (at === before) at++; // a stray character: on, whatever it is
      index++;
    }
  }

  function inlineTable(path: Path, depth: number): void {
    at++;
    while (at < text.length) {
      skipSpace();
      if (text[at] === "}") {
        at++;
        return;
      }
      if (text[at] === ",") {
        at++;
        continue;
      }
      if (!assignment(path, depth)) at++;
    }
  }

  /** `key = value`; false where none stands. */
  function assignment(prefix: Path, depth: number): boolean {
    const start = at;
    const key = keyPath();
    if (key === null || text[at] !== "=") return false;
    for (let length = 1; length <= key.length; length++) note([...prefix, ...key.slice(0, length)], start);
    at++;
    skipBlank();
    value([...prefix, ...key], depth + 1);
    return true;
  }

  /** `[a.b]` and `[[a.b]]`: the path of what follows. A name of an array of tables means its last item. */
  function header(): Path {
    const start = at;
    const isArray = text.startsWith("[[", at);
    at += isArray ? 2 : 1;
    const key = keyPath() ?? [];
    let path: Path = [];
    key.forEach((part, index) => {
      path = [...path, part];
      const name = keyText(path);
      note(path, start);
      const length = arrayTables.get(name) ?? 0;
      if (isArray && index === key.length - 1) {
        arrayTables.set(name, length + 1);
        path = [...path, length];
        note(path, start);
      } else if (length > 0) path = [...path, length - 1];
    });
    skipLine();
    return path;
  }

  let prefix: Path = [];
  if (text.startsWith("\ufeff")) at = 1;
  while (at < text.length) {
    skipSpace();
    if (at >= text.length) break;
    if (text[at] === "[") prefix = header();
    else {
      assignment(prefix, 0);
      skipLine();
    }
  }
  return found;
}

function unquote(part: string): string {
  if (part.startsWith("'")) return part.slice(1, -1);
  if (!part.startsWith('"')) return part;
  if (!part.includes("\\")) return part.slice(1, -1);
  try {
    return Object.keys(parse(`${part} = 0`) as object)[0] ?? part; // the parser knows every escape
  } catch {
    return part.slice(1, -1);
  }
}

/** Offsets must be asked in about rising order: it counts on from the last one. */
function lineCounter(text: string): (offset: number) => Position {
  let line = 1;
  let lineStart = 0;
  return (offset) => {
    if (offset < lineStart) {
      line = 1;
      lineStart = 0;
    }
    for (;;) {
      const next = text.indexOf("\n", lineStart);
      if (next === -1 || next >= offset) break;
      line++;
      lineStart = next + 1;
    }
    return { line, column: offset - lineStart + 1 };
  };
}
