/**
 * Signatures of commands: Ed25519 over the RFC 8785 form (JSON Canonicalization Scheme) of the command
 * without its `signature` field.
 */
import { createPrivateKey, sign } from "node:crypto";

/**
 * RFC 8785: no white space, object keys sorted by UTF-16 code units, numbers and strings as ECMAScript
 * writes them (which is what the RFC prescribes).
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`);
  return `{${fields.join(",")}}`;
}

/** Base64 of the signature over `command`. @param privateKeyPem an Ed25519 key, PKCS #8 PEM */
export function signCommand(command: Readonly<Record<string, unknown>>, privateKeyPem: string): string {
  const key = createPrivateKey(privateKeyPem);
  return sign(null, Buffer.from(canonicalJson(command)), key).toString("base64");
}
