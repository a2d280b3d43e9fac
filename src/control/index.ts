/** Every control API there is. Adding one: its folder, and one line here. */
import { AgentError } from "../model/errors.ts";
import type { ControlApi, ControlContext } from "./control-api.ts";
import type { ControlDeclaration, ControlSurroundings } from "./declaration.ts";
import { nodefoundry } from "./nodefoundry/declaration.ts";

export const CONTROL_APIS: readonly ControlDeclaration[] = [nodefoundry];

/** The part of the configuration that is read here. */
export interface ControlConfig {
  readonly agent: { readonly name: string | null };
  readonly network: { readonly profile: ControlSurroundings["profile"] };
  /** The section of each, by name. */
  readonly control: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface ControlEntry {
  readonly name: string;
  /** The configuration's own wish, seconds; null: what the server says. */
  readonly intervalS: number | null;
  open(context: ControlContext): ControlApi;
}

type Values<Open extends ControlDeclaration["open"]> = Parameters<Open>[0] & {
  readonly enabled: boolean;
  readonly intervalS: number | null;
};

/** Those that are switched on, in the order of the table. */
export function controlApis({ agent, network, control }: ControlConfig): ControlEntry[] {
  const around = { agentName: agent.name, profile: network.profile };
  return CONTROL_APIS.flatMap(({ name, open }) => {
    // Checked key by key when it was read, with the declaration of this same API.
    const values = control[name] as Values<typeof open> | undefined;
    if (values?.enabled !== true) return [];
    return [{ name, intervalS: values.intervalS, open: (context) => open(values, around, context) }];
  });
}

/** The one of that name, switched on or not. */
export function controlApi(name: string): ControlDeclaration | null {
  return CONTROL_APIS.find((api) => api.name === name) ?? null;
}

/** A control API that is switched on, as far as enrolling goes. */
export interface Enrollable {
  readonly name: string;
  readonly enrolled: boolean;
}

/**
 * Which control API a key is for; where nobody said, the one that this node is not registered with yet.
 * @param asked by name; null: nobody said
 * @param configured those that are switched on, at least one
 * @throws AgentError `api_needed` (there are several), `no_enrolment` (it takes no such key)
 */
export function apiToEnroll(asked: string | null, configured: readonly Enrollable[]): string {
  const named = asked === null ? configured.map(({ name }) => name) : [asked];
  const apis = CONTROL_APIS.filter(({ name }) => named.includes(name));
  const able = apis.filter(({ enroll }) => "key" in enroll);
  const fresh = able.filter(({ name }) => configured.some((one) => one.name === name && !one.enrolled));
  const [first] = fresh.length === 1 ? fresh : able;
  if (able.length > 1 && fresh.length !== 1)
    throw new AgentError(
      "api_needed",
      `there are several control APIs to register with: ${able.map(({ name }) => name).join(", ")}`,
      `foundry-agent enroll ${first?.name}`,
    );
  if (first !== undefined) return first.name;
  const [other] = apis;
  if (other === undefined || "key" in other.enroll)
    throw new AgentError("no_such_api", `there is no control API "${asked ?? ""}"`, "foundry-agent status");
  throw new AgentError("no_enrolment", `${other.title} ${other.enroll.instead}`, other.enroll.nextStep);
}

/** A secret goes to nobody but its own server. @throws AgentError `key_of_another`, the key not in it */
export function refuseKeyOfAnother(key: string, name: string): void {
  const begins = ({ tokens }: ControlDeclaration): boolean => tokens.some((prefix) => key.startsWith(prefix));
  const owner = CONTROL_APIS.find(begins);
  if (owner === undefined || owner.name === name) return;
  throw new AgentError(
    "key_of_another",
    `this is a key of ${owner.title}, so it is not sent to ${controlApi(name)?.title ?? name}`,
    `foundry-agent enroll ${owner.name}`,
  );
}

/** `[one] or [other]`: the sections of all, for sentences. */
export function controlSections(): string {
  return CONTROL_APIS.map(({ name }) => `[${name}]`).join(" or ");
}

/** How keys and tokens of any of them begin. */
export function tokenPrefixes(): string[] {
  return CONTROL_APIS.flatMap(({ tokens }) => tokens);
}
