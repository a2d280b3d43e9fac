/** Every control API there is. Adding one: its folder, and one line here. */
import type { ControlApi, ControlContext } from "./control-api.ts";
import { nodefoundryApi } from "./nodefoundry/api.ts";

/** The part of the configuration that is read here; its keys are those of the file, in camelCase. */
export interface ControlConfig {
  readonly agent: { readonly name: string | null };
  readonly network: { readonly profile: "normal" | "metered" };
  readonly nodefoundry: {
    readonly enabled: boolean;
    readonly url: string;
    readonly keyFile: string | null;
    readonly enrolKeyFile: string | null;
    readonly nodeName: string | null;
    readonly intervalS: number | null;
    readonly caFile: string | null;
    readonly certFile: string | null;
    readonly keyPemFile: string | null;
    readonly proxyUrl: string | null;
    readonly proxyCredentialsFile: string | null;
    readonly noProxy: readonly string[];
  };
}

export interface ControlEntry {
  readonly name: string;
  /** The configuration's own wish, seconds; null: what the server says. */
  readonly intervalS: number | null;
  open(context: ControlContext): ControlApi;
}

/** Name → how it is made from the configuration; null: not configured. */
const TABLE: Readonly<Record<string, (config: ControlConfig) => Omit<ControlEntry, "name"> | null>> = {
  nodefoundry({ agent, network, nodefoundry }) {
    if (!nodefoundry.enabled) return null;
    const { proxyUrl, proxyCredentialsFile, noProxy, ...given } = nodefoundry;
    const rest = { ...given, nodeName: nodefoundry.nodeName ?? agent.name };
    const proxy =
      proxyUrl === null ? null : { url: proxyUrl, credentialsFile: proxyCredentialsFile, noProxy };
    return {
      intervalS: nodefoundry.intervalS,
      open: (context) => nodefoundryApi({ ...rest, proxy, profile: network.profile }, context),
    };
  },
};

/** Those that are configured, in the order of the table. */
export function controlApis(config: ControlConfig): ControlEntry[] {
  return Object.entries(TABLE).flatMap(([name, make]) => {
    const entry = make(config);
    return entry === null ? [] : [{ name, ...entry }];
  });
}

/** Whether there is one of that name, configured or not. */
export function isControlApi(name: string): boolean {
  return Object.hasOwn(TABLE, name);
}
