/**
 * A command that its sender signed: whether the signature holds, and whether what was signed is what is asked for.
 * Pure, and used twice: by the main process before it accepts a command, and by the helper before it acts, which
 * believes nothing that the main process says about it.
 */
import type { KeyObject } from "node:crypto";
import * as v from "valibot";
import { canonicalJson } from "../../model/canonical-json.ts";
import { AgentError } from "../../model/errors.ts";
import { MAX_SIGNED_BYTES } from "../../model/signed-text.ts";
import { printable } from "../../model/text/scrub.ts";

/** How far the clocks of who signs and who is asked may lie apart. */
export const CLOCK_TOLERANCE_MS = 5 * 60_000;
/**
 * Longest time from issue to expiry. The helper knows done ids for 30 days: were a command good for longer, it could
 * be played again when its id is forgotten.
 */
export const MAX_SIGNED_LIFE_MS = 14 * 86_400_000;

const SIGN_HELP = "foundry-agent commands sign --help";
const SIGNATURE = /^[A-Za-z0-9+/]{86}==$/;

export interface Signed {
  /** RFC 8785 form of the command without its signature. */
  readonly text: string;
  /** Ed25519 over the bytes of `text`, base64. */
  readonly signature: string;
}

/** What was signed, of which nothing is believed before `verifiedCommand` gave it. */
export interface SignedCommand {
  readonly id: string;
  readonly nodeId: string;
  readonly mode: string;
  readonly type: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** Wall clock of who signed, milliseconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

const name = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$/));
/** RFC 3339 with its offset: without one it would be the local time of whoever reads it. */
const time = v.pipe(
  v.string(),
  v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/),
  v.transform((text) => Date.parse(text)),
  v.number(),
  v.finite(),
);
const signedSchema = v.object({
  id: name,
  node_id: name,
  mode: v.pipe(v.string(), v.maxLength(16)),
  type: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_]{0,63}$/)),
  params: v.custom<Record<string, unknown>>(
    (value) => value !== null && typeof value === "object" && !Array.isArray(value),
  ),
  issued_at: time,
  expires_at: time,
  /** The signature is not over itself; one inside could be taken for the one that holds. */
  signature: v.optional(v.never()),
});

/**
 * The signature first: nothing of a text that nobody trusted signed is even parsed.
 * @param publicKey SubjectPublicKeyInfo in DER as base64, as the policy has it
 * @throws AgentError `bad_signature`, `malformed` (also when the text is not in its canonical form: then two
 * readers could take it in two ways)
 */
export function verifiedCommand({ text, signature }: Signed, publicKey: string): SignedCommand {
  if (Buffer.byteLength(text) > MAX_SIGNED_BYTES) throw malformed(`has more than ${MAX_SIGNED_BYTES} bytes`);
  if (!holds(text, signature, publicKey))
    throw new AgentError(
      "bad_signature",
      "the signature of the command does not fit it and the public key of this host's policy",
      "grep public_key /etc/foundry-agent/policy.toml  # is it that of the key that signs?",
    );
  const read = v.safeParse(signedSchema, canonicalValue(text));
  if (!read.success) throw malformed(`has no usable ${v.getDotPath(read.issues[0]) ?? "form"}`);
  const { id, node_id: nodeId, mode, type, params, issued_at: issuedAt, expires_at: expiresAt } = read.output;
  if (expiresAt <= issuedAt) throw malformed("expires before it is issued");
  if (expiresAt - issuedAt > MAX_SIGNED_LIFE_MS)
    throw malformed(`is good for more than ${MAX_SIGNED_LIFE_MS / 86_400_000} days`);
  return { id, nodeId, mode, type, params, issuedAt, expiresAt };
}

function holds(text: string, signature: string, publicKey: string): boolean {
  if (!SIGNATURE.test(signature)) return false;
  // Only where a signature is asked for: loading it costs every start of a short-lived helper.
  const { createPublicKey, verify } = process.getBuiltinModule("node:crypto");
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.from(publicKey, "base64"), format: "der", type: "spki" });
  } catch {
    return false; // no point of the curve: no signature fits it
  }
  return (
    key.asymmetricKeyType === "ed25519" &&
    verify(null, Buffer.from(text), key, Buffer.from(signature, "base64"))
  );
}

function canonicalValue(text: string): unknown {
  let value: unknown;
  let canonical: string;
  try {
    value = JSON.parse(text);
    canonical = canonicalJson(value);
  } catch (error) {
    throw malformed("is no JSON that has a canonical form", error);
  }
  if (canonical !== text) throw malformed("is not in its canonical form (RFC 8785)");
  return value;
}

/** What somebody wants done, to be held against what was signed. */
export interface AskedFor {
  readonly id: string;
  readonly type: string;
  /** Null: not known here, so it is not looked at. */
  readonly nodeId: string | null;
  /** Hardware is to be touched. */
  readonly live: boolean;
  /** Whether the signed params ask for just this. */
  covers(params: SignedCommand["params"]): boolean;
}

/** Why the signed command is none for this, or null: `foreign`, signed for something else. */
export function foreign(command: SignedCommand, asked: AskedFor): AgentError | null {
  const no = (what: string, nextStep = SIGN_HELP): AgentError =>
    new AgentError("foreign", `the command was signed for ${what}`, nextStep);
  if (command.id !== asked.id) return no(`the id ${printable(command.id)}, not for ${printable(asked.id)}`);
  if (asked.nodeId !== null && command.nodeId !== asked.nodeId)
    return no(
      `the node ${printable(command.nodeId)}, and this is ${printable(asked.nodeId)}`,
      `foundry-agent commands sign --node ${printable(asked.nodeId)} …`,
    );
  if (command.type !== asked.type) return no(`${command.type}, not for ${printable(asked.type)}`);
  if (asked.live && command.mode !== "live") return no(`the mode ${printable(command.mode)}, not for live`);
  return asked.covers(command.params) ? null : no(`${command.type} with other params`);
}

/** Why it is not the time for it at `now` (milliseconds since the epoch), or null: `from_the_future`, `expired`. */
export function untimely(command: SignedCommand, now: number): AgentError | null {
  if (now >= command.expiresAt)
    return new AgentError(
      "expired",
      `the signed command was good until ${rfc3339(command.expiresAt)}, and it is ${rfc3339(now)}`,
      "sign it anew: foundry-agent commands sign",
    );
  if (command.issuedAt > now + CLOCK_TOLERANCE_MS)
    return new AgentError(
      "from_the_future",
      `the command was signed at ${rfc3339(command.issuedAt)}, and here it is only ${rfc3339(now)}`,
      "timedatectl  # here and where it was signed",
    );
  return null;
}

export function unsigned(type: string): AgentError {
  return new AgentError(
    "unsigned",
    `the policy of this host wants ${printable(type)} signed, and this command is not`,
    SIGN_HELP,
  );
}

/** @param why the rest of a sentence: "it is 1970 here" */
export function noTrustedTime(why: string, nextStep = "timedatectl"): AgentError {
  return new AgentError(
    "no_trusted_time",
    `whether the signed command is still good can't be told: ${why}`,
    nextStep,
  );
}

function malformed(what: string, cause?: unknown): AgentError {
  return new AgentError("malformed", `what was signed ${what}`, SIGN_HELP, { cause });
}

export function rfc3339(time: number): string {
  return new Date(time).toISOString();
}
