/**
 * Which interfaces are looked at, and one of them whole. Many files in /sys/class/net give EINVAL or -1 on a link that
 * is down or virtual: each is read in its own try.
 */
import type { Files } from "../../../system/files.ts";
import type { KernelNetwork } from "../../../system/libc/kernel-network.ts";
import { oneLine } from "../../linux/text.ts";
import type { Counters } from "../routes.ts";
import type { Kind, NetworkInterface } from "../schema.ts";
import { baseName, type Fixed, lowerOf, NET, readFixed } from "./fixed.ts";
import { rankOf, WIRED } from "./kinds.ts";
import { hasPassingName, isPassing } from "./passing.ts";

const MAX_INTERFACES = 512;
/** Of a machine with more not even the names are gone through. */
const MAX_NAMES = 8192;
const MAX_WORD = 64;
const IFF_UP = 0x1;

export interface Found {
  readonly name: string;
  /** Names in its folder. */
  readonly entries: ReadonlySet<string>;
  readonly fixed: Fixed;
}

export interface Selection {
  /** By name. */
  readonly shown: readonly Found[];
  readonly leftOut: readonly Found[];
  /** Ports and bridges of guests; these are not among the others. */
  readonly passing: number;
}

/** What stays the same for an interface, by name and ifindex; kept between looks. */
export type FixedCache = Map<string, Fixed>;

/**
 * @param ways names of the interfaces by which packets leave: whatever they are called, they are this host's
 * @param addressed names of those with an address that others can reach
 */
export function selectInterfaces(
  files: Files,
  kernel: KernelNetwork | null,
  cache: FixedCache,
  ways: ReadonlySet<string>,
  addressed: ReadonlySet<string>,
): Selection {
  const own: Found[] = [];
  const seen = new Set<string>();
  let passing = 0;
  for (const name of files.list(NET).slice(0, MAX_NAMES)) {
    if (hasPassingName(name) && !ways.has(name)) {
      passing++;
      continue;
    }
    // What is in each folder, in one look: most of what could be there is not, and asking for each costs as much.
    const entries = new Set(files.list(`${NET}/${name}`));
    if (!entries.has("ifindex")) continue;
    const key = `${name}#${files.text(`${NET}/${name}/ifindex`)}`;
    const fixed = cache.get(key) ?? readFixed(files, kernel, name, entries);
    cache.set(key, fixed);
    seen.add(key);
    if (isPassing(fixed.kind, fixed.elsewhere, addressed.has(name) || ways.has(name))) passing++;
    else own.push({ name, entries, fixed });
  }
  for (const key of cache.keys()) if (!seen.has(key)) cache.delete(key);
  if (own.length <= MAX_INTERFACES) return { shown: own, leftOut: [], passing };
  const rank = ({ name, fixed }: Found): number =>
    ways.has(name) ? -1 : rankOf(fixed.kind) * 2 + (addressed.has(name) ? 0 : 1);
  const ranked = own.toSorted((a, b) => rank(a) - rank(b));
  const kept = new Set(ranked.slice(0, MAX_INTERFACES));
  return {
    shown: own.filter((item) => kept.has(item)),
    leftOut: ranked.slice(MAX_INTERFACES),
    passing,
  };
}

