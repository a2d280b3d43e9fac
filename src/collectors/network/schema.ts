/** The shape of the section `network`. */
import * as v from "valibot";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const text = v.nullable(v.string());
const family = v.picklist([4, 6]);

const kind = v.picklist([
  "physical",
  "vf",
  "infiniband",
  "can",
  "wireless",
  "wwan",
  "bond",
  "team",
  "bridge",
  "vlan",
  "macvlan",
  "ipvlan",
  "macsec",
  "vrf",
  "wireguard",
  "tunnel",
  "tun",
  "tap",
  "ppp",
  "veth",
  "dummy",
  "virtual",
  "loopback",
]);

const AddressSchema = v.strictObject({
  address: v.string(),
  prefix: count,
  family,
  scope: v.picklist(["global", "site", "link", "host"]),
  marks: v.pipe(
    v.optional(
      v.array(v.picklist(["secondary", "deprecated", "temporary", "tentative", "duplicate", "optimistic"])),
    ),
    v.description("What the kernel notes of it; missing: nothing"),
  ),
});

const MemberSchema = v.strictObject({
  name: v.string(),
  state: v.pipe(
    v.picklist(["ok", "gone", "off", "no_carrier", "mii_down", "other_aggregator", "no_partner"]),
    v.description(
      "ok: takes part; gone: it was a member and is none now; off: administratively down; mii_down: the bond's own look says so; other_aggregator: LACP does not bundle it with the others; no_partner: nobody at the other end speaks LACP",
    ),
  ),
});

const InterfaceSchema = v.strictObject({
  name: v.string(),
  kind,
  alias: v.pipe(text, v.description("What somebody wrote on it: ip link set NAME alias TEXT")),
  made_as: v.pipe(text, v.description("The kernel's own word for what made it: vxlan, gretap, team, dsa")),
  mac: text,
  broadcast: v.pipe(text, v.description("Address of the link for all that are on it")),
  permanent_mac: v.pipe(text, v.description("Burnt-in address; null where the kernel does not say")),
  mtu: v.nullable(count),
  up: v.pipe(v.nullable(v.boolean()), v.description("Administratively up (IFF_UP)")),
  state: v.pipe(text, v.description("operstate: up, down, dormant, lowerlayerdown, unknown")),
  carrier: v.pipe(
    v.nullable(v.boolean()),
    v.description("Link detected; null while it is administratively down"),
  ),
  carrier_changes: v.nullable(count),
  flapping: v.pipe(
    v.boolean(),
    v.description("Its link went and came several times in the last ten minutes"),
  ),
  speed_mbps: v.nullable(count),
  duplex: v.nullable(v.picklist(["full", "half"])),
  driver: text,
  pci_address: text,
  parent: v.pipe(
    text,
    v.description("What a VLAN, macvlan or tunnel is on; the device of a virtual function"),
  ),
  vlan_id: v.nullable(count),
  vlan_id_from: v.pipe(
    v.nullable(v.picklist(["kernel", "name", "unknown"])),
    v.description(
      "name: only the interface's name says so; unknown: it is a VLAN, but its id can't be read; null: no VLAN",
    ),
  ),
  master: v.pipe(text, v.description("Bond, team, bridge or VRF this is a member of")),
  members: v.pipe(
    v.array(v.string()),
    v.description("Of bonds, teams, bridges and VRFs; without those of guests"),
  ),
  bond_mode: text,
  active_member: v.pipe(text, v.description("The member in use of an active-backup bond")),
  bond_members: v.pipe(
    v.nullable(v.array(MemberSchema)),
    v.description(
      "How each member of a bond or team fares, those too that it has lost; null: neither of them",
    ),
  ),
  addresses: v.pipe(
    v.array(AddressSchema),
    v.description("IPv4 in the kernel's order, which it prefers first"),
  ),
  counters: v.nullable(
    v.strictObject({
      rx_bytes: count,
      rx_packets: count,
      rx_errors: count,
      rx_dropped: count,
      tx_bytes: count,
      tx_packets: count,
      tx_errors: count,
      tx_dropped: count,
    }),
  ),
});

const RouteSchema = v.strictObject({
  interface: v.string(),
  gateway: text,
  family,
  metric: count,
});

const WaySchema = v.strictObject({
  family,
  interface: v.string(),
  source: v.pipe(text, v.description("The address that a packet from this node has")),
  gateway: v.pipe(text, v.description("null: reached directly")),
  table: v.pipe(
    v.nullable(count),
    v.description("Number of the table of routes; 254 is main; null: not known"),
  ),
});

/** Why an interface is one that this node needs: how it was used when that was noted last. */
const use = v.picklist(["way_out", "member", "address", "below"]);

const MissingSchema = v.strictObject({
  name: v.string(),
  mac: v.pipe(text, v.description("Its permanent address")),
  use: v.pipe(
    use,
    v.description("way_out: default route; member: of a bond or bridge; below: a VLAN is on it"),
  ),
  since: v.pipe(v.string(), v.description("RFC 3339, when it was noticed")),
});

const LeftOutSchema = v.strictObject({ kind, count });

export const NetworkSchema = v.strictObject({
  interfaces: v.array(InterfaceSchema),
  interfaces_left_out: v.pipe(
    count,
    v.description("Interfaces beyond 512; devices, bonds and those in use are kept first"),
  ),
  left_out: v.pipe(v.array(LeftOutSchema), v.description("What these are")),
  passing_interfaces: v.pipe(
    v.nullable(count),
    v.description("Ports and bridges of containers and virtual machines: counted, not listed"),
  ),
  default_routes: v.pipe(v.array(RouteSchema), v.description("Of the main table, the preferred first")),
  ways_out: v.pipe(
    v.array(WaySchema),
    v.description("How a packet to the Internet would leave, one for each family that has a way"),
  ),
  ways_out_from: v.pipe(
    v.picklist(["kernel", "tables"]),
    v.description("kernel: its own answer; tables: it can't be asked, so concluded from its tables"),
  ),
  primary: v.pipe(
    v.nullable(v.strictObject({ interface: v.string(), address: text })),
    v.description(
      "The way out and its source address; of two families the one with the lower metric, else IPv4",
    ),
  ),
  links_lost: v.pipe(
    v.array(MissingSchema),
    v.description("Links in use that have no carrier now, but had one"),
  ),
  missing: v.pipe(v.array(MissingSchema), v.description("Devices in use that are not there any more")),
  dns_servers: v.array(v.string()),
  listening: v.pipe(
    v.nullable(
      v.strictObject({
        ports: v.array(
          v.strictObject({
            port: count,
            usual: v.pipe(v.string(), v.description("What of Ceph usually listens there")),
            loopback_only: v.boolean(),
          }),
        ),
        osd_range: v.pipe(count, v.description("Ports from 6800 to 7568 (OSD, MDS, mgr): how many")),
      }),
    ),
    v.description("Ceph's ports on which something listens; null: the kernel's lists can't be read"),
  ),
  addresses_known: v.pipe(
    v.boolean(),
    v.description("false: IPv4 addresses are missing, the kernel can't be asked for them (no AF_NETLINK)"),
  ),
});

export type Network = v.InferOutput<typeof NetworkSchema>;
export type NetworkInterface = Network["interfaces"][number];
export type Kind = NetworkInterface["kind"];
export type Use = v.InferOutput<typeof use>;
export type Missing = Network["missing"][number];
export type BondMember = v.InferOutput<typeof MemberSchema>;
export type Way = Network["ways_out"][number];
export type Route = Network["default_routes"][number];
