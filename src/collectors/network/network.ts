/**
 * Network: every interface of this host, down ones too. Names and states from /sys/class/net, counters from one read of
 * /proc/net/dev, IPv4 addresses and the ways out from the kernel itself, IPv6 addresses from /proc/net/if_inet6.
 */

import { NEVER_NEWS } from "../../model/facets.ts";
import type { Files } from "../../system/files.ts";
import type { KernelNetwork } from "../../system/libc/kernel-network.ts";
import type { CollectContext, Collector } from "../collector.ts";
import { readWhole } from "../linux/text.ts";
import { addressesByInterface, withReachable } from "./addresses.ts";
import { networkChanges } from "./changes.ts";
import { networkConditions } from "./conditions.ts";
import { bondMembers, readBond } from "./links/bonds.ts";
import { type Flapping, openFlapping } from "./links/flapping.ts";
import {
  countKinds,
  type FixedCache,
  type ReadInterface,
  readInterface,
  type Selection,
  selectInterfaces,
} from "./links/interfaces.ts";
import { WIRED } from "./links/kinds.ts";
import {
  goneMembers,
  keepUsual,
  lostLinks,
  missingDevices,
  readUsual,
  type Usual,
  updated,
} from "./links/usual.ts";
import { listeningReader } from "./listening.ts";
import { networkMetrics } from "./metrics.ts";
import { readNameservers } from "./resolvers.ts";
import { parseAddresses6, parseCounters, parseRoutes4, parseRoutes6 } from "./routes.ts";
import { type Network, type NetworkInterface, NetworkSchema, type Route, type Way } from "./schema.ts";
import { askedWays, concludedWays, primaryOf } from "./ways.ts";

const USUAL_BYTES = 64 * 1024;
/** Of the counters and addresses of 8000 interfaces. */
const MAX_BYTES = 1024 * 1024;
/** So many IPv6 routes as are more than the usual bytes are gone through this often, milliseconds. */
const LONG_ROUTES_MS = 10 * 60_000;

/** What is remembered between two looks. */
interface Remembered {
  readonly fixed: FixedCache;
  readonly flapping: Flapping;
  longRoutes: { at: number; routes: readonly Route[] } | null;
}

export function networkCollector(): Collector<Network> {
  const remembered: Remembered = { fixed: new Map(), flapping: openFlapping(), longRoutes: null };
  const readListening = listeningReader();
  return {
    name: "network",
    summary: "Interfaces, addresses, default route and resolvers",
    everyMs: 60_000,
    timeoutMs: 10_000,
    get schema() {
      return NetworkSchema;
    },
    volatile: {
      "interfaces[name].counters": { rel: 0.25, abs: 1000 },
      "interfaces[name].carrier_changes": {},
      "listening.osd_range": { rel: 0.1 },
      passing_interfaces: NEVER_NEWS,
    },
    // Any local user can ask the kernel for MAC addresses.
    sensitive: [],
    metrics: networkMetrics,
    table: {
      columns: ["interface", "kind", "state", "speed", "address"],
      rows: (data) =>
        data.interfaces.map((item) => [
          item.name,
          item.kind,
          item.state,
          item.speed_mbps === null ? null : `${item.speed_mbps} Mbit/s`,
          item.addresses.map(({ address, prefix }) => `${address}/${prefix}`).join(" ") || null,
        ]),
    },
    glance: ({ interfaces }) => interfaces.map(({ name }) => name).join(", ") || "no interfaces",
    conditions: networkConditions,
    changes: networkChanges,
    collect(context) {
      const kernel = context.machine.kernel?.() ?? null;
      try {
        const { files, clock } = context.machine;
        return {
          ...collect(context, kernel, remembered),
          listening: readListening(files, clock.monotonic()),
        };
      } finally {
        kernel?.close();
      }
    },
  };
}

