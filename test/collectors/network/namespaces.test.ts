/** The node's address and way out beside the kernel's own answer (`ip route get`), in set-ups that real nodes have. */
import { describe, expect, test } from "vitest";
import { networkCollector } from "../../../src/collectors/network/network.ts";
import type { Network } from "../../../src/collectors/network/schema.ts";
import { compileFacets, stableText } from "../../../src/model/facets.ts";
import { collectInNamespace, noNamespaces, type Seen } from "../../support/machine/namespace.ts";

const missing = noNamespaces();
if (missing !== null) process.stderr.write(`SKIPPED, the kernel's answers are not compared: ${missing}\n`);
const inNamespaces = describe.skipIf(missing !== null);

async function collectOne(setup: string): Promise<Seen> {
  const [seen] = await collectInNamespace([{ setup, deaf: false }]);
  return seen as Seen;
}

const named = (data: Network, name: string) => data.interfaces.find((item) => item.name === name);

/** Set-up, and the primary address that must come of it; where both families have a way, of which interface. */
const SETUPS: readonly (readonly [what: string, setup: string, primary: string | null])[] = [
  [
    "a service address (VIP, /32) before the own one in the order of strings",
    "ip addr add 192.168.1.20/24 dev eth0; ip route add default via 192.168.1.1; ip addr add 192.168.1.100/32 dev eth0",
    "eth0 192.168.1.20",
  ],
  [
    "a secondary address before the first one in the order of strings",
    "ip addr add 10.2.12.31/24 dev eth0; ip addr add 10.2.12.250/24 dev eth0; ip route add default via 10.2.12.1",
    "eth0 10.2.12.31",
  ],
  [
    "a host that talks BGP: its address on lo, an IPv6 gateway for IPv4",
    "ip addr add 10.0.0.5/32 dev lo; ip route add default src 10.0.0.5 via inet6 fe80::1 dev eth0",
    "eth0 10.0.0.5",
  ],
  [
    "the same without a preferred source: the kernel takes the one on lo",
    "ip addr add 10.0.0.6/32 dev lo; ip -4 route add default via inet6 fe80::1 dev eth0",
    "eth0 10.0.0.6",
  ],
  [
    "a preferred source that is neither the first nor on the way out",
    "ip addr add 10.1.0.2/24 dev eth0; ip addr add 10.9.0.2/24 dev eth1; ip route add default via 10.1.0.1 src 10.9.0.2",
    "eth0 10.9.0.2",
  ],
  [
    "the gateway is in the network of the second address",
    "ip addr add 10.1.0.2/24 dev eth0; ip addr add 10.2.0.2/24 dev eth0; ip route add default via 10.2.0.1",
    "eth0 10.2.0.2",
  ],
  [
    "an address of scope link before one of scope global",
    "ip addr add 10.1.0.2/24 scope link dev eth0; ip addr add 10.1.1.2/24 dev eth0; ip route add default via 10.1.1.1",
    "eth0 10.1.1.2",
  ],
  [
    "two default routes, the second with the better metric",
    "ip addr add 10.1.0.2/24 dev eth0; ip addr add 10.2.0.2/24 dev eth1; ip route add default via 10.1.0.1 metric 200; ip route add default via 10.2.0.1 metric 100",
    "eth1 10.2.0.2",
  ],
  [
    "a host route to the gateway (onlink) and a /32 of a hosting provider",
    "ip addr add 203.0.113.7/32 dev eth0; ip route add default via 198.51.100.1 dev eth0 onlink",
    "eth0 203.0.113.7",
  ],
  [
    "a network of two (/31)",
    "ip addr add 10.7.0.1/31 dev eth1; ip route add default via 10.7.0.0",
    "eth1 10.7.0.1",
  ],
  [
    "a tunnel that halves the Internet (OpenVPN's def1)",
    "ip addr add 10.1.0.2/24 dev eth0; ip route add default via 10.1.0.1; ip addr add 10.8.0.2/24 dev eth1; ip route add 0.0.0.0/1 via 10.8.0.1; ip route add 128.0.0.0/1 via 10.8.0.1",
    "eth1 10.8.0.2",
  ],
  [
    "a rule that sends all without a mark into a table of its own (WireGuard's default)",
    "ip addr add 10.1.0.2/24 dev eth0; ip route add default via 10.1.0.1; ip tuntap add wg0 mode tun; ip addr add 10.66.0.2/32 dev wg0; ip link set wg0 up; ip route add default dev wg0 table 51820; ip rule add not fwmark 0xca6c table 51820",
    "wg0 10.66.0.2",
  ],
  [
    "a table for what comes from another address is none of the main way",
    "ip addr add 10.1.0.2/24 dev eth0; ip addr add 10.2.0.2/24 dev eth1; ip route add default via 10.1.0.1; ip route add default via 10.2.0.1 table 200; ip rule add from 10.2.0.2 table 200",
    "eth0 10.1.0.2",
  ],
  [
    "an IPv6 default route of another table, with the better metric",
    "ip addr add 2001:db8:a::5/64 dev eth0 nodad; ip addr add 2001:db8:b::5/64 dev eth1 nodad; ip route add default via 2001:db8:a::1 dev eth0 metric 1024; ip -6 route add default via 2001:db8:b::1 dev eth1 metric 100 table 200; ip -6 rule add from 2001:db8:b::/64 table 200",
    "eth0 2001:db8:a::5",
  ],
  [
    "only IPv6, the first address deprecated",
    "ip addr add 2001:db8:a::1:1/64 dev eth0 nodad preferred_lft 0; ip addr add 2001:db8:a::5:5/64 dev eth0 nodad; ip -6 route add default via fe80::1 dev eth0",
    "eth0 2001:db8:a::5:5",
  ],
  [
    "only IPv6, a private address (ULA) beside a public one",
    "ip addr add fd00::5/64 dev eth0 nodad; ip addr add 2001:db8:a::5/64 dev eth0 nodad; ip -6 route add default via fe80::1 dev eth0",
    "eth0 2001:db8:a::5",
  ],
  [
    "both families on one interface: IPv4, whatever the metrics",
    "ip addr add 10.1.0.2/24 dev eth0; ip addr add 2001:db8:a::5/64 dev eth0 nodad; ip route add default via 10.1.0.1 metric 700; ip -6 route add default via fe80::1 dev eth0 metric 100",
    "eth0 10.1.0.2",
  ],
  [
    "families on two interfaces: the better metric, IPv4 over a modem is the spare way",
    "ip addr add 10.1.0.2/24 dev eth1; ip addr add 2001:db8:a::5/64 dev eth0 nodad; ip route add default via 10.1.0.1 metric 700; ip -6 route add default via fe80::1 dev eth0 metric 100",
    "eth0 2001:db8:a::5",
  ],
  [
    "IPv4 has only a link-local address (no DHCP server), IPv6 works",
    "ip addr add 169.254.7.7/16 dev eth0; ip route add default dev eth0 scope link metric 1002; ip addr add 2001:db8:a::5/64 dev eth0 nodad; ip -6 route add default via fe80::1 dev eth0",
    "eth0 2001:db8:a::5",
  ],
  [
    "an unreachable default route with the better metric",
    "ip addr add 10.1.0.2/24 dev eth0; ip route add unreachable default metric 10; ip route add default via 10.1.0.1 metric 20",
    null,
  ],
  [
    "a black hole for a default route",
    "ip addr add 10.1.0.2/24 dev eth0; ip route add blackhole default",
    null,
  ],
  ["no default route", "ip addr add 10.1.0.2/24 dev eth0", null],
  [
    "one well-known resolver is blocked on this host",
    "ip addr add 10.1.0.2/24 dev eth0; ip route add default via 10.1.0.1; ip route add blackhole 1.1.1.1",
    "eth0 10.1.0.2",
  ],
  [
    "the address is the bridge's, not its member's",
    "ip link add br0 type bridge; ip link set eth0 master br0; ip link set br0 up; ip addr add 10.1.0.2/24 dev br0; ip route add default via 10.1.0.1",
    "br0 10.1.0.2",
  ],
  [
    "a macvlan on a port",
    "ip link add mac0 link eth0 type macvlan; ip link set mac0 up; ip addr add 10.1.0.2/24 dev mac0; ip route add default via 10.1.0.1",
    "mac0 10.1.0.2",
  ],
];

