/** The shape of the section `network`. */
import * as v from "valibot";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const text = v.nullable(v.string());

const AddressSchema = v.strictObject({
  address: v.string(),
  prefix: count,
  family: v.picklist([4, 6]),
  scope: v.picklist(["global", "site", "link", "host"]),
});

const InterfaceSchema = v.strictObject({
  name: v.string(),
  kind: v.picklist(["physical", "bond", "bridge", "vlan", "wireless", "virtual", "loopback"]),
  mac: text,
  permanent_mac: v.pipe(text, v.description("Burnt-in address; null where the kernel does not say")),
  mtu: v.nullable(count),
  up: v.pipe(v.nullable(v.boolean()), v.description("Administratively up (IFF_UP)")),
  state: v.pipe(text, v.description("operstate: up, down, dormant, lowerlayerdown, unknown")),
  carrier: v.pipe(
    v.nullable(v.boolean()),
    v.description("Link detected; null while it is administratively down"),
  ),
  carrier_changes: v.nullable(count),
  speed_mbps: v.nullable(count),
  duplex: v.nullable(v.picklist(["full", "half"])),
  driver: text,
  pci_address: text,
  parent: v.pipe(text, v.description("What a VLAN is on")),
  vlan_id: v.nullable(count),
  master: v.pipe(text, v.description("Bond or bridge this is a member of")),
  members: v.array(v.string()),
  bond_mode: text,
  active_member: v.pipe(text, v.description("The member in use of an active-backup bond")),
  addresses: v.array(AddressSchema),
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
  family: v.picklist([4, 6]),
  metric: count,
});

export const NetworkSchema = v.strictObject({
  interfaces: v.array(InterfaceSchema),
  interfaces_left_out: v.pipe(count, v.description("Interfaces beyond the first 512")),
  default_routes: v.array(RouteSchema),
  primary: v.pipe(
    v.nullable(v.strictObject({ interface: v.string(), address: text })),
    v.description("Interface of the default route, and its global address"),
  ),
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
