/**
 * A parsed configuration table against the declarations: what is unknown, of the wrong type or a secret
 * becomes a problem; what is right comes out flat, so that files merge by "later wins" key by key.
 */
import * as v from "valibot";
import type { KeyDeclaration } from "../model/config-key.ts";
import { looksSecret, shownKey } from "../model/text/scrub.ts";
import { nearest } from "../model/text/suggest.ts";
import { keyText } from "../system/toml-locate.ts";
import { type ConfigFile, type Problem, secretProblem } from "./file.ts";
import { COLLECTOR_KEYS, MOVED_KEYS, SECTIONS } from "./keys.ts";

/** What the configuration has to know of a collector; every Collector is one. */
export interface KnownCollector {
  readonly name: string;
  /** Its own options by name. Without it every option passes, as it is. */
  readonly options?: Readonly<Record<string, v.GenericSchema>>;
  readonly schema?: v.GenericSchema; // of its section's data: the fields that `report.exclude` may name
}

/** One accepted value: `["collectors", "drives", "drivetemp"]` → true. */
export interface Setting {
  readonly path: readonly string[];
  readonly value: unknown;
}

const SECTION_NAMES = [...Object.keys(SECTIONS), "collectors"];
const OPTION_NAME = /^[a-z][a-z0-9_]*$/;

/**
 * @param known the collectors there are; null: any name is taken for one
 * @returns accepted settings by `keyText`, and all problems
 */
export function checkTable(
  source: ConfigFile,
  known: readonly KnownCollector[] | null,
): { settings: Map<string, Setting>; problems: Problem[] } {
  const settings = new Map<string, Setting>();
  const problems: Problem[] = [];
  const secretsSeen = new Set(source.problems.map((problem) => problem.line));

  function problem(path: readonly (string | number)[], message: string, nextStep: string): void {
    const key = keyText(path);
    const position = source.positions.get(key);
    const { line = null, column = null } = position ?? {};
    problems.push({ file: source.file, line, column, key: shownKey(key), message, nextStep });
  }

  /** True when the value holds a secret; said once, also when the text of the line did not show it. */
  function secret(path: readonly string[], value: unknown): boolean {
    if (!holdsSecret(value)) return false;
    const key = keyText(path);
    const position = source.positions.get(key);
    const told = position !== undefined && linesOf(key).some((line) => secretsSeen.has(line));
    if (!told)
      problems.push(
        secretProblem(source.file, position?.line ?? null, position?.column ?? null, shownKey(key)),
      );
    return true;
  }

  /** Lines that a key, what is inside it, and the rest of its value stand on. */
  function linesOf(key: string): number[] {
    const start = source.positions.get(key)?.line ?? 0;
    let end = Number.POSITIVE_INFINITY;
    for (const [other, { line }] of source.positions)
      if (line > start && line < end && !other.startsWith(`${key}[`) && !other.startsWith(`${key}.`))
        end = line;
    return [...secretsSeen].filter((line): line is number => line !== null && line >= start && line <= end);
  }

  function value(path: readonly string[], declared: KeyDeclaration, given: unknown): void {
    if (secret(path, given)) return;
    const result = v.safeParse(declared.schema, given);
    if (result.success) {
      settings.set(keyText(path), { path, value: result.output });
      return;
    }
    // The good items of a list hold: one mistyped pattern must not let out what the others keep in.
    const good = Array.isArray(given) ? given.filter((item) => v.is(declared.schema, [item])) : [];
    if (good.length > 0 && v.is(declared.schema, good)) settings.set(keyText(path), { path, value: good });
    for (const { at, input, found } of wrongPlaces(result.issues)) {
      const name = path.at(-1) ?? "";
      const word = wordMeant(declared, input);
      const bare = word === null ? withoutQuotes(declared, input) : null;
      const meant = word === null ? null : nearest(word, declared.choices);
      const shown =
        word !== null ? `, found "${word}"` : bare !== null ? `, found "${bare}" in quotes` : found;
      const hint = meant === null ? "" : ` (did you mean "${meant}"?)`;
      problem(
        [...path, ...at],
        `expected ${declared.expected}${shown}${hint}`,
        meant === null && bare === null
          ? `write for example: ${name} = ${declared.example}`
          : `write: ${name} = ${bare ?? JSON.stringify(meant)}`,
      );
    }
  }

  function section(name: string, given: Readonly<Record<string, unknown>>): void {
    const keys = SECTIONS[name]?.keys ?? {};
    for (const [key, inner] of Object.entries(given)) {
      const declared = Object.hasOwn(keys, key) ? keys[key] : undefined;
      if (declared) value([name, key], declared, inner);
      else unknownKey([name, key], Object.keys(keys), inner);
    }
  }

  function unknownKey(path: readonly string[], candidates: readonly string[], given: unknown): void {
    secret(path, given);
    const listed = candidates.join(", ");
    const moved = MOVED_KEYS.get(path.join("."));
    const name = path.at(-1) ?? "";
    const home = Object.entries(SECTIONS).find(([, declared]) => Object.hasOwn(declared.keys, name))?.[0];
    const meant = nearest(name, candidates);
    const what = path.length === 1 ? "section" : "key";
    if (moved !== undefined) problem(path, moved.message, moved.nextStep);
    else if (meant !== null)
      problem(path, `unknown ${what}, did you mean "${meant}"?`, `write ${meant} instead, or remove it`);
    else if (home !== undefined) problem(path, `this key belongs in [${home}]`, `move it below [${home}]`);
    else problem(path, `unknown ${what}, expected one of: ${listed}`, "remove it, or correct its name");
  }

  function collector(name: string, given: Readonly<Record<string, unknown>>): void {
    const found = known?.find((one) => one.name === name);
    const options = found?.options;
    const keys: Readonly<Record<string, KeyDeclaration>> = COLLECTOR_KEYS;
    for (const [key, inner] of Object.entries(given)) {
      const path = ["collectors", name, key];
      if (Object.hasOwn(keys, key)) value(path, keys[key] as KeyDeclaration, inner);
      else if (options !== undefined && !Object.hasOwn(options, key))
        unknownKey(path, [...Object.keys(keys), ...Object.keys(options)], inner);
      else if (!OPTION_NAME.test(key))
        problem(path, "expected a name in small letters, like_this", "correct its name");
      else if (options === undefined) option(path, inner);
      else ownOption(path, options[key] as v.GenericSchema, inner);
    }
  }

  function ownOption(path: readonly string[], schema: v.GenericSchema, given: unknown): void {
    if (secret(path, given)) return;
    const result = v.safeParse(schema, given);
    if (result.success) settings.set(keyText(path), { path, value: given });
    else
      for (const { at, expected, found } of wrongPlaces(result.issues))
        problem([...path, ...at], `expected ${expected}${found}`, "see docs/collectors.md");
  }

  /** Passed through; tables are taken apart so that they merge. */
  function option(path: readonly string[], given: unknown): void {
    if (isTable(given)) {
      for (const [key, inner] of Object.entries(given)) {
        if (OPTION_NAME.test(key)) option([...path, key], inner);
        else problem([...path, key], "expected a name in small letters, like_this", "correct its name");
      }
    } else if (!secret(path, given)) settings.set(keyText(path), { path, value: given });
  }

  for (const [name, given] of Object.entries(source.table ?? {})) {
    if (!SECTION_NAMES.includes(name)) unknownKey([name], SECTION_NAMES, given);
    else if (!isTable(given)) {
      secret([name], given);
      problem([name], `expected a table, found ${foundWords(given)}`, `write [${name}] on a line of its own`);
    } else if (name !== "collectors") section(name, given);
    else
      for (const [one, inner] of Object.entries(given)) {
        if (known !== null && !known.some((collectorKnown) => collectorKnown.name === one))
          unknownCollector(one, inner, known);
        else if (isTable(inner)) collector(one, inner);
        else
          problem([name, one], `expected a table, found ${foundWords(inner)}`, `write [collectors.${one}]`);
      }
  }
  return { settings, problems };

  function unknownCollector(name: string, given: unknown, all: readonly KnownCollector[]): void {
    secret(["collectors", name], given);
    const names = all.map((one) => one.name);
    const meant = nearest(name, names);
    const hint = meant === null ? `, expected one of: ${names.join(", ")}` : `, did you mean "${meant}"?`;
    problem(
      ["collectors", name],
      `there is no such collector${hint}`,
      meant === null ? "remove the table" : `write [collectors.${meant}], or remove the table`,
    );
  }
}

