/** The sandbox as tests of NodeFoundry use it: its options flat, its keys and its memory typed. */
import type { NodeFoundrySnapshot } from "../../../src/sandbox/nodefoundry/api.ts";
import type { NodeFoundryOptions, SandboxKeys } from "../../../src/sandbox/nodefoundry/world.ts";
import * as whole from "../../../src/sandbox/sandbox.ts";
import { loadOpenApi } from "../text/json-schema.ts";

export interface SandboxOptions extends Omit<whole.SandboxOptions, "apis" | "keys">, NodeFoundryOptions {
  keys?: Partial<SandboxKeys>;
}

/** What bodies of the agent API are held against (../control/tap.ts). */
export const AGENT_API = {
  openApi: loadOpenApi("agent-api"),
  calls: /^\/v1\/nodes(\/[^/]+\/sync)?$/,
};

export type SandboxSnapshot = NodeFoundrySnapshot & { readonly requestCount: number };

export interface Sandbox extends Omit<whole.Sandbox, "keys"> {
  readonly keys: SandboxKeys;
  inspect(): SandboxSnapshot;
}

/** @throws as startSandbox of the program */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { listen, stateFile, now, log, keys, tls, ...own } = options;
  const given = Object.entries({ listen, stateFile, now, log, keys, tls }).filter(
    ([, value]) => value !== undefined,
  );
  const sandbox = await whole.startSandbox({ ...Object.fromEntries(given), apis: { nodefoundry: own } });
  const api = sandbox.apis.find(({ name }) => name === "nodefoundry");
  return {
    ...sandbox,
    keys: sandbox.keys as unknown as SandboxKeys,
    inspect: () => ({ ...(api?.inspect() as NodeFoundrySnapshot), requestCount: sandbox.requestCount() }),
  };
}
