/** Routes, resolvers and counters as the kernel and glibc write them: pure parsers. */

export interface Route {
  readonly interface: string;
  readonly gateway: string | null;
  readonly family: 4 | 6;
  readonly metric: number;
}

/** What has only zeroes for a gateway is on-link. RTF_UP 0x1, RTF_REJECT 0x200 (include/uapi/linux/route.h). */
const UP = 0x1;
const REJECT = 0x200;

/** Default routes of /proc/net/route (fields in hex, addresses in host byte order: little-endian here). */
export function parseRoutes4(text: string): Route[] {
  const found: Route[] = [];
  for (const line of text.split("\n").slice(1, 5000)) {
    const [name, destination, gateway, flags, , , metric, mask] = line.trim().split(/\s+/);
    if (!isName(name) || destination !== "00000000" || mask !== "00000000") continue;
    const bits = Number.parseInt(flags ?? "", 16);
    if (!(bits & UP) || bits & REJECT) continue;
    found.push({
      interface: name,
      gateway: ipv4FromHex(gateway ?? ""),
      family: 4,
      metric: Number(metric) || 0,
    });
  }
  return found.sort(byMetric);
}

/** Default routes of /proc/net/ipv6_route (all fields in hex). */
export function parseRoutes6(text: string): Route[] {
  const found: Route[] = [];
  for (const line of text.split("\n").slice(0, 20_000)) {
    const fields = line.trim().split(/\s+/);
    const [destination, length, , , gateway, metric, , , flags, name] = fields;
    if (!isName(name) || length !== "00" || !/^0{32}$/.test(destination ?? "")) continue;
    const bits = Number.parseInt(flags ?? "", 16);
    if (!(bits & UP) || bits & REJECT || name === "lo") continue;
    found.push({
      interface: name,
      gateway: ipv6FromHex(gateway ?? ""),
      family: 6,
      metric: Number.parseInt(metric ?? "0", 16) || 0,
    });
  }
  return found.sort(byMetric);
}

/** Up to 15 characters without white space, "/" and ":" (dev_valid_name in the kernel); no garbage. */
function isName(name: string | undefined): name is string {
  return name !== undefined && /^[^\x00-\x20\x7f\ufffd/:]{1,15}$/.test(name);
}

function byMetric(a: Route, b: Route): number {
  return a.metric - b.metric;
}

function ipv4FromHex(hex: string): string | null {
  if (!/^[0-9A-Fa-f]{8}$/.test(hex) || hex === "00000000") return null;
  return [6, 4, 2, 0].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join(".");
}

/** 32 hex digits as in /proc/net/if_inet6; null for the unspecified address. */
export function ipv6FromHex(hex: string): string | null {
  if (!/^[0-9A-Fa-f]{32}$/.test(hex) || /^0+$/.test(hex)) return null;
  const groups = (hex.match(/.{4}/g) ?? []).map((group) => Number.parseInt(group, 16).toString(16));
  // RFC 5952: the longest run of zero groups (two at least, the first of equals) becomes "::".
  let best = { at: -1, length: 1 };
  for (let at = 0; at < groups.length; at++) {
    let length = 0;
    while (groups[at + length] === "0") length++;
    if (length > best.length) best = { at, length };
  }
  if (best.at < 0) return groups.join(":");
  return `${groups.slice(0, best.at).join(":")}::${groups.slice(best.at + best.length).join(":")}`;
}

export interface Address6 {
  readonly interface: string;
  readonly address: string;
  readonly prefix: number;
  readonly scope: Scope;
}

export type Scope = "global" | "site" | "link" | "host";

const SCOPES: Record<string, Scope> = { "00": "global", "10": "host", "20": "link", "40": "site" };

/** /proc/net/if_inet6: every IPv6 address, also of interfaces without carrier. */
export function parseAddresses6(text: string): Address6[] {
  const found: Address6[] = [];
  for (const line of text.split("\n").slice(0, 2000)) {
    const [hex, , prefix, scope, , name] = line.trim().split(/\s+/);
    const address = ipv6FromHex(hex ?? "");
    if (!name || address === null) continue;
    found.push({
      interface: name,
      address,
      prefix: Number.parseInt(prefix ?? "0", 16) || 0,
      scope: SCOPES[scope ?? ""] ?? "global",
    });
  }
  return found;
}

/** Scope of an address that came without one. */
export function scopeOf(address: string): Scope {
  if (/^127\.|^::1$/.test(address)) return "host";
  if (/^169\.254\.|^fe[89ab]/i.test(address)) return "link";
  return "global";
}

/** nameserver lines of resolv.conf(5), at most the three that glibc uses. */
export function parseNameservers(text: string): string[] {
  const found: string[] = [];
  for (const line of text.split("\n").slice(0, 500)) {
    const match = /^\s*nameserver\s+([0-9A-Fa-f:.]{2,45}(?:%[\w.-]+)?)\s*$/.exec(line);
    if (match && found.length < 3) found.push(match[1] as string);
  }
  return found;
}

export interface Counters {
  rx_bytes: number;
  rx_packets: number;
  rx_errors: number;
  rx_dropped: number;
  tx_bytes: number;
  tx_packets: number;
  tx_errors: number;
  tx_dropped: number;
}

/** /proc/net/dev: counters of every interface in one read. */
export function parseCounters(text: string): Map<string, Counters> {
  const found = new Map<string, Counters>();
  for (const line of text.split("\n").slice(2, 2000)) {
    const colon = line.lastIndexOf(":");
    if (colon < 0) continue;
    const values = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
      .map(Number);
    if (values.length < 12 || values.some((value) => !Number.isFinite(value) || value < 0)) continue;
    const at = (index: number): number => values[index] as number;
    found.set(line.slice(0, colon).trim(), {
      rx_bytes: at(0),
      rx_packets: at(1),
      rx_errors: at(2),
      rx_dropped: at(3),
      tx_bytes: at(8),
      tx_packets: at(9),
      tx_errors: at(10),
      tx_dropped: at(11),
    });
  }
  return found;
}
