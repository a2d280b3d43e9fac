/**
 * The real client against the real sandbox, with a server between them that writes down every request and
 * holds those of the agent API against docs/agent-api.openapi.json.
 */
import { onTestFinished } from "vitest";
import { nodefoundryApi } from "../../../src/control/nodefoundry/api.ts";
import type { NodeFoundryConfig } from "../../../src/control/nodefoundry/config-type.ts";
import { type Agent, agentAround, type From } from "../../support/control/context.ts";
import { startTap, type Tap } from "../../support/control/tap.ts";
import { AGENT_API, type Sandbox, type SandboxOptions, startSandbox } from "../../support/net/nodefoundry.ts";

export function openAgent(url: string, config: Partial<NodeFoundryConfig> = {}, from: From = {}): Agent {
  const nothing = { keyFile: null, enrolKeyFile: null, nodeName: null, intervalS: null };
  const way = { caFile: null, certFile: null, keyPemFile: null, proxy: null, profile: "normal" as const };
  return agentAround((context) => nodefoundryApi({ url, ...nothing, ...way, ...config }, context), from);
}

export interface Rig extends Tap {
  readonly sandbox: Sandbox;
  /** Bodies of the syncs that arrived. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of many shapes
  readonly syncs: () => any[];
  readonly agent: (config?: Partial<NodeFoundryConfig>, from?: From) => Agent;
}

export async function startRig(options: SandboxOptions = {}): Promise<Rig> {
  const sandbox = await startSandbox(options);
  onTestFinished(() => sandbox.close());
  const tap = await startTap(() => sandbox.url, AGENT_API);
  return {
    ...tap,
    sandbox,
    syncs: () => tap.seen.filter(({ path }) => path.endsWith("/sync")).map(({ body }) => body),
    agent: (config, from) => openAgent(tap.url, config, from),
  };
}
