/** Routes, addresses and counters as the kernel writes them: pure parsers. */
import { ipv6Text } from "../../system/libc/route-messages.ts";

export interface Route {
  readonly interface: string;
  readonly gateway: string | null;
  readonly family: 4 | 6;
  readonly metric: number;
}

/** What has only zeroes for a gateway is on-link. RTF_UP 0x1, RTF_REJECT 0x200 (include/uapi/linux/route.h). */
const UP = 0x1;
const REJECT = 0x200;
const MAX_LINES = 10_000;

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

const UNSPECIFIED = "0".repeat(32);
const DEFAULT6 = `${UNSPECIFIED} 00 `;
/** How each table of IPv6 ends that has no default route: the kernel's own "nowhere" (fib6_null_entry). */
const NOWHERE = / ffffffff \S+ \S+ 00200200\s+lo\s*$/;

/**
 * Default routes of the main table in /proc/net/ipv6_route (all fields in hex), which lists every table without a word
 * of which: see `mainDefaults6`.
 */
export function parseRoutes6(text: string): Route[] {
  const found: Route[] = [];
  for (const line of mainDefaults6(text)) {
    const [, , , , gateway, metric, , , flags, name] = line.trim().split(/\s+/);
    if (!isName(name)) continue;
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

/**
 * The kernel walks the tables by their number's last byte (main is 254, local 255), and each tree with its root last
 * (fib6_walk_continue in net/ipv6/ip6_fib.c): so the lines for ::/0, or the one for "nowhere", close each table, and
 * the main one is the last but one. A text that is in no such order (not the kernel's) is taken as one table.
 */
function mainDefaults6(text: string): string[] {
  const lines = text.split("\n").filter((line) => line !== "");
  if (lines.at(-1)?.startsWith(DEFAULT6) !== true) return lines.filter((line) => line.startsWith(DEFAULT6));
  const tables: string[][] = [];
  let open: string[] = [];
  for (const [index, line] of lines.entries()) {
    if (!line.startsWith(DEFAULT6)) continue;
    open.push(line);
    const next = lines[index + 1];
    // After "nowhere" another table begins also where that has nothing but a default route.
    if (next?.startsWith(DEFAULT6) && !NOWHERE.test(line) && !NOWHERE.test(next)) continue;
    tables.push(open);
    open = [];
  }
  return tables.at(-2) ?? tables.at(-1) ?? [];
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
  return ipv6Text(Buffer.from(hex, "hex"));
}

export interface Address6 {
  readonly interface: string;
  readonly address: string;
  readonly prefix: number;
  readonly scope: Scope;
  readonly marks: readonly Mark[];
}

export type Scope = "global" | "site" | "link" | "host";
export type Mark = "secondary" | "deprecated" | "temporary" | "tentative" | "duplicate" | "optimistic";

const SCOPES: Record<string, Scope> = { "00": "global", "10": "host", "20": "link", "40": "site" };
/** IFA_F_… of include/uapi/linux/if_addr.h; the file shows the lowest eight. */
const MARKS: readonly (readonly [number, Mark])[] = [
  [0x01, "temporary"],
  [0x20, "deprecated"],
  [0x08, "duplicate"],
  [0x40, "tentative"],
  [0x04, "optimistic"],
];

/** /proc/net/if_inet6: every IPv6 address, also of interfaces without carrier. */
export function parseAddresses6(text: string): Address6[] {
  const found: Address6[] = [];
  for (const line of text.split("\n").slice(0, MAX_LINES)) {
    const [hex, , prefix, scope, flags, name] = line.trim().split(/\s+/);
    const address = ipv6FromHex(hex ?? "");
    if (!name || address === null) continue;
    const bits = Number.parseInt(flags ?? "0", 16) || 0;
    found.push({
      interface: name,
      address,
      prefix: Number.parseInt(prefix ?? "0", 16) || 0,
      scope: SCOPES[scope ?? ""] ?? "global",
      marks: MARKS.filter(([bit]) => (bits & bit) !== 0).map(([, mark]) => mark),
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

/** /proc/net/dev: counters of every interface in one read. @param only those of these */
export function parseCounters(text: string, only?: ReadonlySet<string>): Map<string, Counters> {
  const found = new Map<string, Counters>();
  for (const line of text.split("\n").slice(2, MAX_LINES)) {
    const colon = line.lastIndexOf(":");
    if (colon < 0) continue;
    const name = line.slice(0, colon).trim();
    if (only !== undefined && !only.has(name)) continue;
    const values = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
      .map(Number);
    if (values.length < 12 || values.some((value) => !Number.isFinite(value) || value < 0)) continue;
    const at = (index: number): number => values[index] as number;
    found.set(name, {
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
