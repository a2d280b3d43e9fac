/**
 * The IPv4 addresses where the kernel may not be asked for them (a unit without AF_NETLINK): no file names
 * them with their interfaces, so they are put together of two. /proc/net/fib_trie has every local address,
 * /proc/net/route the networks each interface is on.
 *
 * A static route over a device looks in the second file just like the network of an address. What tells them
 * apart is the broadcast address, which the kernel adds for each network of an address and for nothing else.
 * An address that fits two interfaces or none is left out, and it is said that some are missing.
 */
import type { Files } from "../../system/files.ts";
import type { InterfaceAddress } from "../../system/machine.ts";
import { readWhole } from "../linux/text.ts";

const TRIE = "/proc/net/fib_trie";
const ROUTES = "/proc/net/route";
const USUAL_BYTES = 64 * 1024;
/** 8000 routes; more has only a router. */
const MAX_BYTES = 1024 * 1024;
const MAX_LOCALS = 2048;
const MAX_NETWORKS = 1024;

/** Of include/uapi/linux/route.h: in use, by a gateway (also an IPv6 one, of which the gateway's column shows 0). */
const RTF_UP = 0x1;
const RTF_GATEWAY = 0x2;
const RTF_REJECT = 0x200;

export interface LocalAddresses {
  readonly addresses: readonly InterfaceAddress[];
  /** false: this node has other addresses too, whose interface can't be told. */
  readonly complete: boolean;
}

/** Of all tables of routes, those that /proc/net/route shows and the one of local addresses. Addresses are numbers. */
export interface Trie {
  /** This node's own addresses. */
  readonly locals: readonly number[];
  /** Networks of addresses on the loopback interface, whose every address is local. */
  readonly loopbacks: readonly { readonly address: number; readonly prefix: number }[];
  readonly broadcasts: ReadonlySet<number>;
  /** false: cut, or other tables (of a VRF) have more local addresses. */
  readonly complete: boolean;
}

export interface DeviceRoute {
  readonly interface: string;
  readonly address: number;
  readonly prefix: number;
  /** 0 without one. */
  readonly gateway: number;
  readonly connected: boolean;
}

/** Null where these files can't be read either. */
export function readLocalAddresses(files: Files): LocalAddresses | null {
  const trie = readLong(files, TRIE);
  const routes = readLong(files, ROUTES);
  if (trie === "" || routes === "") return null;
  return placeAddresses(parseTrie(trie), parseDeviceRoutes(routes));
}

/** Few need the big buffer, so it is taken only where the usual one was filled. */
function readLong(files: Files, path: string): string {
  const text = readWhole(files, path, USUAL_BYTES);
  return text.length < USUAL_BYTES ? text : readWhole(files, path, MAX_BYTES);
}

/**
 * /proc/net/fib_trie, as fib_trie_seq_show() in the kernel's net/ipv4/fib_trie.c prints it: for each table its
 * name (`Main:`, `Local:`, `Id 10:`; the first two have the same contents until somebody adds a rule), inner
 * nodes (`+-- 10.0.2.0/24 2 0 2`), leaves (`|-- 10.0.2.15`), and below a leaf one line for each prefix with its
 * scope and type (`/32 host LOCAL`). Lines of any other form are passed over.
 */
export function parseTrie(text: string): Trie {
  const locals = new Set<number>();
  const elsewhere = new Set<number>();
  const loopbacks = new Map<string, { address: number; prefix: number }>();
  const broadcasts = new Set<number>();
  let shown = false;
  let leaf: number | null = null;
  // The last line of a text that was cut is half a line.
  const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
  for (const line of lines) {
    const word = line.trimStart();
    if (word.startsWith("|-- ")) leaf = parseDotted(word.slice(4));
    else if (word.startsWith("+-- ")) leaf = null;
    else if (word.startsWith("/") && leaf !== null) {
      const prefix = /^\/(\d{1,2}) (?:host (LOCAL)|link (BROADCAST))(?: tos=\d+)?$/.exec(word);
      if (prefix === null) continue;
      const length = Number(prefix[1]);
      if (prefix[3] !== undefined) {
        if (shown) broadcasts.add(leaf);
      } else if (length === 32) (shown ? locals : elsewhere).add(leaf);
      else if (shown && length > 0 && length < 32)
        loopbacks.set(`${leaf}/${length}`, { address: leaf, prefix: length });
    } else if (line.endsWith(":")) shown = line === "Main:" || line === "Local:";
  }
  return {
    locals: [...locals].slice(0, MAX_LOCALS),
    loopbacks: [...loopbacks.values()].slice(0, MAX_NETWORKS),
    broadcasts,
    complete:
      locals.size <= MAX_LOCALS &&
      text.endsWith("\n") &&
      text.length < MAX_BYTES &&
      [...elsewhere].every((address) => locals.has(address)),
  };
}

/**
 * /proc/net/route, as fib_route_seq_show() in net/ipv4/fib_trie.c prints the main table: a line of titles, then
 * interface, destination, gateway, flags, three numbers, mask, … with addresses in hex as they lie in memory
 * (the first byte last: all machines this runs on are little-endian). Routes without an interface (`*`) are left out.
 */