function collect(
  context: CollectContext,
  kernel: KernelNetwork | null,
  remembered: Remembered,
): Omit<Network, "listening"> {
  const { files, clock } = context.machine;
  const known = kernel?.addresses() ?? context.machine.addresses();
  const addresses = addressesByInterface(known, parseAddresses6(readLong(files, "/proc/net/if_inet6")));
  const default_routes = [
    ...parseRoutes4(readWhole(files, "/proc/net/route")), // in order of destination, so the default ones come first
    ...readRoutes6(files, clock.monotonic(), remembered),
  ];
  const asked = kernel === null ? null : askedWays(kernel);
  const ways = new Set([...(asked ?? []), ...default_routes].map((way) => way.interface));
  const selection = selectInterfaces(files, kernel, remembered.fixed, ways, withReachable(addresses));
  const names = new Set(selection.shown.map(({ name }) => name));
  const counters = parseCounters(readLong(files, "/proc/net/dev"), names);
  const read = selection.shown.map((found) =>
    readInterface(files, found, addresses.get(found.name) ?? [], counters.get(found.name) ?? null),
  );
  const ways_out = asked ?? concludedWays(default_routes, withAll(read, addresses));
  const steady = read.map((item) => ({ ...item, flapping: isFlapping(item, remembered, clock.monotonic()) }));
  remembered.flapping.only(names, clock.monotonic());
  const before = readUsual(context.memory);
  const usual = updated(before, steady, ways_out, clock.now());
  keepUsual(context.memory, before, usual);
  const ports = new Map(read.map((item) => [item.name, item]));
  return {
    interfaces: steady.map((item) => ({ ...item, bond_members: membersOf(files, item, usual, ports) })),
    ...countsOf(selection),
    default_routes: default_routes.map((route) => withGateway(route, ways_out)),
    ways_out,
    ways_out_from: asked === null ? "tables" : "kernel",
    primary: primaryOf(ways_out, default_routes),
    links_lost: lostLinks(usual),
    missing: missingDevices(usual),
    dns_servers: readNameservers(files),
    addresses_known: known !== null,
  };
}

function countsOf({
  leftOut,
  passing,
}: Selection): Pick<Network, "interfaces_left_out" | "left_out" | "passing_interfaces"> {
  return {
    interfaces_left_out: leftOut.length,
    left_out: countKinds(leftOut),
    passing_interfaces: passing,
  };
}

/** The gateway of an IPv4 route may be an IPv6 address, which /proc/net/route can't show. */
function withGateway(route: Route, ways: readonly Way[]): Route {
  const way = ways.find(({ family, interface: name }) => family === route.family && name === route.interface);
  return route.gateway === null && way?.gateway?.includes(":") ? { ...route, gateway: way.gateway } : route;
}

/** Of each interface that has any, also of those not shown: the address of the node may be on one. */
function withAll(
  read: readonly ReadInterface[],
  addresses: ReadonlyMap<string, NetworkInterface["addresses"]>,
): Pick<NetworkInterface, "name" | "addresses">[] {
  const shown = new Set(read.map(({ name }) => name));
  const others = [...addresses].filter(([name]) => !shown.has(name));
  return [...read, ...others.map(([name, own]) => ({ name, addresses: own }))];
}

/** Of links that somebody else's cable or radio makes. */
function isFlapping(item: ReadInterface, { flapping }: Remembered, now: number): boolean {
  return WIRED.has(item.kind) && flapping.look(item.name, item.carrier_changes, now);
}

function membersOf(
  files: Files,
  { name, kind, members }: ReadInterface,
  usual: Usual,
  ports: ReadonlyMap<string, ReadInterface>,
): NetworkInterface["bond_members"] {
  if (kind !== "bond" && kind !== "team") return null;
  const facts = kind === "bond" ? readBond(files, name, members) : null;
  return bondMembers(members, goneMembers(usual, name), ports, facts);
}

/**
 * A node with thousands of IPv6 routes (BGP) has its default one at the end of them: reading that far is for once in a
 * while. The way out itself is asked of the kernel each time.
 */
function readRoutes6(files: Files, now: number, remembered: Remembered): readonly Route[] {
  const { longRoutes } = remembered;
  if (longRoutes !== null && now - longRoutes.at < LONG_ROUTES_MS) return longRoutes.routes;
  const path = "/proc/net/ipv6_route";
  const text = readWhole(files, path, USUAL_BYTES);
  remembered.longRoutes = null;
  if (text.length < USUAL_BYTES) return parseRoutes6(text);
  const routes = parseRoutes6(readWhole(files, path, MAX_BYTES));
  remembered.longRoutes = { at: now, routes };
  return routes;
}

/** Few need the big buffer, so it is taken only where the usual one was filled. */
function readLong(files: Files, path: string): string {
  const text = readWhole(files, path, USUAL_BYTES);
  return text.length < USUAL_BYTES ? text : readWhole(files, path, MAX_BYTES);
}
