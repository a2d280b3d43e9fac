import { describe, expect, test } from "vitest";
import { networkText } from "../../../src/cli/show/network.ts";
import { displayWidth } from "../../../src/cli/text/table.ts";
import type { Network } from "../../../src/collectors/network/schema.ts";
import { daemon } from "../../support/agent/daemon.ts";

const LONG = "2001:db8:1234:5678:9abc:deff:fe12:3456";

async function network(): Promise<Network> {
  const { view } = await daemon();
  return structuredClone(view.report().sections.network?.data) as Network;
}

function drawn(data: Network, columns: number): string[] {
  const io = { color: false, isTty: true, env: { COLUMNS: String(columns) } };
  return networkText(data, io).split("\n");
}

function interfaceOf(data: Network, name: string): Network["interfaces"][number] {
  const found = data.interfaces.find((item) => item.name === name);
  if (!found) throw new Error(`the tree has no ${name}`);
  return found;
}

describe("the table of interfaces", () => {
  test("fits 80 columns with the longest IPv6 addresses, none of them cut", async () => {
    const data = await network();
    for (const item of data.interfaces)
      item.addresses.push({ address: LONG, prefix: 64, family: 6, scope: "global" });
    const lines = drawn(data, 80);
    expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(80);
    expect(lines.filter((line) => line.endsWith(` ${LONG}/64`)).length).toBe(data.interfaces.length);
    expect(lines[0]).toMatch(/^INTERFACE +LINK +SPEED +ADDRESSES$/);
    // Wider: as much as there is room for.
    expect(drawn(data, 95)[0]).toMatch(/^INTERFACE +LINK +SPEED +ADDRESSES +WITH$/);
    expect(drawn(data, 200)[0]).toMatch(/KIND .*MAC +WITH +ERRORS$/);
  });

  test("the first address stands in the row, the others below it, link-local ones last", async () => {
    const data = await network();
    const eno1 = interfaceOf(data, "eno1");
    eno1.addresses.reverse();
    const lines = drawn(data, 80);
    const at = lines.findIndex((line) => line.startsWith("eno1 "));
    expect(lines.slice(at, at + 4).map((line) => line.trim().split(/ {2,}/).at(0))).toEqual([
      "eno1",
      expect.stringMatching(/^(?:2001:db8:1::21\/64|10\.1\.0\.21\/24)$/),
      "fe80::3eec:efff:feaa:bb01/64",
      "eno2",
    ]);
    eno1.addresses = Array.from({ length: 300 }, (_, index) => ({
      address: `10.1.${index >> 8}.${index & 255}`,
      prefix: 32,
      family: 4 as const,
      scope: "global" as const,
    }));
    const many = drawn(data, 80);
    const below = many.slice(at, at + 8).map((line) => /10\.1\.0\.\d+\/32|and \d+ more/.exec(line)?.[0]);
    expect(below).toEqual([
      ...[0, 1, 2, 3, 4, 5].map((index) => `10.1.0.${index}/32`),
      "and 294 more",
      undefined,
    ]);
  });

  test("errors are the last to give way when there are some, and among the first when there are none", async () => {
    const data = await network();
    interfaceOf(data, "eno1").addresses.push({ address: LONG, prefix: 64, family: 6, scope: "global" });
    expect(drawn(data, 80)[0]).not.toContain("ERRORS");
    const { counters } = interfaceOf(data, "eno1");
    if (counters === null) throw new Error("the tree has no counters");
    counters.rx_errors = 12;
    const lines = drawn(data, 80);
    expect(lines[0]).toMatch(/^INTERFACE +LINK +ADDRESSES +ERRORS$/);
    expect(lines.find((line) => line.startsWith("eno1 "))).toMatch(/ 12$/);
  });

  test("several ways out and resolvers stand one below the other; what is missing is said", async () => {
    const data = await network();
    const lines = drawn({ ...data, addresses_known: false }, 80);
    expect(lines).toContain("Default route        10.1.0.1 by eno1");
    expect(lines).toContain("                     2001:db8:1::1 by eno1");
    expect(lines).toContain("Name servers         10.1.0.53");
    expect(lines).toContain("                     10.1.0.54");
    expect(lines.at(-4)).toMatch(/^Note +IPv4 addresses may be missing/);
    expect(lines.at(-2)).toBe("One of them whole: foundry-agent network eno1");
    expect(drawn({ ...data, interfaces: [] }, 80)[0]).toBe("There are no network interfaces.");
  });
});

describe("one interface", () => {
  test("with all there is of it", async () => {
    const { run } = await daemon();
    const { code, stdout } = await run(["network", "eno1"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^mac +3c:ec:ef:aa:bb:01$/m);
    expect(stdout).toMatch(/^speed +1000 Mbit\/s$/m);
    expect(stdout).toContain("2001:db8:1::21");
    expect(stdout).toContain("fe80::3eec:efff:feaa:bb01");
    expect(JSON.parse((await run(["network", "eno1", "--json"])).stdout)).toMatchObject({
      name: "eno1",
      mtu: 1500,
    });
  });

  test("that is not there, or one too many", async () => {
    const { run } = await daemon();
    const none = await run(["network", "eth9"]);
    expect(none.code).toBe(1);
    expect(none.stderr).toContain('no network interface "eth9". Next: foundry-agent network');
    const two = await run(["network", "eno1", "eno2"]);
    expect([two.code, two.stderr.includes('found "eno2" too')]).toEqual([2, true]);
  });
});

test("what is not listed, by which table a rule leads, and what is known of a VLAN are said", async () => {
  const data = await network();
  const changed: Network = {
    ...data,
    passing_interfaces: 14,
    left_out: [{ kind: "dummy", count: 88 }],
    ways_out: [{ family: 4, interface: "wg0", source: "10.66.0.2", gateway: null, table: 51820 }],
  };
  Object.assign(interfaceOf(changed, "bond0.120"), { vlan_id_from: "name" });
  Object.assign(interfaceOf(changed, "eno2"), { parent: "eno1", vlan_id_from: "unknown" });
  Object.assign(interfaceOf(changed, "eno1"), { flapping: true });
  const text = drawn(changed, 200).join("\n");
  expect(text).toMatch(/^By a rule +directly by wg0 \(IPv4, table 51820\)$/m);
  expect(text).toMatch(/^Not shown +14 of containers and virtual machines$/m);
  expect(text).toMatch(/^Too many +88 dummy are left out$/m);
  expect(text).toMatch(/^bond0\.120 .* on bond0, VLAN 120 by its name /m);
  expect(text).toMatch(/^eno2 .* on eno1, VLAN unknown /m);
  expect(text).toMatch(/^eno1 +physical +flapping /m);
});
