/** IPv4 addresses pieced together of /proc/net/fib_trie and /proc/net/route, as a unit without AF_NETLINK has them. */
import { networkInterfaces } from "node:os";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  parseDeviceRoutes,
  parseTrie,
  placeAddresses,
  readLocalAddresses,
} from "../../../src/collectors/network/addresses-without-netlink.ts";
import { networkCollector } from "../../../src/collectors/network/network.ts";
import { openFiles } from "../../../src/system/files.ts";
import { collectFrom, layTree, loadTree } from "../../support/machine/tree.ts";

const TITLES = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";

function number(dotted: string): number {
  return dotted.split(".").reduce((value, part) => value * 256 + Number(part), 0);
}

/** The four bytes, the first one last. */
function hex(dotted: string): string {
  const bytes = dotted.split(".").map((part) => Number(part).toString(16).padStart(2, "0"));
  return bytes.reverse().join("").toUpperCase();
}

function mask(prefix: number): string {
  return [0, 1, 2, 3]
    .map((byte) => 256 - 2 ** (8 - Math.min(8, Math.max(0, prefix - 8 * byte))))
    .map((part) => part % 256)
    .join(".");
}

/** A line of /proc/net/route: "eth0 10.0.2.0/24", "eth0 0.0.0.0/0 10.0.2.2". */
function route(line: string, flags?: string): string {
  const [name = "", to = "", gateway = "0.0.0.0"] = line.split(" ");
  const [address = "", prefix = ""] = to.split("/");
  const bits = flags ?? (gateway === "0.0.0.0" ? "0001" : "0003");
  return `${name}\t${hex(address)}\t${hex(gateway)}\t${bits}\t0\t0\t0\t${hex(mask(Number(prefix)))}\t0\t0\t0   \n`;
}

/** A table of /proc/net/fib_trie with its leaves only: "10.0.2.15/32 host LOCAL". */
function table(name: string, leaves: readonly string[]): string {
  const nodes = leaves.map((leaf) => {
    const [, address, rest] = /^([\d.]+)(\/.*)$/.exec(leaf) ?? [];
    return `     |-- ${address}\n        ${rest}\n`;
  });
  return `${name}:\n  +-- 0.0.0.0/0 3 0 5\n${nodes.join("")}`;
}

const LOOPBACK = ["127.0.0.0/8 host LOCAL", "127.0.0.1/32 host LOCAL", "127.255.255.255/32 link BROADCAST"];
const LO = "lo 127.0.0.1/8";

/** "eth0 10.0.2.15/24" of each address found, and "…" at the end when some are missing. */
function find(leaves: readonly string[], routes: readonly string[], more = ""): string[] {
  const trie = ["Main", "Local"].map((name) => table(name, [...LOOPBACK, ...leaves])).join("") + more;
  const found = placeAddresses(parseTrie(trie), parseDeviceRoutes(TITLES + routes.join("")));
  const lines = found.addresses.map(({ interface: name, address, prefix }) => `${name} ${address}/${prefix}`);
  return [...lines.sort(), ...(found.complete ? [] : ["…"])];
}

const local = (...addresses: string[]): string[] => addresses.map((address) => `${address}/32 host LOCAL`);
const broadcast = (address: string): string => `${address}/32 link BROADCAST`;

describe("an address belongs to the interface whose network it is in", () => {
  test("several on several interfaces, with networks of any size", () => {
    const leaves = [
      ...local("10.0.2.15", "10.0.2.16", "10.0.3.1", "192.168.7.3"),
      broadcast("10.0.2.255"),
      broadcast("192.168.7.3"),
    ];
    const routes = [
      route("eth0 0.0.0.0/0 10.0.2.2"),
      route("eth0 10.0.2.0/24"),
      route("eth1 10.0.3.0/31"),
      route("eth2 192.168.7.0/30"),
    ];
    expect(find(leaves, routes)).toEqual([
      "eth0 10.0.2.15/24",
      "eth0 10.0.2.16/24",
      "eth1 10.0.3.1/31",
      "eth2 192.168.7.3/30",
      LO,
    ]);
  });

  test("what is on the loopback interface in a network of its own", () => {
    const leaves = [...local("10.5.0.1"), "10.5.0.0/24 host LOCAL", broadcast("10.5.0.255")];
    expect(find(leaves, [])).toEqual(["lo 10.5.0.1/24", LO]);
  });

  test("a network within another one is right for its only address", () => {
    const routes = [route("eth0 10.0.0.0/8"), route("eth1 10.9.0.0/24")];
    const both = [broadcast("10.255.255.255"), broadcast("10.9.0.255")];
    expect(find([...local("10.1.0.4", "10.9.0.4"), ...both], routes)).toEqual([
      "eth0 10.1.0.4/8",
      "eth1 10.9.0.4/24",
      LO,
    ]);
    // Either of the two can be the other interface's.
    expect(find([...local("10.1.0.4", "10.9.0.4", "10.9.0.5"), ...both], routes)).toEqual([
      "eth0 10.1.0.4/8",
      LO,
      "…",
    ]);
  });
});

