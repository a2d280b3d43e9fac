/** The NodeFoundry API as one mounted part of the sandbox: world made, requests authenticated and routed, state lent for snapshots. */
import { type Answer, ApiError, errorAnswer, findRoute, type Request } from "../http.ts";
import { createLimiter } from "../limiter.ts";
import type { MountedApi, Rim } from "../mounted-api.ts";
import { advance } from "./advance.ts";
import { authenticate } from "./agent-api/auth.ts";
import { addSeedNode } from "./agent-api/enrol.ts";
import { newId } from "./agent-api/ids.ts";
import { mergedSections } from "./agent-api/report-view.ts";
import { ROUTES } from "./routes.ts";
import { emptyState, type State } from "./state.ts";
import { calls, help, welcome } from "./texts.ts";
import { type NodeFoundryOptions, type SandboxKeys, type World, wake } from "./world.ts";

/** What tests may look at: copies, so nothing can be changed by accident. */
export interface NodeFoundrySnapshot {
  readonly epoch: string;
  readonly nodes: readonly State["nodes"][string][];
  /** By node id: sections with volatile values merged in, the raw volatile values, and the hashes last named. */
  readonly reports: Readonly<
    Record<
      string,
      {
        sections: Record<string, unknown>;
        volatile: Record<string, Record<string, unknown>>;
        hashes: Record<string, string>;
      }
    >
  >;
  /** By node id, in the order of their ids. */
  readonly events: Readonly<Record<string, State["nodes"][string]["events"]>>;
  readonly commands: readonly State["commands"][string][];
  readonly operations: readonly State["operations"][string][];
  readonly clusters: readonly State["clusters"][string][];
  /** Requests that carried a known credential, refused ones (429) included. */
  readonly requests: {
    readonly accounts: Readonly<Record<string, number>>;
    readonly nodes: Readonly<Record<string, number>>;
  };
}

export interface NodeFoundryApi extends MountedApi {
  inspect(): NodeFoundrySnapshot;
}

export function openNodeFoundry(keys: SandboxKeys, options: NodeFoundryOptions, rim: Rim): NodeFoundryApi {
  const world: World = {
    state: emptyState(newId("epoch")),
    options,
    keys,
    limiter: createLimiter(rim.now),
    counts: { accounts: new Map(), nodes: new Map() },
    bundles: new Map(),
    waiting: new Map(),
    now: rim.now,
    log: rim.log,
  };
  for (const seed of options.seedNodes ?? []) addSeedNode(world, seed);
  return {
    name: "nodefoundry",
    title: "NodeFoundry",
    owns: (_host, path) => path === "/v1" || path.startsWith("/v1/"),
    handle: async (request) => {
      try {
        return await route(world, request);
      } catch (error) {
        if (error instanceof ApiError) return errorAnswer(error, request.requestId);
        const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
        world.log(`${request.requestId} ${request.method} ${request.path}: ${said}`);
        const hidden = new ApiError(500, "internal_error", "The sandbox has a bug; its log says more.");
        return errorAnswer(hidden, request.requestId);
      }
    },
    snapshot: () => structuredClone(world.state),
    load: (saved) => {
      world.state = structuredClone(asState(saved));
    },
    restore: (saved) => {
      world.state = { ...structuredClone(asState(saved)), epoch: newId("epoch") };
      wake(world);
    },
    wake: () => wake(world),
    inspect: () => inspect(world),
    help,
    welcome: (url) => welcome(url, keys),
    demonstration: (url) => ({
      config: [`url = ${JSON.stringify(url)}`],
      key: keys.test,
      calls: (nodeId) => calls(url, keys, nodeId),
    }),
  };
}

async function route(world: World, request: Request): Promise<Answer> {
  const found = findRoute(ROUTES, request.method, request.path);
  if (!found || (found.route.origin === "agent" && world.options.agentApi === false)) {
    throw new ApiError(404, "not_found", `There is no ${request.method} ${request.path} here.`);
  }
  const { route, params } = found;
  advance(world);
  const caller = authenticate(world, request.headers.authorization, route.access, params.id);
  const answer = await route.handle({ world, request, params, caller });
  advance(world);
  return answer;
}

function asState(saved: unknown): State {
  const state = saved as State;
  if (state === null || typeof state !== "object" || state.version !== 1) {
    throw new TypeError("not a state of this sandbox");
  }
  return state;
}

function inspect(world: World): NodeFoundrySnapshot {
  const state = structuredClone(world.state);
  const nodes = Object.values(state.nodes);
  const reports = nodes.map((node) => [
    node.id,
    { sections: mergedSections(node), volatile: node.volatile, hashes: node.hashes },
  ]);
  return {
    epoch: state.epoch,
    nodes,
    reports: Object.fromEntries(reports),
    events: Object.fromEntries(nodes.map((node) => [node.id, node.events])),
    commands: Object.values(state.commands),
    operations: Object.values(state.operations),
    clusters: Object.values(state.clusters),
    requests: {
      accounts: Object.fromEntries(world.counts.accounts),
      nodes: Object.fromEntries(world.counts.nodes),
    },
  };
}
