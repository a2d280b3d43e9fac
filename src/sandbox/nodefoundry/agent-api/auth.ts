/**
 * Who may call what, and how often. Each route declares its access; keys and node tokens are told apart by
 * their prefix before anything else is looked at.
 */
import { ApiError } from "../../http.ts";
import type { Verdict } from "../../limiter.ts";
import { lookup, type NodeRecord } from "../state.ts";
import { type Caller, PLANS, type World } from "../world.ts";
import { sha256 } from "./ids.ts";

/** read: any account key · write: not the read-only one · enrol: also the enrolment key · node: the node's token · adopt: write or node. */
export type Access = "read" | "write" | "enrol" | "node" | "adopt";

/**
 * @param nodeId the node of the path, for token routes
 * @throws ApiError 401 `unauthorized`, 403 `forbidden`, 404 `node_not_found`, 429 `rate_limited`
 */
export function authenticate(
  world: World,
  header: string | undefined,
  access: Access,
  nodeId: string | undefined,
): Caller {
  const bearer = /^Bearer ([\x21-\x7e]{1,200})$/.exec(header ?? "")?.[1];
  if (bearer === undefined) throw unauthorized("Send a key: Authorization: Bearer nf_…");
  if (bearer.startsWith("nf_nt_")) return nodeCaller(world, bearer, access, nodeId);
  const key = keyName(world, bearer);
  if (key === null) throw unauthorized("This key is not known here.");
  world.counts.accounts.set("sandbox", (world.counts.accounts.get("sandbox") ?? 0) + 1);
  enforce(world.limiter.take("account:sandbox", accountLimit(world)), "The account's");
  if (!allows(key, access)) throw new ApiError(403, "forbidden", DENIALS[key]);
  return { kind: "account", key };
}

/** Requests a minute of the account, null when unlimited. */
export function accountLimit(world: World): number | null {
  return PLANS[world.options.plan ?? "business"];
}

const DENIALS = {
  live: "This call needs the node's own token (nf_nt_…), not an account key.",
  test: "This call needs the node's own token (nf_nt_…), not an account key.",
  readOnly: "This key may read only; use a key that begins with nf_sk_live_ or nf_sk_test_.",
  enrol: "This key may register nodes and nothing else.",
} as const;

function allows(key: "live" | "test" | "readOnly" | "enrol", access: Access): boolean {
  if (access === "node") return false;
  if (access === "enrol") return key !== "readOnly";
  if (access === "read") return key !== "enrol";
  return key === "live" || key === "test";
}

function keyName(world: World, bearer: string): "live" | "test" | "readOnly" | "enrol" | null {
  if (bearer === world.keys.live) return "live";
  if (bearer === world.keys.test) return "test";
  if (bearer === world.keys.readOnly) return "readOnly";
  return bearer === world.keys.enrol ? "enrol" : null;
}

function nodeCaller(world: World, bearer: string, access: Access, nodeId: string | undefined): Caller {
  if ((access !== "node" && access !== "adopt") || nodeId === undefined) {
    throw new ApiError(403, "forbidden", "A node's token is good for the node's own calls only.");
  }
  const node = lookup(world.state.nodes, nodeId);
  // Said whatever the token: an agent whose node is gone must learn that it has to register again.
  if (!node) throw new ApiError(404, "node_not_found", `There is no node ${nodeId}; register again.`);
  const tokenHash = sha256(bearer);
  if (!node.tokens.some((token) => token.hash === tokenHash)) {
    const foreign = Object.values(world.state.nodes).some((other) => hasToken(other, tokenHash));
    if (foreign) throw new ApiError(403, "forbidden", "This token belongs to another node.");
    throw unauthorized("This node token is not known; register again.");
  }
  world.counts.nodes.set(node.id, (world.counts.nodes.get(node.id) ?? 0) + 1);
  enforce(world.limiter.take(`node:${node.id}`, world.options.nodeRequestsAMinute ?? 12), "The node's");
  if (world.options.countNodeTokensAgainstAccount) {
    world.counts.accounts.set("sandbox", (world.counts.accounts.get("sandbox") ?? 0) + 1);
    enforce(world.limiter.take("account:sandbox", accountLimit(world)), "The account's");
  }
  return { kind: "node", node, tokenHash };
}

function hasToken(node: NodeRecord, hash: string): boolean {
  return node.tokens.some((token) => token.hash === hash);
}

function enforce(verdict: Verdict, whose: string): void {
  if (verdict.allowed) return;
  const message = `${whose} limit of requests a minute is used up; try again in ${verdict.retryAfterS} s.`;
  throw new ApiError(429, "rate_limited", message, { "retry-after": String(verdict.retryAfterS) });
}

function unauthorized(message: string): ApiError {
  return new ApiError(401, "unauthorized", message, { "www-authenticate": "Bearer" });
}
