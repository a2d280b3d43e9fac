/**
 * `foundry-agent commands sign`: a command with a signature, for hosts whose policy names a public key. Made to run
 * where that key is, which is no node: it asks no daemon and needs no network.
 */

import type { KeyObject } from "node:crypto";
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from "node:fs";
import { MAX_SIGNED_LIFE_MS, rfc3339, verifiedCommand } from "../../helper/policy/signed-command.ts";
import { AgentError, errorCode } from "../../model/errors.ts";
import { signedTextOf } from "../../model/signed-text.ts";
import { shellWord } from "../../model/text/shell-word.ts";
import { systemWords } from "../../model/text/system-words.ts";
import { nextUlid } from "../../model/ulid.ts";
import { readSecretFile } from "../../system/secret-file.ts";
import { EXIT, type Io, printJson } from "../output.ts";
import { type OptionDeclaration, usageError } from "../usage.ts";

/** For the sub-command that this is a word of. */
export const SIGN_OPTIONS: Readonly<Record<string, OptionDeclaration>> = {
  key: { type: "string", value: "FILE", help: "sign: private key (Ed25519; PEM, or 32 bytes in base64)" },
  node: { type: "string", value: "ID", help: "sign: the one node it is for" },
  type: { type: "string", value: "TYPE", help: "sign: what is to be done, such as reboot" },
  param: {
    type: "string",
    value: "NAME=VALUE",
    multiple: true,
    help: "sign: one of its params; the value is JSON or a plain word",
  },
  expires: { type: "string", value: "DURATION", help: "sign: how long it is good; 1h, at most 14d" },
  id: { type: "string", value: "ID", help: "sign: id of the command; else a new one" },
  mode: { type: "string", value: "live|test", help: "sign: live, or test, which touches no hardware" },
  "make-key": { type: "string", value: "FILE", help: "sign: write a new private key, print its public key" },
};

const HELP = "foundry-agent commands --help";
const DEFAULT_LIFE_MS = 3_600_000;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$/;
/** DER before the 32 bytes of a private key: version 0, AlgorithmIdentifier 1.3.101.112, OCTET STRING (RFC 8410, section 7). */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

/**
 * Print a signed command as JSON; with `--make-key` make a key pair instead.
 * @param values the parsed options of SIGN_OPTIONS
 * @returns the exit code
 * @throws AgentError `usage`, those of `readSecretFile`, `key_unusable`, `key_exists`, `key_unwritable`, `not_canonical`
 */
export function signCommand(values: Readonly<Record<string, unknown>>, io: Io): number {
  if (typeof values["make-key"] === "string") return makeKey(values["make-key"], values, io);
  const { key: file, node, type } = values;
  if (typeof file !== "string") throw usageError("commands sign needs --key FILE", HELP);
  if (typeof node !== "string" || !NAME.test(node))
    throw usageError(
      "commands sign needs --node ID, the id of one node",
      "foundry-agent status  # on that node",
    );
  if (typeof type !== "string" || !/^[a-z][a-z0-9_]{0,63}$/.test(type))
    throw usageError("commands sign needs --type TYPE, such as --type reboot", HELP);
  const issuedAt = io.now();
  const command = {
    id: idOf(values.id, issuedAt),
    node_id: node,
    mode: modeOf(values.mode),
    type,
    params: paramsOf(values.param),
    epoch: "signed",
    // Rises with each that is signed, as a server's own count does.
    seq: issuedAt,
    issued_at: rfc3339(issuedAt),
    expires_at: rfc3339(issuedAt + lifeOf(values.expires)),
  };
  const text = signedTextOf(command);
  const key = privateKey(file);
  const { sign } = process.getBuiltinModule("node:crypto");
  const signature = sign(null, Buffer.from(text), key).toString("base64");
  // What no node would take is not given out.
  verifiedCommand({ text, signature }, publicPart(key));
  printJson(io, { ...command, signature });
  return EXIT.ok;
}

function makeKey(file: string, values: Readonly<Record<string, unknown>>, io: Io): number {
  const other = Object.keys(SIGN_OPTIONS).find((name) => name !== "make-key" && values[name] !== undefined);
  if (other !== undefined) throw usageError(`--make-key only makes a key, so --${other} says nothing`, HELP);
  const { generateKeyPairSync } = process.getBuiltinModule("node:crypto");
  const { privateKey: key } = generateKeyPairSync("ed25519");
  writeNew(file, key.export({ type: "pkcs8", format: "pem" }).toString());
  io.stdout(`public_key = "${publicPart(key)}"\n`);
  io.stderr(
    `${file} is the private key: keep it off the nodes. The line above goes below [commands] in their /etc/foundry-agent/policy.toml.\n`,
  );
  return EXIT.ok;
}

