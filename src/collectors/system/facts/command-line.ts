/** The kernel's command line (kernel, Documentation/admin-guide/kernel-parameters.rst), without what is a secret in it. */
import type { Files } from "../../../system/files.ts";
import { oneLine } from "../../linux/text.ts";

const MOST = 4096;
const HIDDEN = "***";
/** In the name of a parameter: what it is set to is for nobody else. */
const SECRET = /pass(?:wd|word|phrase)?|secret|token|cred|psk|auth|key(?!map|board|table|_?mode)/i;
/** Hashes and ids that are long without being secret. */
const PUBLIC = /hash$|uuid$|^root$|^resume$|^boot$/i;
const LOOKS_SECRET = /^[\w+=.~-]{32,}$/;
/** Values that hold a name and a secret: only the name is shown. */
const NAMED = /^(systemd\.(?:setenv|set_credential(?:_binary)?))=([\w.-]{1,64})[=:]/;

/** null: it can't be read. */
export function readCommandLine(files: Files): string | null {
  const raw = files.text("/proc/cmdline");
  return raw === null ? null : oneLine(withoutSecrets(raw), MOST);
}

/** Each parameter by itself; quotes hold one together, and what follows `--` is the first process' and left out. */
export function withoutSecrets(line: string): string {
  const words: readonly string[] = line.slice(0, 2 * MOST).match(/(?:[^\s"]|"[^"]*(?:"|$))+/g) ?? [];
  const end = words.indexOf("--");
  const shown = (end < 0 ? words : words.slice(0, end)).map(withoutSecret);
  return (end < 0 || end === words.length - 1 ? shown : [...shown, "--", HIDDEN]).join(" ");
}

function withoutSecret(word: string): string {
  const bare = word.replaceAll('"', "");
  const at = bare.indexOf("=");
  if (at < 0) return withoutLogin(word);
  const name = bare.slice(0, at);
  const [, parameter, what] = NAMED.exec(bare) ?? [];
  if (parameter !== undefined) return `${parameter}=${what}=${HIDDEN}`;
  const value = bare.slice(at + 1);
  const isSecret = SECRET.test(name) || (LOOKS_SECRET.test(value) && !PUBLIC.test(name));
  return isSecret && value !== "" ? `${name}=${HIDDEN}` : withoutLogin(word);
}

/** `https://user:password@host/…?token=…`, and iSCSI's `netroot=iscsi:user:password@host`. */
function withoutLogin(word: string): string {
  return word
    .replace(/(:\/\/)[^/@\s]*@/g, `$1${HIDDEN}@`)
    .replace(/(iscsi:)[^@\s]*@/gi, `$1${HIDDEN}@`)
    .replace(/(:\/\/[^?#\s]*)[?#].*$/, `$1?${HIDDEN}`);
}
