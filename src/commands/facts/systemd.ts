/**
 * What systemd-logind keeps in /run/systemd for its own restarts: block inhibitors and sessions, one file each of
 * `KEY=value` lines (systemd's src/login/logind-inhibit.c and logind-session.c). Asking logind itself would need D-Bus.
 */
import { errorCode } from "../../model/errors.ts";
import { printable } from "../../model/text/scrub.ts";
import type { Files } from "../../system/files.ts";
import type { Inhibitor } from "../gates/gate.ts";

const INHIBIT = "/run/systemd/inhibit";
const SESSIONS = "/run/systemd/sessions";
const MAX_FILES = 500;
const MAX_TEXT = 200;

export interface Listed<T> {
  readonly found: readonly T[];
  /** What could not be read; null: all could. */
  readonly unreadable: string | null;
}

/**
 * Programs that block a shutdown. `delay` is a matter of seconds that logind waits for by itself; `block-weak` does
 * not hold against root by its definition, and the helper is root: neither is waited for.
 */
export function readInhibitors(files: Files): Listed<Inhibitor> {
  return readEach(files, INHIBIT, (fields) => {
    if (!(fields.get("WHAT") ?? "").split(":").includes("shutdown")) return null;
    // logind takes a file without MODE for one that blocks.
    if ((fields.get("MODE") ?? "block") !== "block") return null;
    return { who: fields.get("WHO") ?? "", why: fields.get("WHY") ?? "" };
  });
}

/** People who are logged in: `ada on pts/0 from 10.0.0.5`. */
export function readSessions(files: Files): Listed<string> {
  return readEach(files, SESSIONS, (fields) => {
    if (!/^user(?:-|$)/.test(fields.get("CLASS") ?? "") || fields.get("STATE") === "closing") return null;
    const user = fields.get("USER") ?? `uid ${fields.get("UID") ?? "?"}`;
    const at = fields.get("TTY") ?? fields.get("TYPE");
    const from = fields.get("REMOTE_HOST");
    return `${user}${at ? ` on ${at}` : ""}${from ? ` from ${from}` : ""}`;
  });
}

function readEach<T>(
  files: Files,
  folder: string,
  take: (fields: ReadonlyMap<string, string>) => T | null,
): Listed<T> {
  const found: T[] = [];
  const names = files.list(folder);
  // Whether its content is hidden shows at a name in it; no folder at all: no logind, so nobody to ask it.
  if (names.length === 0 && hidden(files, folder)) return { found, unreadable: `${folder} can't be read` };
  let unreadable = names.length > MAX_FILES ? `${folder} has more than ${MAX_FILES} files` : null;
  for (const name of names.slice(0, MAX_FILES)) {
    // FIFOs, and files that are just being written.
    if (name.endsWith(".ref") || name.startsWith(".")) continue;
    try {
      const taken = take(parseFields(files.read(`${folder}/${name}`)));
      if (taken !== null) found.push(taken);
    } catch (error) {
      const code = errorCode(error);
      if (code !== "ENOENT") unreadable ??= `${folder}/${printable(name)} can't be read (${code})`;
    }
  }
  return { found, unreadable };
}

function hidden(files: Files, folder: string): boolean {
  if (files.presence(`${folder}/x`) === "denied") return true;
  const info = files.info(folder);
  // May be entered and not listed.
  if (info === null || (info.mode & 0o444) === 0o444) return false;
  try {
    files.read(folder);
    return false;
  } catch (error) {
    return errorCode(error) === "EACCES";
  }
}

/** `KEY=value`, older systemd bare, newer in double quotes where needed, in both C escapes (`\x20`, `\n`, `\303`). Pure. */
export function parseFields(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split("\n")) {
    const equals = line.indexOf("=");
    if (equals <= 0 || line.startsWith("#")) continue;
    let value = line.slice(equals + 1);
    if (value.length >= 2 && value.startsWith('"') && value.endsWith('"'))
      value = value.slice(1, -1).replace(/\\(["\\$`])/g, "$1");
    fields.set(line.slice(0, equals), printable(unescapeBytes(value)).trim().slice(0, MAX_TEXT));
  }
  return fields;
}

/** Bytes that were escaped one by one are put together to UTF-8 again. */
function unescapeBytes(text: string): string {
  if (!text.includes("\\")) return text;
  const bytes: Buffer[] = [];
  const parts = /\\x([0-9a-f]{2})|\\([0-7]{3})|\\(.)|[^\\]+|\\$/giu;
  for (const [whole, hex, octal, letter] of text.matchAll(parts)) {
    if (hex !== undefined) bytes.push(Buffer.from([Number.parseInt(hex, 16)]));
    else if (octal !== undefined) bytes.push(Buffer.from([Number.parseInt(octal, 8) & 0xff]));
    else if (letter !== undefined) bytes.push(Buffer.from(/[abfnrtv]/.test(letter) ? " " : letter));
    else bytes.push(Buffer.from(whole));
  }
  return Buffer.concat(bytes).toString("utf8");
}
