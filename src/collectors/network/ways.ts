/**
 * The way out and the address of this node. The kernel is asked how a packet to the Internet would leave: rules, tables,
 * preferred sources, scopes, secondary and deprecated addresses are all in its answer. Where it can't be asked, what its
 * tables show is put together as it would (inet_select_addr in net/ipv4/devinet.c; RFC 6724).
 */
import type { KernelNetwork } from "../../system/libc/kernel-network.ts";
import type { Network, NetworkInterface, Route, Way } from "./schema.ts";

/**
 * Somewhere in the Internet; nothing is sent there. Not of the networks for documentation, which real machines drop or
 * have on a link. The second of each is asked where the first goes nowhere: people block single ones.
 */
const ABROAD: Readonly<Record<4 | 6, readonly Uint8Array[]>> = {
  4: [Uint8Array.of(1, 1, 1, 1), Uint8Array.of(9, 9, 9, 9)],
  6: [
    Uint8Array.of(0x20, 0x01, 0x48, 0x60, 0x48, 0x60, 0, 0, 0, 0, 0, 0, 0, 0, 0x88, 0x88),
    Uint8Array.of(0x26, 0x20, 0, 0xfe, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfe),
  ],
};

/** Null: the kernel tells of no family at all. */
export function askedWays(kernel: KernelNetwork): Way[] | null {
  let told = false;
  const ways = ([4, 6] as const).flatMap((family) => {
    for (const to of ABROAD[family]) {
      const way = kernel.wayTo(to);
      if (way !== null) told = true;
      if (way !== null && way !== "nowhere")
        return [
          { family, interface: way.interface, source: way.source, gateway: way.gateway, table: way.table },
        ];
    }
    return [];
  });
  return told ? ways : null;
}

type Addressed = Pick<NetworkInterface, "name" | "addresses">;
type Address = NetworkInterface["addresses"][number];

/** Pure. @param routes of the main table, of each family the preferred first */
export function concludedWays(routes: readonly Route[], interfaces: readonly Addressed[]): Way[] {
  return ([4, 6] as const).flatMap((family) => {
    const own = routes.filter((route) => route.family === family);
    const ways = own.map(({ interface: name, gateway }) => ({
      family,
      interface: name,
      source: sourceFor(family, name, gateway, interfaces),
      gateway,
      table: null,
    }));
    const best = ways.find(({ source }) => source !== null) ?? ways[0];
    return best === undefined ? [] : [best];
  });
}

function sourceFor(
  family: 4 | 6,
  name: string,
  gateway: string | null,
  interfaces: readonly Addressed[],
): string | null {
  const usable = (item: Addressed | undefined): Address[] =>
    (item?.addresses ?? []).filter(
      ({ family: its, scope, marks = [] }) =>
        its === family &&
        (scope === "global" || scope === "site") &&
        !marks.some((mark) => mark === "tentative" || mark === "duplicate"),
    );
  const own = usable(interfaces.find((item) => item.name === name));
  // A host that talks BGP has its address on the loopback interface, and none on its links.
  const elsewhere = usable(interfaces.find((item) => item.name === "lo"));
  return (preferred(own, gateway) ?? preferred(elsewhere, null))?.address ?? null;
}

function preferred(addresses: readonly Address[], gateway: string | null): Address | undefined {
  const marked = ({ marks = [] }: Address): boolean => marks.length > 0;
  const order = [
    (item: Address) => !marked(item) && holds(item, gateway),
    (item: Address) => !marked(item) && !isPrivate6(item.address),
    (item: Address) => !marked(item),
    () => true,
  ];
  for (const fits of order) {
    const found = addresses.find(fits);
    if (found !== undefined) return found;
  }
  return undefined;
}

function holds({ address, prefix, family }: Address, gateway: string | null): boolean {
  if (gateway === null || family !== 4 || gateway.includes(":")) return false;
  const mask = prefix === 0 ? 0 : (-1 << (32 - prefix)) >>> 0;
  return (ipv4Number(address) & mask) >>> 0 === (ipv4Number(gateway) & mask) >>> 0;
}

function ipv4Number(text: string): number {
  return text.split(".").reduce((value, part) => value * 256 + Number(part), 0);
}

/** fc00::/7: for a destination abroad any public one is nearer. */
function isPrivate6(address: string): boolean {
  return /^f[cd]/i.test(address);
}

/**
 * Of two families on two interfaces the one whose default route has the lower metric, else IPv4. A way with no
 * default route in the main table was led there by a rule, on purpose. Pure.
 */
export function primaryOf(ways: readonly Way[], routes: readonly Route[]): Network["primary"] {
  const metricOf = ({ family, interface: name }: Way): number => {
    const own = routes.filter((route) => route.family === family && route.interface === name);
    return own.length === 0 ? 0 : Math.min(...own.map(({ metric }) => metric));
  };
  const reachable = ways.filter(({ source }) => source !== null && !isStopgap(source));
  const [first, second] = reachable.length > 0 ? reachable : ways;
  if (first === undefined) return null;
  const best =
    second !== undefined && second.interface !== first.interface && metricOf(second) < metricOf(first)
      ? second
      : first;
  return { interface: best.interface, address: best.source };
}

/** Link-local, and 192.0.0.0/29, which translators give themselves (RFC 7335): nobody reaches this node by it. */
function isStopgap(address: string): boolean {
  return /^169\.254\.|^192\.0\.0\.[0-7]$|^fe[89ab]/i.test(address);
}
