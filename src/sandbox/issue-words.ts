/** What does not fit a schema, said for whoever sent it: the words of the schema library are for programmers. Pure. */
import * as v from "valibot";
import { clause } from "../model/text/sentence.ts";

// biome-ignore format: a table is read by its columns
const NEEDED: Readonly<Record<string, (requirement: string) => string>> = {
  min_value:  (least) => `must be at least ${least}`,
  max_value:  (most) => `must be at most ${most}`,
  min_length: (least) => `must have a length of at least ${least}`,
  max_length: (most) => `must have a length of at most ${most}`,
  integer:    () => "must be a whole number",
  regex:      () => "is not written as it should be",
};
// biome-ignore format: a table is read by its columns
const KINDS: Readonly<Record<string, string>> = {
  string: "a text", number: "a number", boolean: "true or false", array: "a list",
  object: "an object", strict_object: "an object", record: "an object",
};
const SHOWN = 60;

/** A sentence that begins with the field where there is one: `params.method must be one of "graceful", "hard", not "x".` */
export function issueWords(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue) ?? "";
  const unknown = issue.type === "strict_object" && issue.expected === "never";
  if (unknown) return `There is no field ${shown(path)} here.`;
  return `${path === "" ? "What was sent" : shown(path)} ${problemOf(issue)}.`;
}

function problemOf({ type, kind, input, expected, requirement, message }: v.BaseIssue<unknown>): string {
  if (input === undefined) return "is missing";
  if (kind === "schema" && KINDS[type] !== undefined) return `must be ${KINDS[type]}, not ${found(input)}`;
  if (type === "literal") return `must be ${expected}, not ${found(input)}`;
  if (type === "picklist")
    return `must be one of ${(expected ?? "")
      .replace(/^\(|\)$/g, "")
      .split(" | ")
      .join(", ")}, not ${found(input)}`;
  const needed = NEEDED[type];
  if (needed !== undefined) return `${needed(String(requirement))}, and is ${found(input)}`;
  // A schema's own words, where it has some.
  return /^Invalid /.test(message) ? `can't be ${found(input)}` : clause(message);
}

function found(input: unknown): string {
  if (Array.isArray(input)) return "a list";
  if (input !== null && typeof input === "object") return "an object";
  return shown(JSON.stringify(input) ?? "that");
}

function shown(text: string): string {
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}\u2026`.toWellFormed();
}
