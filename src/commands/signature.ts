/**
 * Signatures as the main process checks them, before a command is accepted: a refusal then is an answer to who sent
 * it, where the helper's comes after everything else was done. The helper checks again, and only its check counts.
 */

import {
  foreign,
  noTrustedTime,
  type SignedCommand,
  unsigned,
  untimely,
  verifiedCommand,
} from "../helper/policy/signed-command.ts";
import { SIGNED_WORDS } from "../helper/policy/words.ts";
import { canonicalJson } from "../model/canonical-json.ts";
import type { Command, Why } from "../model/command.ts";
import { AgentError } from "../model/errors.ts";
import type { KnownTime } from "./gates/gate.ts";
import { whyOf } from "./journal/event.ts";

export interface SignatureOptions {
  /** SubjectPublicKeyInfo in DER as base64, of the policy (`policy.show`); null: signatures are not asked for. */
  readonly publicKey: string | null;
  /** Of the policy, or as this node is registered; null: neither, so only the helper looks at it. */
  readonly nodeId: string | null;
  readonly now: KnownTime;
}

/**
 * Why the command is not to be accepted, or null.
 * @returns `unsigned` (types of SIGNED_WORDS only), `bad_signature`, `malformed`, `foreign`, `expired`,
 * `from_the_future`: refuse. `no_trusted_time`: wait and ask again, it may come.
 */
export function signatureProblem(command: Command, options: SignatureOptions): Why | null {
  const { publicKey, nodeId, now } = options;
  if (publicKey === null) return null;
  const { signature, signedText, id, type } = command;
  if (signature === null || signedText === null)
    return SIGNED_WORDS.some((word) => word === type) ? whyOf(unsigned(type)) : null;
  try {
    const signed = verifiedCommand({ text: signedText, signature }, publicKey);
    const live = command.mode === "live";
    const problem =
      foreign(signed, { id, type, nodeId, live, covers: (params) => isSame(params, command.params) }) ??
      timeProblem(signed, now);
    return problem === null ? null : whyOf(problem);
  } catch (error) {
    if (error instanceof AgentError) return whyOf(error);
    throw error;
  }
}

/** A lower bound can tell that it is too late, and never that it is not. */
function timeProblem(signed: SignedCommand, { atLeast, exact }: KnownTime): AgentError | null {
  if (atLeast !== null && (exact || atLeast >= signed.expiresAt)) return untimely(signed, atLeast);
  return noTrustedTime("no server has told this host the time since it was started");
}

function isSame(a: unknown, b: unknown): boolean {
  return canonicalJson(a) === canonicalJson(b);
}
