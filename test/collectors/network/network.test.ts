import fc from "fast-check";
import * as v from "valibot";
import { expect, test } from "vitest";
import { readUsual, updated } from "../../../src/collectors/network/links/usual.ts";
import { networkCollector } from "../../../src/collectors/network/network.ts";
import { parseNameservers } from "../../../src/collectors/network/resolvers.ts";
import {
  ipv6FromHex,
  parseAddresses6,
  parseCounters,
  parseRoutes4,
  parseRoutes6,
} from "../../../src/collectors/network/routes.ts";
import { type Network, NetworkSchema } from "../../../src/collectors/network/schema.ts";
import { hostMachine } from "../../../src/system/machine.ts";
import { forAll } from "../../support/for-all.ts";
import { collectContext, collectFrom, loadTree } from "../../support/machine/tree.ts";

const from = async (name: string): Promise<Network> =>
  v.parse(NetworkSchema, await collectFrom(networkCollector(), loadTree(name)));
const named = (data: Network, name: string) => data.interfaces.find((item) => item.name === name);

test("a Ceph node: bond with one dead link, VLAN on it, a port that is down, both families of default route", async () => {
  const data = await from("ceph-node");
  expect(data.interfaces.map((item) => [item.name, item.kind])).toEqual([
    ["bond0", "bond"],
    ["bond0.120", "vlan"],
    ["eno1", "physical"],
    ["eno2", "physical"],
    ["enp65s0f0np0", "physical"],
    ["enp65s0f1np1", "physical"],
    ["lo", "loopback"],
  ]);
  expect(named(data, "bond0")).toMatchObject({
    members: ["enp65s0f0np0", "enp65s0f1np1"],
    bond_mode: "802.3ad",
    speed_mbps: 25000,
    permanent_mac: null,
    active_member: null,
  });
  expect(named(data, "bond0.120")).toMatchObject({ parent: "bond0", vlan_id: 120, mtu: 9000 });
  expect(named(data, "enp65s0f1np1")).toMatchObject({
    carrier: false,
    speed_mbps: null,
    duplex: null,
    permanent_mac: "b8:ce:f6:10:20:31",
    master: "bond0",
    driver: "mlx5_core",
    pci_address: "0000:41:00.1",
    carrier_changes: 7,
  });
  expect(named(data, "eno2")).toMatchObject({ up: false, carrier: null, speed_mbps: null, state: "down" });
  expect(named(data, "eno1")?.addresses).toEqual([
    { address: "10.1.0.21", prefix: 24, family: 4, scope: "global" },
    { address: "2001:db8:1::21", prefix: 64, family: 6, scope: "global" },
    { address: "fe80::3eec:efff:feaa:bb01", prefix: 64, family: 6, scope: "link" },
  ]);
  expect(data.default_routes).toEqual([
    { interface: "eno1", gateway: "10.1.0.1", family: 4, metric: 100 },
    { interface: "eno1", gateway: "2001:db8:1::1", family: 6, metric: 1024 },
  ]);
  expect(data.primary).toEqual({ interface: "eno1", address: "10.1.0.21" });
  expect(data.dns_servers).toEqual(["10.1.0.53", "10.1.0.54"]);
  expect(named(data, "enp65s0f0np0")?.counters).toMatchObject({ rx_bytes: 918273645546, rx_dropped: 12 });
  expect(networkCollector().conditions?.(data)).toMatchObject([{ code: "bond_degraded", subject: "bond0" }]);
});

test("a Raspberry Pi on wireless: no speed, eth0 without a cable, resolvers behind systemd-resolved's stub", async () => {
  const data = await from("pi4");
  expect(named(data, "wlan0")).toMatchObject({
    kind: "wireless",
    driver: "brcmfmac",
    speed_mbps: null,
    carrier: true,
  });
  expect(named(data, "eth0")).toMatchObject({
    kind: "physical",
    driver: "bcmgenet",
    carrier: false,
    pci_address: null,
    permanent_mac: "dc:a6:32:01:02:03",
  });
  expect(data.primary).toEqual({ interface: "wlan0", address: "192.168.1.44" });
  expect(data.dns_servers).toEqual(["192.168.1.1"]);
  expect(networkCollector().conditions?.(data)).toEqual([]);
});

test("a container: one virtual interface", async () => {
  const data = await from("container");
  expect(named(data, "eth0")).toMatchObject({
    kind: "virtual",
    permanent_mac: null,
    addresses: [{ address: "172.17.0.2" }],
  });
  expect(data.primary?.address).toBe("172.17.0.2");
});

test("without AF_NETLINK the IPv4 addresses are unknown and said to be", async () => {
  const data = await collectFrom(networkCollector(), { ...loadTree("ceph-node"), addresses: null });
  expect(v.is(NetworkSchema, data)).toBe(true);
  expect(data).toMatchObject({
    addresses_known: false,
    primary: { interface: "eno1", address: "2001:db8:1::21" },
  });
});

