/**
 * /etc/foundry-agent/policy.toml: what this host lets be done to it, whoever asks. The helper reads it itself,
 * anew for each change, and on any doubt about the file (owner, mode, folder, syntax, a key it does not know)
 * nothing is allowed: a misspelt `alow` must not open what its author meant to close.
 */

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "toml";
import * as v from "valibot";
import { AgentError } from "../../model/errors.ts";
import { printable } from "../../model/text/scrub.ts";
import { shellWord } from "../../model/text/shell-word.ts";
import { nearest } from "../../model/text/suggest.ts";
import { keyText, locateKeys } from "../../system/toml-locate.ts";
import { parsePublicKey } from "./public-key.ts";
import { readTrusted } from "./trusted-file.ts";
import {
  ALLOWED_WORDS,
  type AllowedWord,
  allowedTo,
  DEFAULT_LIMITS,
  isPolicyWord,
  type Limit,
  POLICY_WORDS,
  type PolicyWord,
  SOURCE_WORD,
} from "./words.ts";

export const POLICY_PATH = "/etc/foundry-agent/policy.toml";
const MAX_POLICY_BYTES = 64 * 1024;

export interface Policy {
  /** `rehearse`: commands from the network go through every check, and nothing is done. */
  readonly remote: "off" | "rehearse" | "on";
  /** Ed25519, SPKI in DER as base64; null: signatures are not asked for. */
  readonly publicKey: string | null;
  /** This node's id as a signed command must name it; null: not said here. */
  readonly nodeId: string | null;
  /** Reboots although the record of what was done does not survive one. */
  readonly volatileState: boolean;
  /** By source; one that is not in it may have nothing done. */
  readonly allow: Readonly<Record<string, readonly AllowedWord[]>>;
  readonly limits: Readonly<Record<PolicyWord, Limit>>;
}

const MAX_SOURCES = 32;
/** The only source that is known here. */
const LOCAL = "local";
const words = v.pipe(v.array(v.picklist(ALLOWED_WORDS)), v.maxLength(64));
const count = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(max));
const limit = v.strictObject({ minutes_apart: v.optional(count(1_440)), a_day: v.optional(count(1_000)) });
const each = <K extends string, S extends v.GenericSchema>(keys: readonly K[], schema: S) =>
  Object.fromEntries(keys.map((key) => [key, schema])) as Record<K, S>;

/** Strict at every level: an unknown key is a refusal. */
const policySchema = v.strictObject({
  commands: v.optional(
    v.strictObject({
      remote: v.optional(v.picklist(["off", "rehearse", "on"]), "off"),
      public_key: v.optional(
        v.pipe(
          v.string(),
          v.check((text) => parsePublicKey(text) !== null, "an Ed25519 public key in base64"),
        ),
      ),
      node_id: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(64))),
      volatile_state: v.optional(v.boolean(), false),
    }),
    {},
  ),
  allow: v.optional(
    v.pipe(
      v.record(v.pipe(v.string(), v.regex(SOURCE_WORD)), words),
      v.check((allow) => Object.keys(allow).length <= MAX_SOURCES, `at most ${MAX_SOURCES} sources`),
    ),
    {},
  ),
  limits: v.optional(v.strictObject(each(POLICY_WORDS, v.optional(limit, {}))), {}),
});

/**
 * Read and judge the file.
 * @param owner uid besides root that may own it; 0 but in tests
 * @throws AgentError `policy_unusable`: one sentence with file, line and key, and the line to type
 */
export function readPolicy(path: string, owner: number): Policy {
  let text: string | null;
  try {
    text = readTrusted(path, owner, MAX_POLICY_BYTES);
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    throw unusable(error.message, error.nextStep ?? `ls -l ${shellWord(path)}`, error);
  }
  if (text === null) throw unusable(`there is no policy ${path}`, installStep(path));
  return parsePolicy(path, text);
}

/** As the package has it, and the checkout that this program runs in; an archive has it beside its install.sh. */
const SHIPPED: readonly string[] = [
  "/usr/share/doc/foundry-agent/policy.toml",
  join(dirname(process.argv[1] ?? "/"), "../packaging/policy.toml"),
];

/** The line that brings a policy to where there is none. */
export function installStep(path: string, shipped = SHIPPED): string {
  const from = shipped.find((file) => existsSync(file));
  if (from === undefined)
    return `put policy.toml of the release at ${path}, owned by root and writable by nobody else`;
  const owned = path === POLICY_PATH ? " -o root -g root" : "";
  return `install -m 0644${owned} ${shellWord(from)} ${shellWord(path)}`;
}