describe("an address that could be anywhere is left out, and that is said", () => {
  test("the same network on two interfaces", () => {
    const routes = [route("eth0 10.1.0.0/24"), route("wlan0 10.1.0.0/24")];
    expect(find([...local("10.1.0.4", "10.1.0.5"), broadcast("10.1.0.255")], routes)).toEqual([LO, "…"]);
  });

  test("a route over a tunnel, which looks like a network but has no broadcast address", () => {
    const routes = [route("wg0 10.0.0.0/8"), route("eth0 172.16.0.0/20")];
    const leaves = [...local("10.9.9.1", "172.16.0.1"), broadcast("172.16.15.255")];
    expect(find(leaves, routes)).toEqual(["eth0 172.16.0.1/20", LO, "…"]);
  });

  test("the near end of a point-to-point link, a way by an IPv6 gateway, a route that refuses", () => {
    expect(find(local("10.8.0.1"), [route("tun0 10.8.0.2/32", "0005")])).toEqual([LO, "…"]);
    const network = [...local("10.8.0.1"), broadcast("10.8.0.255")];
    expect(find(network, [route("eth0 10.8.0.0/24", "0003")])).toEqual([LO, "…"]);
    expect(find(network, [route("eth0 10.8.0.0/24", "0201")])).toEqual([LO, "…"]);
    expect(find(network, [route("* 10.8.0.0/24")])).toEqual([LO, "…"]);
  });

  test("an address only in a table that is not shown (a VRF's)", () => {
    const vrf = table("Id 10", [...local("10.77.0.1"), broadcast("10.77.0.255")]);
    expect(find([], [route("eth0 10.77.0.0/24")], vrf)).toEqual([LO, "…"]);
    expect(find([], [], table("Id 10", local("127.0.0.1")))).toEqual([LO]);
  });
});

describe("an address of its own at a hosting provider", () => {
  const routes = [route("eth0 0.0.0.0/0 172.31.1.1"), route("eth0 172.31.1.1/32", "0005")];

  test("is where the gateway is, if that leaves no other answer", () => {
    expect(find(local("203.0.113.9"), routes)).toEqual(["eth0 203.0.113.9/32", LO]);
    const beside = [...local("203.0.113.9", "172.17.0.1"), broadcast("172.17.255.255")];
    expect(find(beside, [...routes, route("docker0 172.17.0.0/16")])).toEqual([
      "docker0 172.17.0.1/16",
      "eth0 203.0.113.9/32",
      LO,
    ]);
  });

  test("is left out where there are two such addresses, two such ways, or the way has an address", () => {
    expect(find(local("203.0.113.9", "198.51.100.4"), routes)).toEqual([LO, "…"]);
    const ways = [...routes, route("eth1 0.0.0.0/0 172.31.2.1"), route("eth1 172.31.2.1/32", "0005")];
    expect(find(local("203.0.113.9"), ways)).toEqual([LO, "…"]);
    const own = [...local("203.0.113.9", "10.1.0.4"), broadcast("10.1.0.255")];
    expect(find(own, [...routes, route("eth0 10.1.0.0/24")])).toEqual(["eth0 10.1.0.4/24", LO, "…"]);
  });
});

