/**
 * Node tokens: every registration and every rotation gives a fresh one, and all older ones stay valid until
 * a newer one is used for the first time. So an answer that got lost never locks a node out.
 */

import { newSecret } from "../../secret.ts";
import type { NodeRecord, NodeToken } from "../state.ts";
import { sha256 } from "./ids.ts";

/** Fresh and superseded ones kept; the one in use is never dropped. */
const KEPT = 8;

/** A fresh token for the node; only its hash is kept. */
export function issueToken(node: NodeRecord): string {
  const token = newSecret("nf_nt_");
  node.tokens.push({ hash: sha256(token), used: false, superseded: false });
  const inUse = node.tokens.findLast((entry) => entry.used && !entry.superseded);
  while (node.tokens.length > KEPT) {
    node.tokens.splice(node.tokens[0] === inUse ? 1 : 0, 1);
  }
  return token;
}

export function findToken(node: NodeRecord, hash: string): NodeToken | null {
  return node.tokens.find((token) => token.hash === hash) ?? null;
}

/** The token was used: everything older is superseded, and a rotation that led to it is done. */
export function useToken(node: NodeRecord, hash: string): void {
  const index = node.tokens.findIndex((token) => token.hash === hash);
  const token = node.tokens[index];
  if (!token || token.used) return;
  token.used = true;
  for (const older of node.tokens.slice(0, index)) {
    older.superseded = true;
    node.rotateToken = false;
  }
}
