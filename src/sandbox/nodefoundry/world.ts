/**
 * What every handler of the NodeFoundry sandbox gets: the state, the clock, the limits, and the long polls
 * that wait for news. One object made by api.ts and passed on; nothing here is module-level.
 */
import type { Request } from "../http.ts";
import type { Limiter } from "../limiter.ts";
import type { NodeRecord, SeedNode, State } from "./state.ts";

export interface SandboxKeys {
  /** `nf_sk_live_…`: everything. */
  readonly live: string;
  /** `nf_sk_test_…`: everything, but what it asks for never touches hardware. */
  readonly test: string;
  /** `nf_sk_ro_…`: GET only. */
  readonly readOnly: string;
  /** `nf_en_…`: POST /v1/nodes only. */
  readonly enrol: string;
}

/** Requests a minute an account. The numbers are documented, the names of the plans are ours. */
export const PLANS = { starter: 300, business: 600, enterprise: null } as const;

export interface NodeFoundryOptions {
  /** Which limit the account has; default `business` (600 a minute). */
  plan?: keyof typeof PLANS;
  /** Node-token requests a minute a node; default 12. */
  nodeRequestsAMinute?: number;
  /** Count node-token requests against the account too, and lengthen interval_s accordingly. Default false. */
  countNodeTokensAgainstAccount?: boolean;
  /** False: a server that has section 1 only; enrol, sync and diagnostics answer 404. Default true. */
  agentApi?: boolean;
  /** interval_s given to agents, 5–86 400 seconds; default 60. */
  intervalS?: number;
  /** wait_s given to agents, 0–300 seconds; default 50. */
  waitS?: number;
  /** How long an operation without an agent behind it takes, milliseconds; default 10 000. */
  operationMs?: number;
  /** Nodes without an agent, to have something to make a cluster of. */
  seedNodes?: readonly SeedNode[];
  /** PEM of an Ed25519 private key: commands are signed with it. */
  signingKey?: string;
}

export interface Counts {
  readonly accounts: Map<string, number>;
  readonly nodes: Map<string, number>;
}

export interface World {
  /** Replaced whole by a restore: never keep a record over an await. */
  state: State;
  readonly options: NodeFoundryOptions;
  readonly keys: SandboxKeys;
  readonly limiter: Limiter;
  readonly counts: Counts;
  /** Bundles uploaded, by command id; in memory only. */
  readonly bundles: Map<string, Buffer>;
  /** Long polls by node id. */
  readonly waiting: Map<string, Set<() => void>>;
  /** Milliseconds. */
  now(): number;
  log(line: string): void;
}

/** Who asks, after authentication. */
export type Caller =
  | { readonly kind: "account"; readonly key: "live" | "test" | "readOnly" | "enrol" }
  | { readonly kind: "node"; readonly node: NodeRecord; readonly tokenHash: string };

export interface Call {
  readonly world: World;
  readonly request: Request;
  readonly params: Readonly<Record<string, string>>;
  readonly caller: Caller;
}

/** End the long polls of a node (or of all) at once. */
export function wake(world: World, nodeId?: string): void {
  const sets = nodeId === undefined ? [...world.waiting.values()] : [world.waiting.get(nodeId)];
  for (const set of sets) for (const end of [...(set ?? [])]) end();
}

/** Resolves when woken, after `ms`, or when the client has gone. */
export function waitForNews(world: World, nodeId: string, ms: number, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const set = world.waiting.get(nodeId) ?? new Set<() => void>();
    world.waiting.set(nodeId, set);
    const end = (): void => {
      clearTimeout(timer);
      gone.removeEventListener("abort", end);
      set.delete(end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    set.add(end);
    gone.addEventListener("abort", end);
    if (gone.aborted) end();
  });
}
