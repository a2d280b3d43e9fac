/** What interfaces are, VLAN ids, and guests' ports by their names. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { vlanId } from "../../../src/collectors/network/links/fixed.ts";
import { kindOf } from "../../../src/collectors/network/links/kinds.ts";
import { hasPassingName } from "../../../src/collectors/network/links/passing.ts";
import { networkCollector } from "../../../src/collectors/network/network.ts";
import type { Tree } from "../../support/machine/tree.ts";
import { collectTree } from "../../support/text/shape.ts";

test("VLAN ids for root only are taken of names only where they have a form of the kernel's, and marked", async () => {
  const tree = JSON.parse(
    readFileSync(new URL("../../fixtures/network/vlan-ids-for-root-only.tree.json", import.meta.url), "utf8"),
  ) as Tree;
  const ids = ({ interfaces }: Awaited<ReturnType<typeof collect>>): unknown[] =>
    interfaces.map(({ name, vlan_id, vlan_id_from, parent }) => [name, vlan_id, vlan_id_from, parent]);
  const collect = (from: Tree) => collectTree(networkCollector(), from);
  expect(ids(await collect(tree))).toEqual([
    ["eth0", null, null, null],
    ["eth0.200", 200, "name", "eth0"],
    ["mgmt", null, "unknown", "eth0"],
    ["vlan100", 100, "name", "eth0"],
  ]);
  expect(ids(await collect({ ...tree, errors: {} }))).toEqual([
    ["eth0", null, null, null],
    ["eth0.200", 300, "kernel", "eth0"],
    ["mgmt", 10, "kernel", "eth0"],
    ["vlan100", 100, "kernel", "eth0"],
  ]);
});

test.each([
  [7, null, "eth0.9", "eth0", 7, "kernel"],
  [null, "x  VID: 12\t REORDER_HDR", "eth0.9", "eth0", 12, "kernel"],
  [null, null, "eth0.0009", "eth0", 9, "name"],
  [null, null, "vlan0009", "eth0", 9, "name"],
  [null, null, "eth0.9", "eth1", null, "unknown"],
  [null, null, "p6p3.vlan9", "p6p3", 9, "name"],
  [null, null, "vlan5000", "eth0", null, "unknown"],
  [null, null, "storage", "eth0", null, "unknown"],
  [null, null, "br.40", "bond0", null, "unknown"],
] as const)("VLAN id %s, %j, of %s on %s: %s by %s", (told, proc, name, lower, vlan_id, vlan_id_from) => {
  expect(vlanId(told, proc, name, lower)).toEqual({ vlan_id, vlan_id_from });
});

test.each([
  ["loopback", { type: 772 }],
  ["can", { type: 280, hasDevice: true }],
  ["can", { type: 280, madeAs: "vcan" }],
  ["infiniband", { type: 32, hasDevice: true }],
  ["infiniband", { type: 32, hasDevice: true, isFunction: true }],
  ["wwan", { type: 519, hasDevice: true, madeAs: "wwan" }],
  ["wwan", { type: 1, hasDevice: true, madeAs: "wwan" }],
  ["wireless", { type: 1, hasDevice: true, madeAs: "wlan" }],
  ["wireless", { type: 1, hasDevice: true, entries: new Set(["phy80211"]) }],
  ["team", { type: 1, madeAs: "team" }],
  ["macvlan", { type: 1, madeAs: "macvlan" }],
  ["macvlan", { type: 1, madeAs: "macvtap" }],
  ["ipvlan", { type: 1, madeAs: "ipvlan" }],
  ["bridge", { type: 1, entries: new Set(["bridge"]) }],
  ["bond", { type: 1, entries: new Set(["bonding"]) }],
  ["tun", { type: 65534, tunFlags: 0x1001 }],
  ["tap", { type: 1, tunFlags: 0x5002 }],
  ["wireguard", { type: 65534, madeAs: "wireguard" }],
  ["tunnel", { type: 1, madeAs: "vxlan" }],
  ["tunnel", { type: 778 }],
  ["ppp", { type: 512 }],
  ["vrf", { type: 1, madeAs: "vrf" }],
  ["vf", { type: 1, hasDevice: true, isFunction: true }],
  ["physical", { type: 1, hasDevice: true }],
  ["physical", { type: 1, hasDevice: true, madeAs: "dsa", portName: "p2" }],
  ["virtual", { type: 1, hasDevice: true, portName: "pf0vf3" }],
  ["virtual", { type: 1, madeAs: "constructor" }],
] as const)("%s of %j", (kind, evidence) => {
  expect(
    kindOf({
      madeAs: null,
      entries: new Set<string>(),
      tunFlags: null,
      hasDevice: false,
      isFunction: false,
      portName: null,
      ...evidence,
    }),
  ).toBe(kind);
});

test("names that runtimes give, and names that people and the kernel give", () => {
  const guests =
    "cali0123456789a veth12ab34c vethA1B2C3 veth101i0 docker0 docker_gwbridge br-0123456789ab cni0 cni-podman0 podman0 vnet12 virbr0 " +
    "virbr0-nic tap100i0 fwbr100i0 fwln100o0 tap0a1b2c3d-4e qvo0a1b2c3d-4e lxc0a1b2c3d4e5f lxc_health eni0a1b2c3d4e5 flannel.1 " +
    "kube-ipvs0 vxlan.calico lxdbr0 vif3.0 vif3.0-emu ve-web vb-web cilium_host tunl0";
  const own =
    "eth0 eno1 enp65s0f0np0 enx001122334455 wlan0 wwan0 bond0 team0 br0 vmbr0 br-lan br-int vlan100 veth0 wg0 tap0 tun0 can0 ib0 " +
    "docker-lan lo dummy0 eth0.100 end0 usb0 macvlan0 mgmt vrf-blue p1p1 em1 storage";
  expect(guests.split(" ").filter((name) => !hasPassingName(name))).toEqual([]);
  expect(own.split(" ").filter(hasPassingName)).toEqual([]);
});

test("a virtual function has its device for a parent, a child of InfiniBand what it says", async () => {
  const at = "/sys/class/net";
  const device = "/sys/devices/pci0000:00";
  const data = await collectTree(networkCollector(), {
    files: {
      [`${device}/0000:41:00.0/net/eth0/ifindex`]: "2\n",
      [`${device}/0000:41:00.0/net/eth0/type`]: "1\n",
      [`${device}/0000:41:02.1/net/eth0v1/ifindex`]: "3\n",
      [`${device}/0000:41:02.1/net/eth0v1/type`]: "1\n",
      [`${device}/0000:c1:00.0/net/ib0/ifindex`]: "4\n",
      [`${device}/0000:c1:00.0/net/ib0/type`]: "32\n",
      [`${device}/0000:c1:00.0/net/ib0.8001/ifindex`]: "5\n",
      [`${device}/0000:c1:00.0/net/ib0.8001/type`]: "32\n",
      [`${device}/0000:c1:00.0/net/ib0.8001/parent`]: "ib0\n",
    },
    links: {
      [`${at}/eth0`]: "../../devices/pci0000:00/0000:41:00.0/net/eth0",
      [`${at}/eth0v1`]: "../../devices/pci0000:00/0000:41:02.1/net/eth0v1",
      [`${at}/ib0`]: "../../devices/pci0000:00/0000:c1:00.0/net/ib0",
      [`${at}/ib0.8001`]: "../../devices/pci0000:00/0000:c1:00.0/net/ib0.8001",
      [`${device}/0000:41:00.0/net/eth0/device`]: "../../../0000:41:00.0",
      [`${device}/0000:41:02.1/net/eth0v1/device`]: "../../../0000:41:02.1",
      [`${device}/0000:41:02.1/physfn`]: "../0000:41:00.0",
      [`${device}/0000:c1:00.0/net/ib0/device`]: "../../../0000:c1:00.0",
      [`${device}/0000:c1:00.0/net/ib0.8001/device`]: "../../../0000:c1:00.0",
    },
  });
  expect(
    data.interfaces.map(({ name, kind, parent, pci_address }) => [name, kind, parent, pci_address]),
  ).toEqual([
    ["eth0", "physical", null, "0000:41:00.0"],
    ["eth0v1", "vf", "eth0", "0000:41:02.1"],
    ["ib0", "infiniband", null, "0000:c1:00.0"],
    ["ib0.8001", "infiniband", "ib0", "0000:c1:00.0"],
  ]);
});
