/**
 * RFC 8785, JSON Canonicalization Scheme: one text for one value, so that whoever signs and whoever verifies
 * speak of the same bytes. What has no such text is refused and never repaired: a value that two readers could
 * take in two ways must not be signed at all.
 */
import { AgentError } from "./errors.ts";

/** Levels of objects and arrays. Also what ends a cycle. */
const MAX_DEPTH = 64;

/**
 * No white space, keys sorted by UTF-16 code units (3.2.3), numbers and strings as ECMAScript writes them
 * (3.2.2.2, 3.2.2.3). What is signed are its bytes in UTF-8.
 * @throws AgentError `not_canonical`: undefined, a function, symbol or bigint, an object that is neither plain
 * nor an array, NaN or an infinity, half of a surrogate pair, deeper than 64 levels (so also a cycle)
 */
export function canonicalJson(value: unknown): string {
  return written(value, 0);
}

function written(value: unknown, depth: number): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return writtenString(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw refused(`${value} is no number of JSON`);
    return JSON.stringify(value);
  }
  if (typeof value !== "object") throw refused(`a value of the type ${typeof value} is no JSON`);
  if (depth >= MAX_DEPTH) throw refused(`it is nested deeper than ${MAX_DEPTH} levels, or in itself`);
  // Array.from: a hole becomes undefined, which is refused, where map would pass over it.
  if (Array.isArray(value)) return `[${Array.from(value, (item) => written(item, depth + 1)).join(",")}]`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null)
    throw refused("an object of a class is no plain JSON");
  const fields = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, field]) => `${writtenString(key)}:${written(field, depth + 1)}`);
  return `{${fields.join(",")}}`;
}

function writtenString(text: string): string {
  if (!text.isWellFormed()) throw refused("a text has half of a surrogate pair");
  return JSON.stringify(text);
}

function refused(why: string): AgentError {
  return new AgentError("not_canonical", `there is no canonical JSON (RFC 8785) of it: ${why}`);
}