export function parseDeviceRoutes(text: string): DeviceRoute[] {
  const found: DeviceRoute[] = [];
  for (const line of text.split("\n").slice(1)) {
    const [name = "", destination = "", gateway = "", flags = "", , , , mask = ""] = line.split(/\s+/, 8);
    const address = parseReversedHex(destination);
    const by = parseReversedHex(gateway);
    const prefix = prefixOf(parseReversedHex(mask));
    if (!/^[^\x00-\x20\x7f\ufffd/:]{1,15}$/.test(name) || name === "*") continue;
    if (address === null || by === null || prefix === null || !/^[0-9A-Fa-f]{4,8}$/.test(flags)) continue;
    const bits = Number.parseInt(flags, 16) & (RTF_UP | RTF_GATEWAY | RTF_REJECT);
    if ((bits & RTF_UP) === 0 || (bits & RTF_REJECT) !== 0) continue;
    found.push({
      interface: name,
      address,
      prefix,
      gateway: by,
      connected: bits === RTF_UP && by === 0,
    });
  }
  return found;
}

interface Attached {
  readonly interface: string;
  readonly address: number;
  readonly prefix: number;
}

/**
 * Which address is on which interface, in the order of the addresses in the trie. Pure.
 *
 * The longest network that an address is in gives its prefix. Of networks of several interfaces one within the
 * other the inner one is right only for the one address it can't be without. A node with an address of its own
 * (/32) at a provider is in no network, but its way out shows where that address is: see `soleAddress`.
 *
 * What these files do not show: an address with a mask narrower than the network it is in (a service's /32) gets
 * the network's prefix and interface, also where it is on the loopback interface; one that is local by a route of
 * its own (`ip route add local …`) is taken for an interface's; one on two interfaces is given once.
 */
export function placeAddresses(trie: Trie, routes: readonly DeviceRoute[]): LocalAddresses {
  const networks = attachedNetworks(trie, routes);
  const addresses: InterfaceAddress[] = [];
  const left: number[] = [];
  for (const local of trie.locals) {
    const candidates = networks.filter((network) => contains(network, local));
    const [longest] = candidates;
    const rival = candidates.find((network) => network.interface !== longest?.interface);
    const sole = (network: Attached): boolean =>
      trie.locals.every((other) => other === local || !contains(network, other));
    if (longest === undefined || (rival !== undefined && (rival.prefix === longest.prefix || !sole(longest))))
      left.push(local);
    else addresses.push(found(longest.interface, local, longest.prefix));
  }
  const sole = left.length === 1 ? soleAddress(left[0] as number, routes, addresses) : null;
  if (sole === null) return { addresses, complete: trie.complete && left.length === 0 };
  return { addresses: [...addresses, sole], complete: trie.complete };
}

/** Networks of addresses, the longest first. */
function attachedNetworks(trie: Trie, routes: readonly DeviceRoute[]): Attached[] {
  // Up to /30 the network of an address has a broadcast address; a host route (/32) is no network of anything.
  const isOfAddress = ({ address, prefix }: Pick<Attached, "address" | "prefix">): boolean =>
    prefix === 31 ||
    (prefix > 0 && prefix < 31 && trie.broadcasts.has((address | (~maskOf(prefix) >>> 0)) >>> 0));
  const all = [
    { interface: "lo", address: 0x7f000000, prefix: 8 },
    ...trie.loopbacks.filter(isOfAddress).map((network) => ({ interface: "lo", ...network })),
    ...routes.filter((route) => route.connected && isOfAddress(route)),
  ];
  return all.slice(0, MAX_NETWORKS).sort((a, b) => b.prefix - a.prefix);
}

/**
 * The one address nobody has, on the one interface that must have one: the default gateway is itself reached by a
 * host route over that interface, which has no address in any network. So do hosting providers set up their machines
 * (a /32, the gateway outside of it).
 */
function soleAddress(
  local: number,
  routes: readonly DeviceRoute[],
  placed: readonly InterfaceAddress[],
): InterfaceAddress | null {
  const gateways = routes.filter(({ prefix, gateway }) => prefix === 0 && gateway !== 0);
  const ways = new Set(
    gateways
      .filter((way) =>
        routes.some(
          (route) =>
            route.connected &&
            route.prefix === 32 &&
            route.address === way.gateway &&
            route.interface === way.interface,
        ),
      )
      .map((way) => way.interface),
  );
  const [name, ...more] = ways;
  if (name === undefined || more.length > 0 || placed.some((item) => item.interface === name)) return null;
  return found(name, local, 32);
}

function found(name: string, address: number, prefix: number): InterfaceAddress {
  const dotted = [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join(".");
  return { interface: name, address: dotted, prefix, family: 4 };
}

function contains({ address, prefix }: Attached, local: number): boolean {
  return (local & maskOf(prefix)) >>> 0 === address;
}

function maskOf(prefix: number): number {
  return prefix === 0 ? 0 : (-1 << (32 - prefix)) >>> 0;
}

/** Null for a mask with holes. */
function prefixOf(mask: number | null): number | null {
  if (mask === null) return null;
  const prefix = Math.clz32(~mask);
  return maskOf(prefix) === mask ? prefix : null;
}

function parseDotted(text: string): number | null {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (parts === undefined || parts.some((part) => part > 255)) return null;
  return parts.reduce((value, part) => value * 256 + part, 0);
}

function parseReversedHex(hex: string): number | null {
  if (!/^[0-9A-Fa-f]{8}$/.test(hex)) return null;
  return [6, 4, 2, 0].reduce((value, at) => value * 256 + Number.parseInt(hex.slice(at, at + 2), 16), 0);
}
