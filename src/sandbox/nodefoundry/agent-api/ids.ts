/** Ids, keys and tokens: random, with the prefix that says what they are. */
import { createHash, randomBytes } from "node:crypto";

/** `node_3f9a…`, `op_…`, `cmd_…`: 64 random bits. */
export function newId(prefix: "node" | "clus" | "op" | "cmd" | "pool" | "epoch"): string {
  return `${prefix}_${randomBytes(8).toString("hex")}`;
}

/** `nf_sk_live_…`: 192 random bits. */
export function newSecret(prefix: "nf_sk_live_" | "nf_sk_test_" | "nf_sk_ro_" | "nf_en_" | "nf_nt_"): string {
  return prefix + randomBytes(24).toString("base64url").replace(/[-_]/g, "x");
}

export function sha256(text: string | Buffer): string {
  return createHash("sha256").update(text).digest("hex");
}