/** SubjectPublicKeyInfo in DER as base64. */
function publicPart(key: KeyObject): string {
  const { createPublicKey } = process.getBuiltinModule("node:crypto");
  return createPublicKey(key).export({ type: "spki", format: "der" }).toString("base64");
}

/** A file that was not there, for its owner alone. */
function writeNew(file: string, text: string): void {
  let fd: number;
  try {
    fd = openSync(file, "wx", 0o600);
  } catch (error) {
    if (errorCode(error) === "EEXIST")
      throw new AgentError(
        "key_exists",
        `${file} is there already, and a key is never overwritten`,
        "foundry-agent commands sign --make-key fleet-2.pem  # one that is not there yet",
        { cause: error },
      );
    throw unwritable(file, error);
  }
  try {
    for (let rest = Buffer.from(text); rest.length > 0; ) rest = rest.subarray(writeSync(fd, rest));
    fsyncSync(fd);
  } catch (error) {
    rmSync(file, { force: true });
    throw unwritable(file, error);
  } finally {
    closeSync(fd);
  }
}

function unwritable(file: string, error: unknown): AgentError {
  return new AgentError(
    "key_unwritable",
    `${file} can't be written: ${systemWords(error)}`,
    `ls -ld "$(dirname ${shellWord(file)})"`,
    { cause: error },
  );
}

/** @throws AgentError those of `readSecretFile`, `key_unusable`, which says nothing of what the file holds */
function privateKey(file: string): KeyObject {
  const text = keyText(file);
  const { createPrivateKey } = process.getBuiltinModule("node:crypto");
  let key: KeyObject;
  try {
    key = /^[A-Za-z0-9+/]{43}=$/.test(text)
      ? createPrivateKey({
          key: Buffer.concat([PKCS8_PREFIX, Buffer.from(text, "base64")]),
          format: "der",
          type: "pkcs8",
        })
      : createPrivateKey(text);
  } catch (error) {
    throw unusable(file, error);
  }
  if (key.asymmetricKeyType !== "ed25519") throw unusable(file);
  return key;
}

function keyText(file: string): string {
  try {
    return readSecretFile(file);
  } catch (error) {
    if (!(error instanceof AgentError) || error.code !== "secret_missing") throw error;
    throw new AgentError(
      error.code,
      error.message,
      `foundry-agent commands sign --make-key ${shellWord(file)}  # makes one`,
      { cause: error },
    );
  }
}

function unusable(file: string, cause?: unknown): AgentError {
  return new AgentError(
    "key_unusable",
    `${file} holds no Ed25519 private key (PEM without a passphrase, or 32 bytes in base64)`,
    "foundry-agent commands sign --make-key fleet.pem  # makes one",
    { cause },
  );
}

function idOf(given: unknown, now: number): string {
  if (given === undefined) {
    const { randomBytes } = process.getBuiltinModule("node:crypto");
    return `cmd_${nextUlid("", now, randomBytes(10))}`;
  }
  if (typeof given === "string" && NAME.test(given)) return given;
  throw usageError("--id takes up to 64 letters, digits and . _ : -", HELP);
}

function modeOf(given: unknown): "live" | "test" {
  if (given === undefined || given === "live") return "live";
  if (given === "test") return "test";
  throw usageError("--mode is live or test", HELP);
}

function lifeOf(given: unknown): number {
  if (given === undefined) return DEFAULT_LIFE_MS;
  const [, count, unit = ""] = /^(\d{1,7})(s|m|h|d)$/.exec(String(given)) ?? [];
  const life = Number(count) * (UNIT_MS[unit] ?? Number.NaN);
  if (life >= 1_000 && life <= MAX_SIGNED_LIFE_MS) return life;
  throw usageError("--expires takes a time from 1s to 14d, such as 30m, 1h or 2d", HELP);
}

function paramsOf(given: unknown): Record<string, unknown> {
  const params: Record<string, unknown> = {};
  for (const word of Array.isArray(given) ? given.map(String) : []) {
    const [, name, text] = /^([a-z][a-z0-9_]{0,63})=(.*)$/s.exec(word) ?? [];
    if (name === undefined || text === undefined)
      throw usageError(
        `--param takes NAME=VALUE, found "${word}"`,
        "foundry-agent commands sign --param method=hard",
      );
    if (Object.hasOwn(params, name)) throw usageError(`--param ${name} is given twice`, HELP);
    params[name] = paramValue(name, text);
  }
  return params;
}

/** JSON, or a word as it is: `hard` would else have to be typed as `'"hard"'`. */
function paramValue(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    if (/^[A-Za-z][A-Za-z0-9_./-]*$/.test(text)) return text;
    throw usageError(`--param ${name}: the value is neither JSON nor a plain word`, HELP);
  }
}
