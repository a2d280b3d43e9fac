/**
 * What must never be seen, taken out of any text: NodeFoundry keys and tokens by their prefixes,
 * credentials of Authorization headers, passwords in URLs, private keys in PEM. And control characters,
 * by which a device's model name could rewrite a terminal.
 */

// A token goes on as long as a URL-safe character follows. One character behind the prefix is enough: a
// cut-off token must not slip through because it got short. And nothing is asked of what stands before
// it: in JSON text that may be the letter of a "\n". ("conf_en_x" is the price.)
// What is only such a prefix ("nf_sk_ro_…") is a word of sentences.
const TOKEN = /nf_(sk_(?:live|test|ro)|sk(?!_(?:live|test|ro)_)|nt|en)_[A-Za-z0-9_\-.~+/=]+/gi;
const BEARER = /\b(bearer)\s+(?=\S*\d|\S{16})[A-Za-z0-9_\-.~+/=]{6,}/gi;
// "Token …" and "Basic …" are words of sentences too: only what is long and has a digit is a credential.
const CREDENTIAL = /\b(basic|digest|token)\s+(?=\S*\d)[A-Za-z0-9_\-.~+/=]{16,}/gi;
const HEADER = /((?:proxy-)?authorization\\?["']?\s*[:=]\s*\\?["']?)(?!\[)[^\s"',;}]+(?:\s+[^\s"',;}]+)?/gi;
const URL_PASSWORD = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/"'<>]+@/gi;
const JSON_WEB_TOKEN = /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?/g;
const PRIVATE_KEY = /-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]*?(?:-----END \1-----|$)/g;

/** `text` with every secret it shows replaced by a mark that still names its kind: `nf_sk_live_[hidden]`. */
export function scrubSecrets(text: string): string {
  // Nearly every text is clean: a few searches for plain words are cheaper than five replacements.
  if (!/nf_|eyJ|bearer|basic|digest|token|authorization|:\/\/|private key/i.test(text)) return text;
  return text
    .replace(PRIVATE_KEY, "[$1 hidden]")
    .replace(TOKEN, (_all, kind: string) => `nf_${kind.toLowerCase()}_[hidden]`)
    .replace(URL_PASSWORD, "$1[hidden]@")
    .replace(HEADER, "$1[hidden]")
    .replace(BEARER, "$1 [hidden]")
    .replace(CREDENTIAL, "$1 [hidden]")
    .replace(JSON_WEB_TOKEN, "[token hidden]");
}

/** Whether a value is, or holds, a key, token or private key that belongs in a file of its own. */
export function looksSecret(text: string): boolean {
  return (
    /(?<![A-Za-z])nf_(?:sk|nt|en)_[A-Za-z0-9]/i.test(text) || /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)
  );
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
