/** Bonds that lost a link in every way there is, and links and devices in use that are gone. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { networkCollector } from "../../../src/collectors/network/network.ts";
import type { Network } from "../../../src/collectors/network/schema.ts";
import type { Clock } from "../../../src/system/clock.ts";
import { collectContext, type Tree, treeMachine } from "../../support/machine/tree.ts";
import { collectData, collectTree, conditionCodes, metricLines } from "../../support/text/shape.ts";

function tree(name: string): Tree {
  return JSON.parse(
    readFileSync(new URL(`../../fixtures/network/bond-${name}.tree.json`, import.meta.url), "utf8"),
  ) as Tree;
}

const texts = (data: Network): string[] =>
  (networkCollector().conditions?.(data) ?? []).map(({ text }) => text);

test.each([
  ["control", "The bond bond0 runs on 1 of 2 links: no carrier on eno2."],
  ["admin-down", "The bond bond0 runs on 1 of 2 links: eno2 switched off."],
  ["mii-status-down", "The bond bond0 runs on 1 of 2 links: the bond itself finds eno2 down."],
  [
    "lacp-other-aggregator",
    "The bond bond0 runs on 1 of 2 links: LACP does not bundle eno2 with the others.",
  ],
])("a degraded bond: %s", async (name, text) => {
  const data = await collectTree(networkCollector(), tree(name));
  expect(texts(data)).toEqual([text]);
  const lines = metricLines(networkCollector(), data);
  expect(lines).toContain('node_bonding_slaves{master="bond0"} 2');
});

test("LACP: a port that neither collects nor distributes, and a bond to which nobody answers", async () => {
  const at = "/sys/class/net";
  const lacp = tree("lacp-other-aggregator");
  const changed = (files: Record<string, string>): Tree => ({
    ...lacp,
    files: { ...lacp.files, [`${at}/eno2/bonding_slave/ad_aggregator_id`]: "1\n", ...files },
  });
  const text = async (files: Record<string, string>) =>
    texts(await collectTree(networkCollector(), changed(files)));
  const state = (name: string): string => `${at}/${name}/bonding_slave/ad_actor_oper_port_state`;
  expect(await text({ [state("eno1")]: "61\n", [state("eno2")]: "63\n" })).toEqual([]);
  expect(await text({ [state("eno1")]: "61\n", [state("eno2")]: "69\n" })).toEqual([
    "The bond bond0 runs on 1 of 2 links: LACP does not bundle eno2 with the others.",
  ]);
  expect(await text({ [`${at}/bond0/bonding/ad_partner_mac`]: "00:00:00:00:00:00\n" })).toEqual([
    "The bond bond0 runs on 0 of 2 links: nobody answers LACP on eno1, eno2.",
  ]);
  expect(await text({ [`${at}/bond0/bonding/ad_partner_mac`]: "02:1c:73:00:00:99\n" })).toEqual([]);
});

test("a link on which nothing is configured any more is missed for a week, one that still has its address for ever", async () => {
  const day = 24 * 3_600_000;
  const bare: Tree = { ...port("0", 2), addresses: [] };
  bare.files["/proc/net/route"] = "Iface\n";
  const moved = await looks([port("1", 1), bare, ...Array.from({ length: 8 }, () => bare)], day);
  expect(codes(moved[7])).toEqual(["link_lost(eno1)"]);
  expect(codes(moved[9])).toEqual([]);
  const kept = await looks([port("1", 1), ...Array.from({ length: 40 }, () => port("0", 2))], day);
  expect(codes(kept.at(-1))).toEqual(["link_lost(eno1)"]);
});

/** The trees one after another, by one collector with one memory, a minute apart. */
async function looks(trees: readonly Tree[], pauseMs = 60_000): Promise<Network[]> {
  const collector = networkCollector();
  const context = collectContext(treeMachine(trees[0] as Tree));
  const found: Network[] = [];
  for (const [index, each] of trees.entries()) {
    const clock: Clock = { now: () => 1_796_040_000_000 + index * pauseMs, monotonic: () => index * pauseMs };
    found.push(await collectData(collector, { ...context, machine: treeMachine(each, clock) }));
  }
  return found;
}

