/** A key of somebody who signs commands, and commands to be signed. */
import { generateKeyPairSync, sign } from "node:crypto";
import { canonicalJson } from "../../../src/model/canonical-json.ts";

/** Noon; the commands of `plainCommand` were issued then and are good for an hour. */
export const NOON = Date.UTC(2026, 10, 21, 12);
export const MINUTE = 60_000;

export interface Signer {
  /** SubjectPublicKeyInfo in DER as base64, as policy.toml takes it. */
  readonly publicKey: string;
  readonly privateKeyPem: string;
  /** Over the text as it is, whatever it is. */
  over(text: string): { text: string; signature: string };
  /** Over the canonical form. */
  of(command: object): { text: string; signature: string };
}

export function signer(): Signer {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const over = (text: string) => ({
    text,
    signature: sign(null, Buffer.from(text), privateKey).toString("base64"),
  });
  return {
    publicKey: publicKey.export({ type: "spki", format: "der" }).toString("base64"),
    privateKeyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    over,
    of: (command) => over(canonicalJson(command)),
  };
}

/** A reboot as it comes over the wire, without a signature. */
export function plainCommand(over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: "cmd_1",
    node_id: "node_a",
    mode: "live",
    type: "reboot",
    params: { method: "graceful", drain_osds: false },
    operation_id: "op_1",
    epoch: "e1",
    seq: 7,
    issued_at: new Date(NOON).toISOString(),
    expires_at: new Date(NOON + 60 * MINUTE).toISOString(),
    ...over,
  };
}
