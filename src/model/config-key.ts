/**
 * How a configuration key is declared: the kinds of value it may hold (a valibot schema, and beside it the words for
 * people, from which messages and documentation are made), and the types that follow from a table of keys.
 */
import * as v from "valibot";

export interface KeyDeclaration<T = unknown> {
  readonly schema: v.GenericSchema<unknown, T>;
  /** What is expected, after "expected": `true or false`. */
  readonly expected: string;
  /** Holds when the key is not given; null: see `absent`. */
  readonly fallback: T | null;
  /** What holds without the key where `fallback` can't say it: "the server's wish". */
  readonly absent: string | null;
  /** TOML text of a value. */
  readonly example: string;
  /** One or two sentences for the example file and docs/configuration.md. */
  readonly doc: string;
  /** The closed set of words, for suggestions. */
  readonly choices: readonly string[];
}

/** A key that always has a value: its own or the fallback. */
export type Always<T> = KeyDeclaration<T> & { readonly fallback: T };
/** A key that may be without value: null then. */
export type Maybe<T> = KeyDeclaration<T> & { readonly fallback: null };

/** A table of the file, `[name]`. */
export interface SectionDeclaration {
  readonly doc: string;
  readonly keys: Readonly<Record<string, KeyDeclaration>>;
}

type Camel<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name;

type ValueOf<Declared> =
  Declared extends KeyDeclaration<infer T> ? (Declared extends { fallback: null } ? T | null : T) : never;

/** The values of a table of keys, by their names in camelCase. */
export type SectionOf<Keys> = { readonly [Name in keyof Keys & string as Camel<Name>]: ValueOf<Keys[Name]> };

/** `cert_file` → `certFile`. */
export function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
}

/** What can't be seen from one key of a section alone. */
export interface SectionProblem {
  /** The key to point at. */
  readonly key: string;
  /** A clause: what is wrong, what was expected. */
  readonly message: string;
  readonly nextStep: string;
}

/** The problem of a pair of which only one is given. */
export function pairProblem(first: string, second: string, firstGiven: boolean): SectionProblem {
  const [key, missing] = firstGiven ? [first, second] : [second, first];
  const message = `${key} needs ${missing}, expected both or none`;
  return { key, message, nextStep: `set ${missing}, or remove ${key}` };
}

const MAX_TEXT = 4096;
const MAX_ITEMS = 1000;
// Without control characters, so that nothing of a configuration can rewrite a log or a header.
const PLAIN = /^[^\u0000-\u001f\u007f]+$/;

const text = v.pipe(v.string(), v.maxLength(MAX_TEXT), v.regex(PLAIN));

export function flag(fallback: boolean, doc: string): Always<boolean> {
  const schema = v.boolean();
  return {
    schema,
    expected: "true or false",
    fallback,
    absent: null,
    example: `${fallback}`,
    doc,
    choices: [],
  };
}

export function choice<const T extends string>(choices: readonly T[], fallback: T, doc: string): Always<T> {
  return {
    schema: v.picklist(choices) as v.GenericSchema<unknown, T>,
    expected: `one of ${choices.map((word) => `"${word}"`).join(", ")}`,
    fallback,
    absent: null,
    example: JSON.stringify(fallback),
    doc,
    choices,
  };
}

/** Whole seconds between `min` and `max`. */
export function seconds(
  min: number,
  max: number,
  absent: string,
  example: number,
  doc: string,
): Maybe<number> {
  return {
    schema: v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max)),
    expected: `a whole number of seconds from ${min} to ${max}`,
    fallback: null,
    absent,
    example: `${example}`,
    doc,
    choices: [],
  };
}

/** `seconds` that always has a value. */
export function span(min: number, max: number, fallback: number, doc: string): Always<number> {
  return { ...seconds(min, max, "", fallback, doc), fallback, absent: null };
}

interface Words {
  readonly expected: string;
  readonly example: string;
  readonly absent?: string;
  readonly doc: string;
}

/** A text that `accepts` it. */
export function word(accepts: (value: string) => boolean, words: Words): Maybe<string> {
  return {
    schema: v.pipe(text, v.check(accepts)),
    expected: words.expected,
    fallback: null,
    absent: words.absent ?? null,
    example: JSON.stringify(words.example),
    doc: words.doc,
    choices: [],
  };
}

/** A list of texts, each of which `accepts` it; empty without the key. */
export function words(accepts: (value: string) => boolean, declared: Words): Always<readonly string[]> {
  return {
    schema: v.pipe(v.array(v.pipe(text, v.check(accepts))), v.maxLength(MAX_ITEMS)),
    expected: declared.expected,
    fallback: [],
    absent: "[]",
    example: declared.example,
    doc: declared.doc,
    choices: [],
  };
}

export function folder(absent: string, example: string, doc: string): Maybe<string> {
  return word(isAbsolute, { expected: "an absolute path of a folder", example, absent, doc });
}

/** A file named by its absolute path, or a systemd credential: `credential:NAME`. */
export function file(example: string, doc: string): Maybe<string> {
  return word((value) => isAbsolute(value) || CREDENTIAL.test(value), {
    expected: 'an absolute path of a file, or "credential:NAME" for a systemd credential',
    example,
    doc,
  });
}

const CREDENTIAL = /^credential:[A-Za-z0-9_.-]{1,128}$/;

function isAbsolute(value: string): boolean {
  return value.startsWith("/") && !value.split("/").includes("..");
}

/** An URL without user, password, query and fragment. `plainHttp`: also http beyond loopback (a proxy). */
export function url(plainHttp: boolean, absent: string, example: string, doc: string): Maybe<string> {
  return word((value) => isServerUrl(value, plainHttp), {
    expected: plainHttp
      ? "a http:// or https:// URL of a host and port, without user, password or query"
      : "an https:// URL without user, password or query (http:// only for loopback)",
    absent,
    example,
    doc,
  });
}

function isServerUrl(value: string, plainHttp: boolean): boolean {
  if (/\s/.test(value) || !URL.canParse(value)) return false;
  const parsed = new URL(value);
  const bare = parsed.username === "" && parsed.password === "" && parsed.search === "" && parsed.hash === "";
  if (!bare || parsed.hostname === "") return false;
  if (parsed.protocol === "https:") return true;
  return parsed.protocol === "http:" && (plainHttp || isLoopback(parsed.hostname));
}

/** Whether a host (name or address, IPv6 with or without brackets) is this machine only. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, "");
  return name === "localhost" || name === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name);
}

export interface ListenAddress {
  /** Name or address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:9105`, `[::1]:9105`, `:9105` (every address); null for anything else. */
export function parseListen(value: string): ListenAddress | null {
  const found = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]*)):(\d{1,5})$/.exec(value);
  if (!found) return null;
  const port = Number(found[3]);
  const host = found[1] ?? (found[2] || "::");
  return port <= 65_535 ? { host, port } : null;
}
