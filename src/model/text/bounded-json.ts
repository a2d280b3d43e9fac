/**
 * JSON from outside, counted before anything of it is built. A few bytes can ask for a lot of memory: `{},` takes three
 * and makes an object of some dozens, gzip packs a thousand of them into five, and nesting is paid for again by
 * whoever walks through it. So depth, values and text are counted in the bytes themselves, in one pass and without
 * recursion, and only what stays within its bounds is parsed.
 */

/** The most that a source may send. */
export interface JsonBounds {
  /** Of the whole, in UTF-8. */
  readonly bytes: number;
  /** Levels of objects and arrays. */
  readonly depth: number;
  /** Objects, arrays, strings, numbers, … together; the name of a member is counted with its value. */
  readonly values: number;
  /** Bytes inside of quotes, names included, as they are written (an escape counts with its backslash). */
  readonly text: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
/** `[` and `]`; braces are the same with this bit more. */
const OPEN = 0x5b;
const CLOSE = 0x5d;
const BRACE = 0x20;

/**
 * What there is too much of, as the end of a sentence ("JSON nested deeper than 64 levels"); null: within its bounds.
 * Never more is built of a text than what is counted here: what is no JSON at all ends its parsing at the same place.
 */
export function jsonExcess(bytes: Uint8Array, bounds: JsonBounds): string | null {
  if (bytes.length > bounds.bytes) return `more than ${bounds.bytes} bytes of JSON`;
  const tooMany = `JSON with more than ${bounds.values} values`;
  let depth = 0;
  let values = 1;
  let text = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) {
      const from = at + 1;
      at = endOfString(bytes, from);
      text += at - from;
      if (text > bounds.text) return `JSON with more than ${bounds.text} bytes of text`;
    } else if (byte === COMMA) {
      if (++values > bounds.values) return tooMany;
    } else if ((byte | BRACE) === (OPEN | BRACE)) {
      if (++depth > bounds.depth) return `JSON nested deeper than ${bounds.depth} levels`;
      // The first in it; the others follow a comma. An empty one is counted for two.
      if (++values > bounds.values) return tooMany;
    } else if ((byte | BRACE) === (CLOSE | BRACE)) depth--;
  }
  return null;
}

/** Of the quote that ends the string, or the end of the text. */
function endOfString(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(QUOTE, from); at >= 0; at = bytes.indexOf(QUOTE, at + 1)) {
    let before = at - 1;
    while (before >= from && bytes[before] === BACKSLASH) before--;
    if ((at - before) % 2 === 1) return at;
  }
  return bytes.length;
}

export type ParsedJson =
  | { readonly value: unknown }
  /** The end of a sentence: `broken JSON`, or as `jsonExcess` says it. Nothing of the text is in it. */
  | { readonly wrong: string };

/** The value, or what is wrong with it. Never throws. */
export function parseBounded(json: Uint8Array | string, bounds: JsonBounds): ParsedJson {
  // A string has at least as many bytes as characters: what is far too long is not even copied.
  if (json.length > bounds.bytes) return { wrong: `more than ${bounds.bytes} bytes of JSON` };
  const wrong = jsonExcess(typeof json === "string" ? Buffer.from(json) : json, bounds);
  if (wrong !== null) return { wrong };
  try {
    return { value: JSON.parse(typeof json === "string" ? json : new TextDecoder().decode(json)) };
  } catch {
    return { wrong: "broken JSON" };
  }
}
