/**
 * Network: every interface, down ones too. Names and states from /sys/class/net, counters from one read of
 * /proc/net/dev, addresses from the kernel (which lists only interfaces that are up) and /proc/net/if_inet6.
 * Many files there give EINVAL or -1 on a link that is down or virtual: each is read in its own try.
 */
import type { Files } from "../../system/files.ts";
import type { InterfaceAddress, Machine } from "../../system/machine.ts";
import type { Collector } from "../collector.ts";
import { oneLine } from "../linux/text.ts";
import { networkChanges, networkConditions } from "./conditions.ts";
import { baseName, type Fixed, NET, readFixed } from "./fixed.ts";
import { listeningReader } from "./listening.ts";
import { networkMetrics } from "./metrics.ts";
import {
  type Address6,
  type Counters,
  parseAddresses6,
  parseCounters,
  parseNameservers,
  parseRoutes4,
  parseRoutes6,
  scopeOf,
} from "./routes.ts";
import { type Network, type NetworkInterface, NetworkSchema } from "./schema.ts";

const MAX_INTERFACES = 512;
const MAX_WORD = 64;
const IFF_UP = 0x1;

export function networkCollector(): Collector<Network> {
  const fixed = new Map<string, Fixed>();
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
    collect: ({ machine }) =>
      collect(machine, fixed, readListening(machine.files, machine.clock.monotonic())),
  };
}

function collect(machine: Machine, fixed: Map<string, Fixed>, listening: Network["listening"]): Network {
  const { files } = machine;
  // What is in each folder, in one look: most of what could be there is not, and asking for each costs as much.
  const found = new Map(files.list(NET).map((name) => [name, new Set(files.list(`${NET}/${name}`))]));
  const names = [...found.keys()].filter((name) => found.get(name)?.has("ifindex"));
  const shown = names.slice(0, MAX_INTERFACES);
  const known = machine.addresses();
  const addresses6 = parseAddresses6(files.text("/proc/net/if_inet6") ?? "");
  const counters = parseCounters(files.text("/proc/net/dev") ?? "");
  for (const name of fixed.keys())
    if (!shown.includes(name.slice(0, name.lastIndexOf("#")))) fixed.delete(name);
  const interfaces = shown.map((name) =>
    readInterface(
      files,
      name,
      found.get(name) ?? new Set(),
      fixed,
      addressesOf(name, known, addresses6),
      counters.get(name) ?? null,
    ),
  );
  const default_routes = [
    ...parseRoutes4(files.text("/proc/net/route") ?? ""),
    ...parseRoutes6(files.text("/proc/net/ipv6_route") ?? ""),
  ];
  return {
    interfaces,
    interfaces_left_out: names.length - shown.length,
    default_routes,
    primary: primaryOf(default_routes, interfaces),
    dns_servers: nameservers(files),
    listening,
    addresses_known: known !== null,
  };
}

function readInterface(
  files: Files,
  name: string,
  entries: ReadonlySet<string>,
  fixed: Map<string, Fixed>,
  addresses: NetworkInterface["addresses"],
  counters: Counters | null,
): NetworkInterface {
  const at = `${NET}/${name}`;
  const key = `${name}#${files.text(`${at}/ifindex`)}`;
  let facts = fixed.get(key);
  if (!facts) {
    facts = readFixed(files, name, entries);
    fixed.set(key, facts);
  }
  const flags = files.number(`${at}/flags`);
  const up = flags === null ? null : (flags & IFF_UP) !== 0;
  const carrier = up ? files.number(`${at}/carrier`) : null;
  // The driver is asked for speed and duplex; without a link there is nothing to ask for.
  const asksDriver =
    carrier === 1 && (facts.kind === "physical" || facts.kind === "bond" || facts.kind === "wireless");
  const speed = asksDriver ? files.number(`${at}/speed`) : null;
  const duplex = asksDriver ? files.text(`${at}/duplex`) : null;
  const mac = realMac(files.text(`${at}/address`));
  const lower = [...entries].filter((entry) => entry.startsWith("lower_")).map((entry) => entry.slice(6));
  const stacked = facts.kind === "bond" || facts.kind === "bridge";
  return {
    name,
    kind: facts.kind,
    mac,
    permanent_mac: permanentMac(files, at, entries, mac),
    mtu: natural(files.number(`${at}/mtu`)),
    up,
    state: oneLine(files.text(`${at}/operstate`), MAX_WORD),
    carrier: carrier === null ? null : carrier === 1,
    carrier_changes: natural(files.number(`${at}/carrier_changes`)),
    speed_mbps: speed !== null && speed > 0 && speed < 0xffff_ffff ? speed : null,
    duplex: duplex === "full" || duplex === "half" ? duplex : null,
    driver: facts.driver,
    pci_address: facts.pci_address,
    parent: facts.kind === "vlan" ? (lower[0] ?? null) : null,
    vlan_id: facts.vlan_id,
    master: entries.has("master") ? baseName(files.link(`${at}/master`)) : null,
    members: facts.kind === "bridge" ? files.list(`${at}/brif`) : stacked ? lower : [],
    bond_mode:
      facts.kind === "bond"
        ? (oneLine(files.text(`${at}/bonding/mode`), MAX_WORD)?.split(" ")[0] ?? null)
        : null,
    active_member: facts.kind === "bond" ? oneLine(files.text(`${at}/bonding/active_slave`), MAX_WORD) : null,
    addresses,
    counters,
  };
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

function addressesOf(
  name: string,
  known: readonly InterfaceAddress[] | null,
  six: readonly Address6[],
): NetworkInterface["addresses"] {
  const found: NetworkInterface["addresses"] = [];
  for (const item of known ?? []) {
    if (item.interface !== name || item.family !== 4) continue;
    found.push({ address: item.address, prefix: item.prefix, family: 4, scope: scopeOf(item.address) });
  }
  const fromFile = six.filter((item) => item.interface === name);
  for (const { address, prefix, scope } of fromFile) found.push({ address, prefix, family: 6, scope });
  for (const item of fromFile.length > 0 ? [] : (known ?? [])) {
    if (item.interface !== name || item.family !== 6) continue;
    const address = item.address.replace(/%.*$/, "");
    found.push({ address, prefix: item.prefix, family: 6, scope: scopeOf(address) });
  }
  return found.sort((a, b) => a.family - b.family || (a.address < b.address ? -1 : 1));
}

function primaryOf(
  routes: Network["default_routes"],
  interfaces: readonly NetworkInterface[],
): Network["primary"] {
  for (const route of routes) {
    const found = interfaces.find((item) => item.name === route.interface);
    const address = found?.addresses.find((item) => item.family === route.family && item.scope === "global");
    if (found && address) return { interface: found.name, address: address.address };
  }
  // The route's own family has no address to show (IPv6 by router advertisement, IPv4 without a gateway).
  const [first] = routes;
  if (first === undefined) return null;
  const all = interfaces.find((item) => item.name === first.interface)?.addresses ?? [];
  const best = all.find((item) => item.scope === "global") ?? all.find((item) => item.scope === "site");
  return { interface: first.interface, address: best?.address ?? null };
}

/** systemd-resolved's stub hides the real servers, which stand in its own file. */
function nameservers(files: Files): string[] {
  const found = parseNameservers(files.text("/etc/resolv.conf") ?? "");
  if (found.length !== 1 || !/^127\.0\.0\.5[34]$/.test(found[0] ?? "")) return found;
  const real = parseNameservers(files.text("/run/systemd/resolve/resolv.conf") ?? "");
  return real.length > 0 ? real : found;
}