const CONCLUDED = SETUPS.filter(([what]) =>
  /^(?:a service|a secondary|the gateway|two default|a network of two|only IPv6|both|families|no default|the address is)/.test(
    what,
  ),
);

const text = (data: Network): string | null =>
  data.primary === null ? null : `${data.primary.interface} ${data.primary.address}`;

inNamespaces("the way out", () => {
  test("is what the kernel says", async () => {
    const all = await collectInNamespace(SETUPS.map(([, setup]) => ({ setup, deaf: false })));
    for (const [index, [what, , primary]] of SETUPS.entries()) {
      const { data, oracle } = all[index] as Seen;
      expect(text(data), what).toBe(primary);
      expect(data.ways_out_from).toBe("kernel");
      // Where that one address is blocked, another is asked for.
      if (what.startsWith("one well-known")) continue;
      const told = ([4, 6] as const).flatMap((family) => {
        const way = oracle[family];
        return way === null ? [] : [{ family, interface: way.dev, source: way.src }];
      });
      expect(
        data.ways_out.map(({ family, interface: name, source }) => ({ family, interface: name, source })),
        what,
      ).toEqual(told);
    }
  });

  test("is concluded from the tables where netlink is hidden", async () => {
    const all = await collectInNamespace(CONCLUDED.map(([, setup]) => ({ setup, deaf: true })));
    for (const [index, [what, , primary]] of CONCLUDED.entries()) {
      const { data } = all[index] as Seen;
      expect(data.ways_out_from).toBe("tables");
      expect(text(data), what).toBe(primary);
    }
  });

  test("only the main table's routes are default routes of the node", async () => {
    const { data } = await collectOne(
      "ip addr add 2001:db8:a::5/64 dev eth0 nodad; ip -6 route add default via 2001:db8:a::1 dev eth0; ip -6 route add default dev eth1 table 10; ip -6 route add default dev eth1 table 300; ip -6 route add 2001:db8:c::/48 dev eth1 table 2000; ip -6 route add default via 2001:db8:a::2 dev eth0 metric 2000",
    );
    expect(data.default_routes).toEqual([
      { interface: "eth0", gateway: "2001:db8:a::1", family: 6, metric: 1024 },
      { interface: "eth0", gateway: "2001:db8:a::2", family: 6, metric: 2000 },
    ]);
  });

  test("no IPv6 default route in the main table, one in another: none", async () => {
    const { data } = await collectOne("ip -6 route add default dev eth1 table 200");
    expect(data.default_routes).toEqual([]);
  });

  test("an IPv4 route by an IPv6 gateway shows that", async () => {
    const { data } = await collectOne(
      "ip addr add 10.0.0.5/32 dev lo; ip -4 route add default via inet6 fe80::1 dev eth0",
    );
    expect(data.default_routes).toEqual([{ interface: "eth0", gateway: "fe80::1", family: 4, metric: 0 }]);
    expect(named(data, "lo")?.addresses).toMatchObject([
      { address: "127.0.0.1" },
      { address: "10.0.0.5" },
      {},
    ]);
  });

  test("thousands of routes before the default one", async () => {
    const { data, oracle } = await collectOne(
      `ip addr add 2001:db8:a::5/64 dev eth0 nodad; ip addr add 10.1.0.2/24 dev eth0
       for i in $(seq 0 2499); do echo "route add 2001:db8:b:$(printf %x $i)::/64 via fe80::1 dev eth0"; done | ip -6 -batch -
       for i in $(seq 0 2499); do echo "route add 10.$((i / 250 + 10)).$((i % 250)).0/24 via 10.1.0.1"; done | ip -batch -
       ip -6 route add default via fe80::1 dev eth0; ip route add default via 10.1.0.1`,
    );
    expect(data.default_routes.map(({ family, gateway }) => [family, gateway])).toEqual([
      [4, "10.1.0.1"],
      [6, "fe80::1"],
    ]);
    expect(oracle[6]).toEqual({ dev: "eth0", src: "2001:db8:a::5" });
    expect(data.primary).toEqual({ interface: "eth0", address: "10.1.0.2" });
  });
});