test("nothing readable gives an empty section and no crash", async () => {
  const data = await collectFrom(networkCollector(), { files: { "/proc/net/dev": "\u0000\u0001garbage" } });
  expect(data).toEqual({
    interfaces: [],
    interfaces_left_out: 0,
    left_out: [],
    passing_interfaces: 0,
    default_routes: [],
    ways_out: [],
    ways_out_from: "tables",
    primary: null,
    links_lost: [],
    missing: [],
    dns_servers: [],
    listening: null,
    addresses_known: true,
  });
});

test("this machine: the loopback interface is there, with its address", async () => {
  const data = v.parse(NetworkSchema, await networkCollector().collect(collectContext(hostMachine())));
  expect(named(data, "lo")).toMatchObject({
    kind: "loopback",
    addresses: expect.arrayContaining([expect.objectContaining({ address: "127.0.0.1" })]),
  });
});

test("carrier lost and gained on a physical port is an event; the first look is none", async () => {
  const collector = networkCollector();
  const before = await from("ceph-node");
  const after = structuredClone(before);
  const port = named(after, "eno1");
  if (port) port.carrier = false;
  expect(collector.changes?.(null, before)).toEqual([]);
  expect(collector.changes?.(before, after)).toMatchObject([
    { type: "network.carrier", severity: "warning", data: { interface: "eno1", carrier: false } },
  ]);
  expect(collector.changes?.(after, before)).toMatchObject([{ severity: "info" }]);
});

test("an interface replaced by another of the same name is looked at anew", async () => {
  const tree = loadTree("container");
  const collector = networkCollector();
  await collectFrom(collector, tree);
  tree.files["/sys/devices/virtual/net/eth0/ifindex"] = "9\n";
  tree.files["/sys/devices/virtual/net/eth0/uevent"] = "DEVTYPE=vlan\n";
  expect(named((await collectFrom(collector, tree)) as Network, "eth0")?.kind).toBe("vlan");
});

test("IPv6 in RFC 5952's form", () => {
  expect(ipv6FromHex("20010db8000000000001000000000001")).toBe("2001:db8::1:0:0:1");
  expect(ipv6FromHex("20010db8000100010001000100010001")).toBe("2001:db8:1:1:1:1:1:1");
  expect(ipv6FromHex("fe800000000000000000000000000000")).toBe("fe80::");
  expect(ipv6FromHex(`${"0".repeat(31)}1`)).toBe("::1");
  expect(ipv6FromHex("0".repeat(32))).toBeNull();
});

test("IPv6 default routes of other tables are none of the node's, in whatever order a text has them", () => {
  const zero = "0".repeat(32);
  const line = (
    to: string,
    length: string,
    via: string,
    metric: string,
    flags: string,
    name: string,
  ): string => `${to} ${length} ${zero} 00 ${via} ${metric} 00000001 00000000 ${flags} ${name}\n`;
  const gateway = (last: string): string => `fe80${"0".repeat(27)}${last}`;
  const own = (last: string, name: string): string =>
    line(zero, "00", gateway(last), "00000400", "00000003", name);
  const link = line(`fe80${"0".repeat(28)}`, "40", zero, "00000100", "00000001", "eth0");
  const local = line(`${"0".repeat(31)}1`, "80", zero, "00000000", "80200001", "lo");
  const nowhere = line(zero, "00", zero, "ffffffff", "00200200", "lo");
  const gateways = (text: string) => parseRoutes6(text).map(({ gateway: by }) => by);
  expect(gateways(own("9", "mgmt0") + link + own("1", "eth0") + own("2", "eth1") + local + nowhere)).toEqual([
    "fe80::1",
    "fe80::2",
  ]);
  expect(gateways(own("9", "mgmt0") + link + nowhere + local + nowhere)).toEqual([]);
  expect(gateways(own("9", "mgmt0") + nowhere + local + nowhere)).toEqual([]);
  expect(gateways(nowhere + own("1", "eth0") + local + nowhere)).toEqual(["fe80::1"]);
  // A kernel without several tables, and a text that no kernel wrote.
  expect(gateways(link + local + own("1", "eth0"))).toEqual(["fe80::1"]);
  expect(gateways(own("1", "eth0") + link + local)).toEqual(["fe80::1"]);
});

test("a memory that is damaged costs what is damaged in it and nothing else", () => {
  forAll(
    fc.property(fc.jsonValue(), fc.jsonValue(), (links, members) => {
      for (const kept of [links, { links, members }, { links: [links], members: [members] }]) {
        const memory = { get: () => kept, set: () => undefined };
        const usual = readUsual(memory);
        expect(updated(usual, [], [], 0)).toEqual(usual);
      }
    }),
    { seed: 9, cases: 1000 },
  );
});

test("parsers never throw", () => {
  const line = fc
    .array(
      fc.oneof(
        fc.string(),
        fc.constantFrom("00000000", "0003", "eth0", "00", "0".repeat(32), "nameserver", "1.2.3.4", "lo:"),
      ),
    )
    .map((words) => words.join(" "));
  forAll(
    fc.property(
      fc.array(line).map((lines) => lines.join("\n")),
      (text) => {
        for (const parse of [parseRoutes4, parseRoutes6, parseAddresses6, parseNameservers, parseCounters])
          parse(text);
      },
    ),
    { seed: 3, cases: 1000 },
  );
});