interface WrongPlace {
  readonly at: readonly number[];
  readonly input: unknown;
  readonly expected: string;
  /** ", found a list", or nothing where the kind was right and only the text was not. */
  readonly found: string;
}

/** Each wrong place once: of a list the items, not the list and the items. */
function wrongPlaces(issues: readonly v.BaseIssue<unknown>[]): WrongPlace[] {
  const found = new Map<string, WrongPlace>();
  for (const issue of issues) {
    const at = (issue.path ?? []).map((item) => Number(item.key)).filter((index) => Number.isInteger(index));
    if (found.has(at.join())) continue;
    const { input, expected, kind } = issue;
    const right = kind === "validation" && typeof input === "string" && input !== "";
    found.set(at.join(), {
      at,
      input,
      expected: expected ?? "something else",
      found: right ? "" : `, found ${foundWords(input)}`,
    });
  }
  return [...found.values()];
}

/**
 * The word given where one of a few was to be chosen, when it can be shown: a value is not, since it could be
 * a secret in the wrong place, but nobody's secret is a short word of letters.
 */
function wordMeant({ choices }: KeyDeclaration, given: unknown): string | null {
  return choices.length > 0 && typeof given === "string" && /^[A-Za-z][A-Za-z_-]{0,15}$/.test(given)
    ? given
    : null;
}

/** What would be right without its quotes: a switch or a number. */
function withoutQuotes({ schema }: KeyDeclaration, given: unknown): string | null {
  if (typeof given !== "string" || !/^(?:true|false|0|[1-9]\d{0,5})$/.test(given)) return null;
  return v.is(schema, JSON.parse(given)) ? given : null;
}

/** What was found, by kind and never by value; numbers and booleans are no secrets. */
function foundWords(value: unknown): string {
  if (typeof value === "string") return value === "" ? "an empty text" : "a text";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return "a list";
  return value instanceof Date ? "a date" : "a table";
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value) && !(value instanceof Date);
}

function holdsSecret(value: unknown): boolean {
  if (typeof value === "string") return looksSecret(value);
  if (Array.isArray(value)) return value.some(holdsSecret);
  return (
    isTable(value) && Object.entries(value).some(([key, inner]) => looksSecret(key) || holdsSecret(inner))
  );
}
