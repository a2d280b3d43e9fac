/**
 * `lldpcli -f json show neighbors`, and its other form `json0`. In `json` whatever there is one of is an object,
 * of several an array, and a name becomes the key of what it names (`{"eth0": {…}}`, `{"leaf-1": {…}}`); in
 * `json0` everything is an array of objects, and names and values are fields. Both are brought into one shape
 * here. Pure; the text comes from switches, so nothing is believed about it.
 */
import * as v from "valibot";
import { type JsonBounds, parseBounded } from "../../model/text/bounded-json.ts";
import { cleanValue } from "../bmc/text.ts";

const string = v.pipe(v.string(), v.maxLength(256));
const text = (description: string) => v.pipe(v.nullable(string), v.description(description));

export const neighborSchema = v.object({
  interface: v.pipe(string, v.description("Of this host")),
  protocol: text("LLDP, or CDPv2 and others where lldpd speaks them"),
  chassis: v.object({
    id: text("Id of the neighbour, most often a MAC address"),
    id_type: text("mac, local, ifname, ip"),
    name: text("Its system name"),
    description: v.nullable(string),
    addresses: v.pipe(v.array(string), v.description("Management addresses")),
    capabilities: v.pipe(v.array(string), v.description("Those switched on: Bridge, Router, Station")),
  }),
  port: v.object({
    id: text("Its port"),
    id_type: text("ifname, mac, local"),
    description: v.nullable(string),
    ttl_s: v.nullable(v.number()),
  }),
  vlans: v.pipe(
    v.array(v.object({ id: v.number(), name: v.nullable(string), untagged: v.nullable(v.boolean()) })),
    v.description("That the port tells of; untagged: its own (PVID)"),
  ),
});

export type Neighbor = v.InferOutput<typeof neighborSchema>;

const MAX_NEIGHBORS = 256;
const MAX_LIST = 32;
/** Whoever is on the cable announces as many neighbours as he likes. */
const BOUNDS: JsonBounds = { bytes: 1024 * 1024, depth: 32, values: 65_536, text: 1024 * 1024 };

type Fields = Readonly<Record<string, unknown>>;

/** Neighbours sorted by interface; null when the text is no answer of lldpcli at all. */
export function parseNeighbors(stdout: string): Neighbor[] | null {
  const parsed = parseBounded(stdout, BOUNDS);
  if ("wrong" in parsed || !isFields(parsed.value) || !("lldp" in parsed.value)) return null;
  return items(parsed.value.lldp)
    .flatMap((part) => named(part.interface))
    .slice(0, MAX_NEIGHBORS)
    .flatMap(([name, facts]) => neighborOf(name, facts))
    .sort((a, b) => (a.interface < b.interface ? -1 : a.interface > b.interface ? 1 : 0));
}

function neighborOf(name: string | null, facts: Fields): Neighbor[] {
  const here = cleanValue(name ?? undefined);
  if (here === null) return [];
  const [chassisName, chassis]: [string | null, Fields] = named(facts.chassis)[0] ?? [null, {}];
  const port = items(facts.port)[0] ?? {};
  const chassisId = items(chassis.id)[0] ?? {};
  const portId = items(port.id)[0] ?? {};
  const ttl = Number(value(port.ttl) ?? value(facts.ttl) ?? Number.NaN);
  return [
    {
      interface: here,
      protocol: value(facts.via),
      chassis: {
        id: value(chassisId.value),
        id_type: value(chassisId.type),
        name: value(chassis.name) ?? cleanValue(chassisName ?? undefined),
        description: value(chassis.descr),
        addresses: values(chassis["mgmt-ip"]),
        capabilities: items(chassis.capability)
          .filter((one) => one.enabled === true)
          .flatMap((one) => value(one.type) ?? [])
          .slice(0, MAX_LIST),
      },
      port: {
        id: value(portId.value),
        id_type: value(portId.type),
        description: value(port.descr),
        ttl_s: Number.isSafeInteger(ttl) && ttl >= 0 ? ttl : null,
      },
      vlans: items(facts.vlan)
        .slice(0, MAX_LIST)
        .flatMap((vlan) => {
          const id = Number(value(vlan["vlan-id"]) ?? Number.NaN);
          if (!Number.isSafeInteger(id) || id < 0 || id > 4095) return [];
          return [
            { id, name: value(vlan.value), untagged: typeof vlan.pvid === "boolean" ? vlan.pvid : null },
          ];
        }),
    },
  ];
}

/** One or many objects. */
function items(input: unknown): Fields[] {
  return (Array.isArray(input) ? input : [input]).filter(isFields);
}

/** Field names of an interface or a chassis itself: what has one of these is not keyed by a name. */
const OWN = ["id", "via", "port", "chassis", "descr", "name", "mgmt-ip", "capability"];

/**
 * `{"eth0": {…}}` and `[{"eth0": {…}}, …]` by name; `[{"name": "eth0", …}]` by their field; a chassis without a
 * name is the object itself. A system may be called "id": then what stands behind the key is no id.
 */
function named(input: unknown): [string | null, Fields][] {
  return items(input).flatMap((item): [string | null, Fields][] => {
    const entries = Object.entries(item);
    const isKeyed = entries.length > 0 && entries.every(([, inner]) => isFields(inner) && looksWhole(inner));
    if (isKeyed) return entries as [string, Fields][];
    return entries.length === 0 ? [] : [[value(item.name), item]];
  });
}

/** An interface or a chassis, unlike `{"type": "mac", "value": "…"}`. */
function looksWhole(inner: Fields): boolean {
  return OWN.some((field) => field in inner) && !("value" in inner);
}

/** A text, a number, `{"value": …}`, or the first of a list of them; null when there is none. */
function value(input: unknown): string | null {
  const first = Array.isArray(input) ? input[0] : input;
  const inner = isFields(first) ? first.value : first;
  if (typeof inner === "number") return String(inner);
  return typeof inner === "string" ? cleanValue(inner) : null;
}

function values(input: unknown): string[] {
  return (Array.isArray(input) ? input : [input]).slice(0, MAX_LIST).flatMap((one) => value(one) ?? []);
}

function isFields(input: unknown): input is Fields {
  return input !== null && typeof input === "object" && !Array.isArray(input);
}
