/**
 * Every text that stands in the sources, with its file and line: string literals and templates (a part that is computed
 * as "{}"), and no comment. What the program can say to people is in here, whichever way it gets to them.
 */
import { readFileSync } from "node:fs";
import { projectFiles } from "./project-files.ts";

export interface Literal {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  /** The code right before it. */
  readonly before: string;
}

/** Comments, templates and strings, in this order at each place; a regular expression can't be told from a division, so one that has quotes in it may give a literal too many. */
const TOKEN =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|`(?:\\[\s\S]|\$\{(?:[^{}]|\{[^{}]*\})*\}|[^`\\])*`|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g;

const COMPUTED = /\$\{((?:[^{}]|\{[^{}]*\})*)\}/g;

/** Of one file. */
export function literalsOf(file: string, source: string): Literal[] {
  return [...source.matchAll(TOKEN)].flatMap(({ 0: token, index }) => {
    if (token.startsWith("/")) return [];
    const line = source.slice(0, index).split("\n").length;
    const text = token
      .slice(1, -1)
      .replace(COMPUTED, "{}")
      .replace(/\\u2026/g, "\u2026")
      .replace(/\\(.)/g, (_, char: string) => (char === "n" ? "\n" : char));
    const within = token.startsWith("`") ? [...token.matchAll(COMPUTED)] : [];
    const inner = within.flatMap(({ 1: code = "" }) => literalsOf(file, code));
    return [
      { file, line, text, before: source.slice(Math.max(0, index - 30), index) },
      ...inner.map((one) => ({ ...one, line })),
    ];
  });
}

/** Of all files in src. */
export function allLiterals(): Literal[] {
  return projectFiles(["src"])
    .filter((path) => path.endsWith(".ts"))
    .flatMap((path) => literalsOf(path, readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8")));
}