inNamespaces("interfaces", () => {
  test("an address stays where its link has no carrier, and so do order and marks", async () => {
    const { data } = await collectOne(
      "ip addr add 10.2.0.9/24 dev eth1; ip addr add 10.2.0.5/24 dev eth1; ip addr add 2001:db8::1/64 dev eth1 nodad preferred_lft 0; ip link set zp1 down; until [ $(cat /sys/class/net/eth1/carrier) = 0 ]; do sleep 0.05; done",
    );
    expect(named(data, "eth1")).toMatchObject({ carrier: false });
    expect(named(data, "eth1")?.addresses.filter(({ scope }) => scope === "global")).toEqual([
      { address: "10.2.0.9", prefix: 24, family: 4, scope: "global" },
      { address: "10.2.0.5", prefix: 24, family: 4, scope: "global", marks: ["secondary"] },
      { address: "2001:db8::1", prefix: 64, family: 6, scope: "global", marks: ["deprecated"] },
    ]);
  });

  test("600 ports of guests are counted, more than can be shown are ranked, and the way out is always there", async () => {
    const { data } = await collectOne(
      `ip addr add 10.0.0.9/24 dev eth0; ip route add default via 10.0.0.1
       for i in $(seq 1 300); do echo "link add cali$i type veth peer name aa$i"; done | ip -batch -
       for i in $(seq 1 150); do echo "link add ab$i type veth peer name ac$i"; done | ip -batch -`,
    );
    expect(data.passing_interfaces).toBe(300);
    expect(data.interfaces.length).toBe(512);
    expect(data.interfaces_left_out).toBe(605 - 512);
    expect(data.left_out).toEqual([{ kind: "veth", count: 605 - 512 }]);
    expect(named(data, "eth0")?.addresses[0]).toMatchObject({ address: "10.0.0.9" });
    expect(named(data, "lo")).toBeDefined();
    expect(data.primary).toEqual({ interface: "eth0", address: "10.0.0.9" });
  });

  test("what they are, what they are on and who is in them, of the kernel's word and not of the name", async () => {
    const { data } = await collectOne(
      `ip link add wlan0 type bridge; ip link set eth1 master wlan0
       ip link add bond0 link eth0 type macvlan
       ip link add eth0.7 type vxlan id 7 dstport 4789 dev eth0
       ip tuntap add tap-a mode tap; ip tuntap add tun-a mode tun`,
    );
    const rows = data.interfaces.map(({ name, kind, made_as, parent, master, members }) =>
      [name, kind, made_as, parent, master, members.join()]
        .map((value) => value ?? "-")
        .join(" ")
        .trim(),
    );
    expect(rows).toEqual([
      "bond0 macvlan macvlan eth0 -",
      "eth0 veth veth - -",
      "eth0.7 tunnel vxlan eth0 -",
      "eth1 veth veth - wlan0",
      "lo loopback - - -",
      "tap-a tap tun - -",
      "tun-a tun tun - -",
      "wlan0 bridge bridge - - eth1",
      "zp0 veth veth - -",
      "zp1 veth veth - -",
    ]);
  });

  test("guests that come and go change neither the hash nor what is told", async () => {
    const collector = networkCollector();
    const base =
      "ip addr add 10.0.0.9/24 dev eth0; ip route add default via 10.0.0.1; ip link add br0 address 02:00:00:00:00:05 type bridge; ip link set eth1 master br0; echo 1 > /proc/sys/net/ipv6/conf/br0/disable_ipv6; ip link set br0 up; until [ $(cat /sys/class/net/br0/operstate) = up ]; do sleep 0.05; done";
    const guests = `unshare -n sleep 5 > /dev/null 2>&1 & other=$!
      while [ "$(readlink /proc/$other/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
      ip link add odd type veth peer name in netns $other
      ip link add docker0 type bridge; ip addr add 172.17.0.1/16 dev docker0; ip link set docker0 up
      ip link add veth12ab34c type veth peer name cali0123456789a; ip link set veth12ab34c master docker0; ip link set veth12ab34c up
      ip tuntap add vnet3 mode tap; ip link set vnet3 master br0`;
    const { data: before } = await collectOne(base);
    const { data: after } = await collectOne(`${base}\n${guests}`);
    expect(after.passing_interfaces).toBe(5);
    expect(named(after, "br0")?.members).toEqual(["eth1"]);
    const facets = compileFacets(collector.volatile);
    const stable = (data: Network): string => stableText(data, facets);
    expect(stable(after)).toBe(stable(before));
    expect(collector.changes?.(before, after)).toEqual([]);
    expect(collector.changes?.(after, before)).toEqual([]);
  });
});
