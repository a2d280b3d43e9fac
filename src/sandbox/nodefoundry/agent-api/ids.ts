/** Ids, keys and tokens: random, with the prefix that says what they are. */
import { createHash, randomBytes } from "node:crypto";

/** `node_3f9a…`, `op_…`, `cmd_…`: 64 random bits. */
export function newId(prefix: "node" | "clus" | "op" | "cmd" | "pool" | "epoch"): string {
  return `${prefix}_${randomBytes(8).toString("hex")}`;
}

export function sha256(text: string | Buffer): string {
  return createHash("sha256").update(text).digest("hex");
}
