/**
 * What must never be seen, taken out of any text: keys and tokens of control APIs by their prefixes, credentials
 * of Authorization headers, passwords in URLs, private keys in PEM. And control characters,
 * by which a device's model name could rewrite a terminal.
 */

interface Tokens {
  /** A whole one; its prefix in group 1. */
  readonly whole: RegExp;
  /** That there is one. */
  readonly begins: RegExp;
}

/** How keys and tokens of the control APIs begin, all of which stand above this file; main.ts says it. */
let prefixesOf: () => readonly string[] = () => [];
let known: Tokens | null = null;

/**
 * Say how keys and tokens begin (`xy_live_`), once, at the very beginning of a process: whoever prints or logs hides
 * them, the helper too.
 * @param prefixes asked for with the first text that may hold one
 */
export function hideTokens(prefixes: () => readonly string[]): void {
  prefixesOf = prefixes;
  known = null;
}

function tokens(): Tokens {
  known ??= tokensOf(prefixesOf());
  return known;
}

function tokensOf(prefixes: readonly string[]): Tokens {
  if (prefixes.length === 0) return { whole: /(?!)/g, begins: /(?!)/ };
  const kinds = prefixes.map((prefix) => {
    // What goes on as a longer prefix is that one's: only such a prefix ("xy_live_…") is a word of sentences.
    const longer = prefixes.filter((other) => other !== prefix && other.startsWith(prefix));
    const not = longer.map((other) => escaped(other.slice(prefix.length))).join("|");
    return `${escaped(prefix)}${not === "" ? "" : `(?!${not})`}`;
  });
  // A token goes on as long as a URL-safe character follows. One character behind the prefix is enough: a
  // cut-off token must not slip through because it got short. And nothing is asked of what stands before
  // it: in JSON text that may be the letter of a "\n". (A name that ends like a prefix is the price.)
  return {
    whole: new RegExp(`(${kinds.join("|")})[A-Za-z0-9_\\-.~+/=]+`, "gi"),
    begins: new RegExp(`(?<![A-Za-z])(?:${kinds.join("|")})[A-Za-z0-9]`, "i"),
  };
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

const BEARER = /\b(bearer)\s+(?=\S*\d|\S{16})[A-Za-z0-9_\-.~+/=]{6,}/gi;
// "Token …" and "Basic …" are words of sentences too: only what is long and has a digit is a credential.
const CREDENTIAL = /\b(basic|digest|token)\s+(?=\S*\d)[A-Za-z0-9_\-.~+/=]{16,}/gi;
const HEADER = /((?:proxy-)?authorization\\?["']?\s*[:=]\s*\\?["']?)(?!\[)[^\s"',;}]+(?:\s+[^\s"',;}]+)?/gi;
const URL_PASSWORD = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/"'<>]+@/gi;
const JSON_WEB_TOKEN = /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?/g;
const PRIVATE_KEY = /-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]*?(?:-----END \1-----|$)/g;

/** `text` with every secret it shows replaced by a mark that still names its kind: `xy_live_[hidden]`. */
export function scrubSecrets(text: string): string {
  // Nearly every text is clean: a few searches for plain words are cheaper than five replacements.
  if (!/[a-z]_[a-z0-9]|eyJ|bearer|basic|digest|token|authorization|:\/\/|private key/i.test(text))
    return text;
  return text
    .replace(PRIVATE_KEY, "[$1 hidden]")
    .replace(tokens().whole, (_all, prefix: string) => `${prefix.toLowerCase()}[hidden]`)
    .replace(URL_PASSWORD, "$1[hidden]@")
    .replace(HEADER, "$1[hidden]")
    .replace(BEARER, "$1 [hidden]")
    .replace(CREDENTIAL, "$1 [hidden]")
    .replace(JSON_WEB_TOKEN, "[token hidden]");
}

/** Whether a value is, or holds, a key, token or private key that belongs in a file of its own. */
export function looksSecret(text: string): boolean {
  return tokens().begins.test(text) || /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text);
}

// C0 (with ESC), DEL, C1 and what reorders or hides text: bidirectional controls, zero-width characters.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** One printable line: line breaks and tabs become a space, every other control character `?`. */
export function printable(text: string): string {
  return text
    .replace(/[\t\n\r\v\f]+/g, " ")
    .replace(UNPRINTABLE, "?")
    .toWellFormed();
}

/** A name from a file as it may be printed: no secrets, no control characters, not endless. */
export function shownKey(key: string): string {
  const shown = printable(scrubSecrets(key));
  return shown.length > 100 ? `${shown.slice(0, 99)}…` : shown;
}

/** At most so many characters, with "..." behind what was cut off; no character is cut in two. */
export function cutTo(characters: number, text: string): string {
  if (text.length <= characters) return text;
  // Two units are a character at most: what is behind these can't be among the first.
  const all = [...text.slice(0, 2 * characters + 1)];
  return all.length <= characters ? text : `${all.slice(0, characters).join("")}...`;
}