const healthy = (): Tree => {
  const sound = tree("control");
  return { ...sound, files: { ...sound.files, "/sys/class/net/eno2/carrier": "1\n" } };
};

const codes = (data: Network | undefined): string[] => conditionCodes(networkCollector(), data as Network);
const events = (before: Network | undefined, after: Network | undefined) =>
  (networkCollector().changes?.(before as Network, after as Network) ?? []).map(({ type, data }) => [
    type,
    data.interface,
  ]);

test("a member that is gone is missed, also over a restart, until it is back", async () => {
  const [before, without, back] = await looks([healthy(), tree("member-vanished"), healthy()]);
  expect(texts(without as Network)).toEqual([
    "The bond bond0 runs on 1 of 2 links: eno2 no longer a member.",
  ]);
  expect(events(before, without)).toEqual([
    ["network.interface_gone", "eno2"],
    ["network.member_gone", "bond0"],
  ]);
  expect(codes(before)).toEqual([]);
  expect(codes(back)).toEqual([]);
  expect(events(without, back)).toEqual([
    ["network.interface_added", "eno2"],
    ["network.member_added", "bond0"],
  ]);
});

test("a member that was taken out and is used on its own is not missed", async () => {
  const other = healthy();
  const moved: Tree = {
    ...other,
    links: Object.fromEntries(
      Object.entries(other.links ?? {}).filter(([path]) => !/lower_eno2|eno2\/master/.test(path)),
    ),
    addresses: [
      ...(other.addresses ?? []),
      { interface: "eno2", address: "10.9.0.2", prefix: 24, family: 4 },
    ],
  };
  const [, after] = await looks([healthy(), moved]);
  expect(codes(after)).toEqual([]);
  expect(after?.interfaces.find(({ name }) => name === "bond0")?.members).toEqual(["eno1"]);
});

test("a member whose card was replaced, under another name or the same, is not missed for it", async () => {
  const renamed = (text: string): string => text.replaceAll("eno2", "enp9s0");
  const other: Tree = JSON.parse(renamed(JSON.stringify(healthy())));
  const [, after] = await looks([healthy(), other]);
  expect(codes(after)).toEqual([]);
  const [, gone, replaced, lost] = await looks([
    healthy(),
    tree("member-vanished"),
    other,
    tree("member-vanished"),
  ]);
  expect(codes(gone)).toEqual(["bond_degraded(bond0)"]);
  expect(codes(replaced)).toEqual([]);
  expect(texts(lost as Network)).toEqual(["The bond bond0 runs on 1 of 2 links: enp9s0 no longer a member."]);
});

test("what is gone for a month is how things are now", async () => {
  const [, first, last] = await looks(
    [healthy(), tree("member-vanished"), tree("member-vanished"), tree("member-vanished")],
    20 * 24 * 3_600_000,
  );
  expect(codes(first)).toEqual(["bond_degraded(bond0)"]);
  expect(codes(last)).toEqual(["bond_degraded(bond0)"]);
  const [, , , end] = await looks(
    [healthy(), tree("member-vanished"), tree("member-vanished"), tree("member-vanished")],
    20 * 24 * 3_600_000,
  );
  expect(codes(end)).toEqual([]);
});

test("a bond with no link at all, and a team, of which only the members tell", async () => {
  const sound = healthy();
  const files = {
    ...sound.files,
    "/sys/class/net/eno1/carrier": "0\n",
    "/sys/class/net/eno2/carrier": "0\n",
  };
  const none = await collectTree(networkCollector(), { ...sound, files });
  expect(texts(none)).toEqual(["The bond bond0 runs on 0 of 2 links: no carrier on eno1, eno2."]);
  const team = Object.fromEntries(
    Object.entries(tree("control").files).filter(([path]) => !/\/bonding/.test(path)),
  );
  team["/sys/class/net/bond0/uevent"] = "DEVTYPE=team\nINTERFACE=bond0\n";
  const data = await collectTree(networkCollector(), { ...tree("control"), files: team });
  expect(data.interfaces[0]).toMatchObject({ kind: "team", members: ["eno1", "eno2"], bond_mode: null });
  expect(texts(data)).toEqual(["The team bond0 runs on 1 of 2 links: no carrier on eno2."]);
});

