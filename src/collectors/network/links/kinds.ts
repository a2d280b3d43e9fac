/**
 * What an interface is, of what the kernel itself says: its type (ARPHRD), the word of whoever made it (netlink's
 * IFLA_INFO_KIND, or DEVTYPE in uevent where netlink can't be asked), and what is in its folder. Never of its name.
 */
import type { Kind } from "../schema.ts";

/** Of include/uapi/linux/if_arp.h. */
// biome-ignore format: a table is read by its columns
const BY_TYPE: Readonly<Record<number, Kind>> = {
  32:  "infiniband",
  280: "can",
  512: "ppp",
  768: "tunnel",
  769: "tunnel",
  772: "loopback",
  776: "tunnel",
  778: "tunnel",
  823: "tunnel",
};

/** The `kind` of rtnl_link_ops, and the names of device types. */
// biome-ignore format: a table is read by its columns
const BY_WORD: Readonly<Record<string, Kind>> = {
  amt: "tunnel",       bareudp: "tunnel",   bond: "bond",          bridge: "bridge",     can: "can",
  dummy: "dummy",      erspan: "tunnel",    fou: "tunnel",         geneve: "tunnel",     gre: "tunnel",
  gretap: "tunnel",    gtp: "tunnel",       ip6erspan: "tunnel",   ip6gre: "tunnel",     ip6gretap: "tunnel",
  ip6tnl: "tunnel",    ipip: "tunnel",      ipoib: "infiniband",   ipvlan: "ipvlan",     ipvtap: "ipvlan",
  macsec: "macsec",    macvlan: "macvlan",  macvtap: "macvlan",    netkit: "veth",       ppp: "ppp",
  sit: "tunnel",       team: "team",        tun: "tun",            veth: "veth",         vcan: "can",
  vlan: "vlan",        vrf: "vrf",          vti: "tunnel",         vti6: "tunnel",       vxcan: "can",
  vxlan: "tunnel",     wireguard: "wireguard", wlan: "wireless",   wwan: "wwan",         xfrm: "tunnel",
  rmnet: "wwan",
};

const IFF_TAP = 0x2;

export interface Evidence {
  /** Of /sys/class/net/NAME/type. */
  readonly type: number | null;
  /** What made it; null: not known, or a device. */
  readonly madeAs: string | null;
  /** What is in its folder. */
  readonly entries: ReadonlySet<string>;
  /** Of a tun or tap. */
  readonly tunFlags: number | null;
  /** There is a device behind it. */
  readonly hasDevice: boolean;
  /** That is a virtual function of another device. */
  readonly isFunction: boolean;
  /** The port's own name: `p0`, `pf0vf3` is the switch's side of a virtual function. */
  readonly portName: string | null;
}

/** Pure. */
export function kindOf(evidence: Evidence): Kind {
  const { type, madeAs, entries, tunFlags, hasDevice, isFunction, portName } = evidence;
  const byType = type === null ? undefined : BY_TYPE[type];
  if (byType === "loopback" || byType === "can" || byType === "infiniband") return byType;
  if (entries.has("bonding")) return "bond";
  if (entries.has("bridge")) return "bridge";
  if (tunFlags !== null) return (tunFlags & IFF_TAP) !== 0 ? "tap" : "tun";
  const byWord = madeAs !== null && Object.hasOwn(BY_WORD, madeAs) ? BY_WORD[madeAs] : undefined;
  if (byWord !== undefined) return byWord;
  if (entries.has("phy80211") || entries.has("wireless")) return "wireless";
  if (byType !== undefined) return byType;
  if (/^(?:c\d+)?pf\d+(?:vf|sf)\d+$/.test(portName ?? "")) return "virtual";
  if (isFunction) return "vf";
  return hasDevice ? "physical" : "virtual";
}

/** Whose carrier is somebody else's cable or radio: what goes there is news. */
export const WIRED: ReadonlySet<string> = new Set<Kind>([
  "physical",
  "vf",
  "infiniband",
  "can",
  "wireless",
  "wwan",
]);

/** Which are kept where there are too many; the first most of all. */
const RANKS: readonly ReadonlySet<string>[] = [
  WIRED,
  new Set<Kind>(["bond", "team"]),
  new Set<Kind>(["bridge", "vlan", "vrf", "loopback"]),
  new Set<Kind>(["wireguard", "tunnel", "macvlan", "ipvlan", "macsec", "ppp", "tun", "dummy"]),
];

/** 0: to be kept first. */
export function rankOf(kind: Kind): number {
  const found = RANKS.findIndex((kinds) => kinds.has(kind));
  return found < 0 ? RANKS.length : found;
}
