/**
 * Signatures of commands: Ed25519 over the RFC 8785 form (JSON Canonicalization Scheme) of the command
 * without its `signature` field.
 */
import { createPrivateKey, sign } from "node:crypto";
import { signedTextOf } from "../../../model/signed-text.ts";

/**
 * Base64 of the signature over `command`.
 * @param privateKeyPem an Ed25519 key, PKCS #8 PEM
 * @throws AgentError `not_canonical`
 */
export function signCommand(command: Readonly<Record<string, unknown>>, privateKeyPem: string): string {
  const key = createPrivateKey(privateKeyPem);
  return sign(null, Buffer.from(signedTextOf(command)), key).toString("base64");
}