/** The text of a policy. @throws AgentError `policy_unusable` */
export function parsePolicy(path: string, text: string): Policy {
  const edit = `sudoedit ${shellWord(path)}`;
  let table: unknown;
  try {
    table = parse(text, { maxDepth: 8 });
  } catch (error) {
    const thrown = error as { location?: { start: { line: number } }; line?: number };
    const line = thrown.location?.start.line ?? thrown.line;
    throw unusable(`${path}${line === undefined ? "" : `:${line}`} is not valid TOML`, edit, error);
  }
  const read = v.safeParse(policySchema, table);
  if (!read.success) throw unusable(wrongPlace(path, text, read.issues[0]), edit);
  const { commands, allow, limits } = read.output;
  // Words of control APIs are not known here; but this one is, and its author meant to allow something.
  const misspelt = Object.keys(allow).find((source) => source !== LOCAL && nearest(source, [LOCAL]) !== null);
  if (misspelt !== undefined) throw unusable(unknownKey(path, text, ["allow", misspelt], LOCAL), edit);
  return {
    remote: commands.remote ?? "off",
    publicKey: commands.public_key === undefined ? null : parsePublicKey(commands.public_key),
    nodeId: commands.node_id ?? null,
    volatileState: commands.volatile_state ?? false,
    allow,
    limits: Object.fromEntries(
      POLICY_WORDS.map((word) => [
        word,
        {
          minutesApart: limits[word]?.minutes_apart ?? DEFAULT_LIMITS[word].minutesApart,
          aDay: limits[word]?.a_day ?? DEFAULT_LIMITS[word].aDay,
        },
      ]),
    ) as Record<PolicyWord, Limit>,
  };
}

/**
 * Why a kind of change is not allowed, or null when it is.
 * @param source where the main process says the command comes from: its word counts only against it. It can
 * claim another source, so what any source may do is the most that a hostile main can do.
 */
export function denial(policy: Policy, path: string, word: string, source: string | null): AgentError | null {
  const refuse = (sentence: string, line: string): AgentError =>
    new AgentError("helper_refused", sentence, `write ${line} in ${path}`);
  if (source === null || !SOURCE_WORD.test(source) || !isPolicyWord(word))
    return new AgentError(
      "helper_refused",
      source === null
        ? "it was not said for which command this is to be done"
        : `commands of ${source} for ${word} are not known here`,
    );
  const allowed = allowedTo(policy.allow, source);
  if (!allowed.includes(word)) {
    const list = [...allowed, word].map((item) => `"${item}"`).join(", ");
    return refuse(`the policy does not let ${source} do ${word}`, `${source} = [${list}] below [allow]`);
  }
  if (source !== "local" && policy.remote !== "on")
    return refuse(
      policy.remote === "off"
        ? "the policy lets no command from the network be carried out"
        : "commands from the network are only rehearsed on this host",
      'remote = "on" below [commands]',
    );
  return null;
}

function wrongPlace(path: string, text: string, issue: v.BaseIssue<unknown>): string {
  const keys = (issue.path ?? []).map(({ key }) => (typeof key === "number" ? key : String(key)));
  if (issue.type === "strict_object" && issue.expected === "never") {
    const name = String(keys.at(-1) ?? "");
    const known = keys.length <= 1 ? ["commands", "allow", "limits"] : candidatesBelow(String(keys[0]), keys);
    return unknownKey(path, text, keys, nearest(name, known));
  }
  const { place, key } = placeOf(path, text, keys);
  const expected =
    issue.type === "check"
      ? issue.message
      : (issue.expected ?? issue.type.replaceAll("_", " ")).replace(/^Object$/, "a table");
  return `${place}: ${key === "" ? "the file" : key} is not as expected (${expected.slice(0, 200)})`;
}

function unknownKey(path: string, text: string, keys: Keys, meant: string | null): string {
  const { place, key } = placeOf(path, text, keys);
  return `${place}: the key ${key} is not known${meant === null ? "" : ` (did you mean ${meant}?)`}`;
}

type Keys = readonly (string | number)[];

/** `FILE:LINE` and the key as it may be printed. */
function placeOf(path: string, text: string, keys: Keys): { place: string; key: string } {
  const line = locateKeys(text).get(keyText(keys))?.line;
  const key = printable(keyText(keys)).slice(0, 100);
  return { place: `${path}${line === undefined ? "" : `:${line}`}`, key };
}

function candidatesBelow(section: string, keys: readonly (string | number)[]): readonly string[] {
  if (section === "commands") return ["remote", "public_key", "node_id", "volatile_state"];
  return keys.length > 2 ? ["minutes_apart", "a_day"] : POLICY_WORDS;
}

function unusable(sentence: string, nextStep: string, cause?: unknown): AgentError {
  return new AgentError(
    "policy_unusable",
    `${sentence}, so nothing that changes anything is done`,
    nextStep,
    { cause },
  );
}