/** A port of its own, as the way out. */
function port(carrier: "0" | "1", changes: number, up = true): Tree {
  const at = "/sys/class/net/eno1";
  return {
    files: {
      "/proc/net/dev": "h\nh\n",
      "/proc/net/route": "Iface\neno1\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n",
      [`${at}/ifindex`]: "2\n",
      [`${at}/flags`]: up ? "0x1003\n" : "0x1002\n",
      [`${at}/address`]: "02:00:00:00:00:02\n",
      [`${at}/addr_assign_type`]: "0\n",
      [`${at}/type`]: "1\n",
      [`${at}/carrier`]: carrier,
      [`${at}/carrier_changes`]: `${changes}\n`,
      "/sys/class/net/lo/ifindex": "1\n",
      "/sys/class/net/lo/type": "772\n",
      "/sys/devices/pci0000:00/0000:00:1f.6/vendor": "0x8086\n",
    },
    links: { [`${at}/device`]: "../../../devices/pci0000:00/0000:00:1f.6" },
    addresses: [{ interface: "eno1", address: "192.168.1.20", prefix: 24, family: 4 }],
  };
}

/** Only the loopback interface is left. */
function nothing(): Tree {
  const { files } = port("1", 1);
  const left = Object.entries(files).filter(([path]) => path.startsWith("/sys/class/net/lo/"));
  return { files: Object.fromEntries(left), addresses: [] };
}

test("a link in use that is lost is a condition, over a restart too; switched off on purpose it is none", async () => {
  const [up, lost, off] = await looks([port("1", 1), port("0", 2), port("0", 2, false)]);
  expect(codes(up)).toEqual([]);
  expect(codes(lost)).toEqual(["link_lost(eno1)"]);
  expect(events(up, lost)).toEqual([["network.carrier", "eno1"]]);
  expect(lost?.links_lost).toMatchObject([{ name: "eno1", use: "way_out" }]);
  expect(codes(off)).toEqual([]);
  // Never used: a port without a cable is nothing to tell.
  expect(codes((await looks([port("0", 0)]))[0])).toEqual([]);
  // A board on somebody's USB port is plugged and unplugged.
  const gadget = (carrier: "0" | "1", changes: number): Tree => {
    const tree = port(carrier, changes);
    tree.files["/sys/class/net/eno1/uevent"] = "DEVTYPE=gadget\nINTERFACE=eno1\n";
    return tree;
  };
  expect(codes((await looks([gadget("1", 1), gadget("0", 2)]))[1])).toEqual([]);
});

test("a device in use that is not there any more is missed by its address; under another name it is there", async () => {
  const [before, gone] = await looks([port("1", 1), nothing()]);
  expect(codes(gone)).toEqual(["interface_missing(eno1)"]);
  expect(events(before, gone)).toEqual([["network.interface_gone", "eno1"]]);
  const renamed = JSON.parse(JSON.stringify(port("1", 1)).replaceAll("eno1", "lan0")) as Tree;
  const [, after] = await looks([port("1", 1), renamed]);
  expect(codes(after)).toEqual([]);
  expect(events(before, after)).toEqual([["network.interface_renamed", "lan0"]]);
});

test("a link that comes and goes is told once, and not with every turn", async () => {
  const turns = [1, 3, 5, 7, 8, 9, 10, 11].map((changes, index) =>
    port(index % 2 === 0 ? "1" : "0", changes),
  );
  const seen = await looks([...turns, ...Array.from({ length: 12 }, () => port("1", 12))]);
  const told = seen.slice(1).flatMap((after, index) => events(seen[index], after));
  expect(told.length).toBeLessThanOrEqual(3);
  expect(codes(seen[5])).toEqual(["link_flapping(eno1)"]);
  expect(codes(seen[7])).toEqual(["link_flapping(eno1)"]);
  expect(codes(seen.at(-1))).toEqual([]);
});

test("when /sys can't be read nothing is gone", async () => {
  const [, blind] = await looks([port("1", 1), { files: {} }]);
  expect(codes(blind)).toEqual([]);
});