/** How many of each kind, the most first. */
export function countKinds(items: readonly Found[]): { kind: Kind; count: number }[] {
  const counts = new Map<Kind, number>();
  for (const { fixed } of items) counts.set(fixed.kind, (counts.get(fixed.kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => ({ kind, count })).sort((a, b) => b.count - a.count);
}

const WITH_MEMBERS: ReadonlySet<string> = new Set<Kind>(["bond", "team", "bridge", "vrf"]);

/** All but what is concluded from others too. */
export type ReadInterface = Omit<NetworkInterface, "flapping" | "bond_members">;

export function readInterface(
  files: Files,
  { name, entries, fixed }: Found,
  addresses: NetworkInterface["addresses"],
  counters: Counters | null,
): ReadInterface {
  const at = `${NET}/${name}`;
  const { kind, made_as, broadcast, driver, pci_address, vlan_id, vlan_id_from } = fixed;
  const flags = files.number(`${at}/flags`);
  const up = flags === null ? null : (flags & IFF_UP) !== 0;
  const carrier = up ? files.number(`${at}/carrier`) : null;
  // The driver is asked for speed and duplex; without a link there is nothing to ask for.
  const asksDriver = carrier === 1 && (WIRED.has(kind) || kind === "bond" || kind === "team");
  const speed = asksDriver ? files.number(`${at}/speed`) : null;
  const duplex = asksDriver ? files.text(`${at}/duplex`) : null;
  const mac = realMac(files.text(`${at}/address`));
  const lower = lowerOf(entries);
  const isBond = kind === "bond";
  return {
    name,
    kind,
    alias: entries.has("ifalias") ? oneLine(files.text(`${at}/ifalias`), MAX_WORD * 2) : null,
    made_as,
    mac,
    broadcast,
    permanent_mac: permanentMac(files, at, entries, mac),
    mtu: natural(files.number(`${at}/mtu`)),
    up,
    state: oneLine(files.text(`${at}/operstate`), MAX_WORD),
    carrier: carrier === null ? null : carrier === 1,
    carrier_changes: natural(files.number(`${at}/carrier_changes`)),
    speed_mbps: speed !== null && speed > 0 && speed < 0xffff_ffff ? speed : null,
    duplex: duplex === "full" || duplex === "half" ? duplex : null,
    driver,
    pci_address,
    parent: WITH_MEMBERS.has(kind) ? null : (fixed.functionOf ?? parentOf(files, at, entries, lower)),
    vlan_id,
    vlan_id_from,
    master: entries.has("master") ? baseName(files.link(`${at}/master`)) : null,
    members: membersOf(files, at, kind, lower),
    bond_mode: isBond ? (oneLine(files.text(`${at}/bonding/mode`), MAX_WORD)?.split(" ")[0] ?? null) : null,
    active_member: isBond ? oneLine(files.text(`${at}/bonding/active_slave`), MAX_WORD) : null,
    addresses,
    counters,
  };
}

/** A child of InfiniBand (ib0.8001) names what it is on in a file of its own. */
function parentOf(
  files: Files,
  at: string,
  entries: ReadonlySet<string>,
  lower: readonly string[],
): string | null {
  return lower[0] ?? (entries.has("parent") ? oneLine(files.text(`${at}/parent`), MAX_WORD) : null);
}

/** Without the ports of guests, which come and go. */
function membersOf(files: Files, at: string, kind: Kind, lower: readonly string[]): string[] {
  if (kind === "bridge") return files.list(`${at}/brif`).filter((name) => !hasPassingName(name));
  if (kind === "bond" && lower.length === 0)
    return (files.text(`${at}/bonding/slaves`) ?? "").split(/\s+/).filter((name) => name !== "");
  return WITH_MEMBERS.has(kind) ? [...lower] : [];
}

/** addr_assign_type 0 is NET_ADDR_PERM; a bond gives all its members one address, the own one is kept apart. */
function permanentMac(
  files: Files,
  at: string,
  entries: ReadonlySet<string>,
  mac: string | null,
): string | null {
  const behindBond = entries.has("bonding_slave")
    ? realMac(files.text(`${at}/bonding_slave/perm_hwaddr`))
    : null;
  if (behindBond !== null) return behindBond;
  return files.text(`${at}/addr_assign_type`) === "0" ? mac : null;
}

function realMac(value: string | null): string | null {
  return value !== null && /^(?:[0-9a-f]{2}:){5,19}[0-9a-f]{2}$/i.test(value) && !/^[0:]+$/.test(value)
    ? value.toLowerCase()
    : null;
}

function natural(value: number | null): number | null {
  return value !== null && Number.isInteger(value) && value >= 0 ? value : null;
}