describe("the files", () => {
  const VM = loadTree("vm-hardened");

  test("neither of them can be done without", async () => {
    const files = openFiles(layTree(VM));
    expect(readLocalAddresses(files)?.complete).toBe(true);
    for (const path of ["/proc/net/fib_trie", "/proc/net/route"])
      expect(readLocalAddresses(openFiles(files.root, { [path]: "EACCES" }))).toBeNull();
  });

  test("are not looked at where the kernel says the addresses itself", async () => {
    const addresses = [{ interface: "enp0s5", address: "10.0.2.99", prefix: 25, family: 4 as const }];
    const data = await collectFrom(networkCollector(), { ...VM, addresses });
    expect(data).toMatchObject({
      addresses_known: true,
      primary: { interface: "enp0s5", address: "10.0.2.99" },
    });
  });

  test("longer than usual are read to their end; cut ones are not taken for whole", () => {
    const many = Array.from({ length: 3000 }, (_, at) => `10.${at >> 8}.${at & 255}.0/24 link UNICAST`);
    const leaves = [...many, ...LOOPBACK, ...local("192.0.2.2"), broadcast("192.0.2.255")];
    const others = Array.from({ length: 1000 }, (_, at) =>
      route(`eth0 10.${at >> 8}.${at & 255}.0/24 192.0.2.1`),
    );
    const files = {
      "/proc/net/fib_trie": table("Main", leaves),
      "/proc/net/route": `${TITLES}${others.join("")}${route("eth0 192.0.2.0/24")}`,
    };
    expect(files["/proc/net/fib_trie"].length).toBeGreaterThan(100_000);
    expect(readLocalAddresses(openFiles(layTree({ files })))).toEqual({
      complete: true,
      addresses: [
        { interface: "lo", address: "127.0.0.1", prefix: 8, family: 4 },
        { interface: "eth0", address: "192.0.2.2", prefix: 24, family: 4 },
      ],
    });
    // Half a line must not become another address.
    expect(parseTrie("Main:\n     |-- 10.0.0.1\n        /32 host LOCAL\n     |-- 10.0.0.2")).toMatchObject({
      locals: [number("10.0.0.1")],
      complete: false,
    });
  });

  test("of this machine: the addresses that Node tells", (context) => {
    const found = readLocalAddresses(openFiles("/"));
    // gVisor and the like have no such table.
    if (found === null) return context.skip("/proc/net/fib_trie can't be read here");
    const routes = parseDeviceRoutes(openFiles("/").read("/proc/net/route"));
    let compared = 0;
    for (const [name, list] of Object.entries(networkInterfaces()))
      for (const { address, cidr, family, internal } of list ?? []) {
        if (family !== "IPv4") continue;
        const around = routes.filter(
          ({ address: network, prefix }) =>
            prefix > 0 && Math.floor(number(address) / 2 ** (32 - prefix)) === network / 2 ** (32 - prefix),
        );
        const plain =
          around.length === 1 &&
          around[0]?.interface === name &&
          `${around[0].prefix}` === cidr?.split("/")[1];
        if (!plain && !(internal && cidr === "127.0.0.1/8")) continue;
        compared++;
        expect(found.addresses).toContainEqual({
          interface: name,
          address,
          prefix: Number(cidr?.split("/")[1]),
          family: 4,
        });
      }
    if (compared === 0) context.skip("no address here has a plain route");
  });
});

describe("anything in them", () => {
  const byte = fc.integer({ min: 0, max: 300 });
  const dotted = fc.tuple(byte, byte, byte, byte).map((parts) => parts.join("."));
  const line = fc.oneof(
    fc.constantFrom("Main:", "Local:", "Id 10:", "  +-- 0.0.0.0/0 3 0 5", "        /8 host LOCAL"),
    dotted.map((address) => `     |-- ${address}`),
    fc
      .tuple(
        fc.integer({ min: 0, max: 40 }),
        fc.constantFrom("host LOCAL", "link BROADCAST", "universe UNICAST"),
      )
      .map(([prefix, kind]) => `        /${prefix} ${kind}`),
    fc.string({ unit: "binary", maxLength: 30 }),
  );
  const word = fc.stringMatching(/^[0-9A-F]{8}$/);
  const way = fc.oneof(
    fc
      .tuple(
        fc.constantFrom("eth0", "eth1", "*", "a/b", ""),
        word,
        word,
        fc.constantFrom("0001", "0003", "0201", "zz"),
        word,
      )
      .map(([name, to, by, flags, of]) => `${name}\t${to}\t${by}\t${flags}\t0\t0\t0\t${of}\t0\t0\t0`),
    fc
      .tuple(fc.constantFrom("eth0", "eth1"), fc.integer({ min: 0, max: 32 }))
      .map(([name, prefix]) => route(`${name} 0.0.0.0/${prefix}`).trimEnd()),
    fc.string({ unit: "binary", maxLength: 60 }),
  );
  const text = (lines: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    fc.array(lines, { maxLength: 60 }).map((all) => all.join("\n"));

  test("gives addresses of this node or none, each once", () => {
    fc.assert(
      fc.property(text(line), text(way), (trie, routes) => {
        const parsed = parseTrie(`Main:\n${trie}\n`);
        const { addresses, complete } = placeAddresses(parsed, parseDeviceRoutes(`${TITLES}${routes}\n`));
        const found = addresses.map(({ address }) => number(address));
        expect(new Set(found).size).toBe(found.length);
        for (const { address, prefix, interface: name } of addresses) {
          expect(parsed.locals).toContain(number(address));
          expect(prefix).toSatisfy(
            (length: number) => Number.isInteger(length) && length > 0 && length <= 32,
          );
          expect(name).toMatch(/^(?:lo|[^\s/:]{1,15})$/);
        }
        if (complete) expect(found.length).toBe(parsed.locals.length);
      }),
      { seed: 41, numRuns: 1000 },
    );
  });

  test("as much of it as is ever read ends soon", () => {
    const addresses = Array.from({ length: 15_000 }, (_, at) => `10.${at >> 8}.${at & 255}.1`);
    const trie = table(
      "Main",
      addresses.flatMap((address) => [...local(address), broadcast(address)]),
    );
    const routes = addresses.map((address, at) => route(`eth${at % 7} ${address}/31`)).join("");
    const parsed = parseTrie(trie.slice(0, 1024 * 1024));
    const { addresses: found, complete } = placeAddresses(parsed, parseDeviceRoutes(TITLES + routes));
    expect([complete, found.length <= 2048]).toEqual([false, true]);
  });
});
