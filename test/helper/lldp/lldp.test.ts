/** lldpcli's answers: captured from lldpd 1.0.16 between two network namespaces, and what others make of them. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import * as v from "valibot";
import { expect, it } from "vitest";
import { lldp } from "../../../src/helper/lldp/lldp.ts";
import { neighborSchema, parseNeighbors } from "../../../src/helper/lldp/neighbors.ts";
import { errorCode } from "../../../src/model/errors.ts";
import { openFiles } from "../../../src/system/files.ts";
import { forAll } from "../../support/for-all.ts";
import { operationsPort } from "../../support/helper/operations.ts";
import { answering, type FakeAnswer, fakePrograms } from "../../support/machine/programs.ts";
import { layTree } from "../../support/machine/tree.ts";

const LINE = "-f json show neighbors";

function fixture(name: string): string {
  return readFileSync(new URL(`../../fixtures/lldp/${name}`, import.meta.url), "utf8");
}

const ETH0 = {
  interface: "eth0",
  protocol: "LLDP",
  chassis: {
    id: "26:df:06:d9:d2:e1",
    id_type: "mac",
    name: "leaf-1",
    description: "Lab switch",
    addresses: ["10.0.0.1", "fe80::24df:6ff:fed9:d2e1"],
    capabilities: ["Station"],
  },
  port: { id: "26:df:06:d9:d2:e1", id_type: "mac", description: "to node 7", ttl_s: 4 },
  vlans: [],
};

it("reads one neighbour and several, in both of lldpcli's forms", () => {
  expect(parseNeighbors(fixture("one.json"))).toEqual([ETH0]);
  expect(parseNeighbors(fixture("one.json0"))).toEqual([ETH0]);
  const two = parseNeighbors(fixture("two.json"));
  expect(two?.map(({ interface: name }) => name)).toEqual(["eth0", "eth1"]);
  expect(two?.[0]).toEqual(ETH0);
  expect(parseNeighbors(fixture("two.json0"))).toEqual(two);
  expect(parseNeighbors(fixture("details.json"))).toEqual(two);
  expect(parseNeighbors(fixture("none.json"))).toEqual([]);
  expect(parseNeighbors(fixture("none.json0"))).toEqual([]);
});

it("reads switches without a name, with VLANs, and two neighbours on one interface", () => {
  const answer = {
    lldp: {
      interface: [
        {
          eno1: {
            via: "LLDP",
            chassis: { id: { type: "mac", value: "00:11:22:33:44:55" }, "mgmt-ip": "10.1.1.1" },
            port: { id: { type: "ifname", value: "Ethernet1/7" }, ttl: "120" },
            vlan: [
              { "vlan-id": "10", pvid: true, value: "storage" },
              { "vlan-id": "20", pvid: false },
              { "vlan-id": "many", pvid: false },
            ],
          },
        },
        { eno1: { via: "CDPv2", chassis: { "sw\u001b[2J": { id: { type: "local", value: "x" } } } } },
      ],
    },
  };
  expect(parseNeighbors(JSON.stringify(answer))).toMatchObject([
    {
      interface: "eno1",
      chassis: { id: "00:11:22:33:44:55", name: null, addresses: ["10.1.1.1"] },
      port: { id: "Ethernet1/7", id_type: "ifname", ttl_s: 120 },
      vlans: [
        { id: 10, name: "storage", untagged: true },
        { id: 20, name: null, untagged: false },
      ],
    },
    { interface: "eno1", protocol: "CDPv2", chassis: { id: "x", name: "sw?[2J" }, port: { id: null } },
  ]);
});

it("takes what is no answer of lldpcli for none, and never fails", () => {
  for (const text of ["", "null", "[]", "7", '{"x":1}', fixture("two.json").slice(0, 900)])
    expect(parseNeighbors(text)).toBeNull();
  const json = fc.jsonValue({ maxDepth: 6 });
  const shaped = fc.record({
    lldp: fc.record({ interface: fc.oneof(json, fc.array(fc.dictionary(fc.string(), json))) }),
  });
  forAll(
    fc.property(
      fc.oneof(
        json.map((lldp) => ({ lldp })),
        shaped,
      ),
      (value) => {
        v.parse(v.array(neighborSchema), parseNeighbors(JSON.stringify(value)));
      },
    ),
    { seed: 3, cases: 2_000 },
  );
  const huge = {
    lldp: { interface: Array.from({ length: 5_000 }, (_, index) => ({ [`e${index}`]: { via: "LLDP" } })) },
  };
  expect(parseNeighbors(JSON.stringify(huge))).toHaveLength(256);
});

function bench(answer: FakeAnswer) {
  const programs = fakePrograms(400);
  answering(programs, "lldpcli", { [LINE]: answer });
  const port = operationsPort([lldp], { files: openFiles(layTree({ files: {} })), run: programs.run });
  return { programs, ask: () => port.call("lldp", {}, AbortSignal.timeout(10_000)) };
}

it("asks lldpcli as root does", async () => {
  const { ask, programs } = bench({ stdout: fixture("one.json") });
  expect(await ask()).toEqual({ neighbors: [ETH0] });
  expect(programs.calls()).toEqual([LINE]);
});

it.each<[string, FakeAnswer]>([
  [
    "lldp_not_running",
    {
      stderr: "[WARN/control] unable to connect to socket /run/lldpd.socket: No such file or directory\n",
      status: 1,
    },
  ],
  [
    "lldp_not_allowed",
    {
      stderr: "[WARN/control] unable to connect to socket /run/lldpd.socket: Permission denied\n",
      status: 1,
    },
  ],
  ["lldp_hang", { hangs: true }],
  ["lldp_no_answer", { stdout: fixture("two.json").slice(0, 900) }],
  ["lldp_no_answer", { stdout: "<lldp/>" }],
  ["lldp_no_answer", { status: 3 }],
])("says %s", async (code, answer) => {
  await expect(bench(answer).ask()).rejects.toMatchObject({ code });
});

it("says when lldpcli is missing, and ends one that never ends", async () => {
  const { ask, programs } = bench({});
  programs.put("lldpcli", `exec yes '{"lldp":{}}'`);
  expect(await ask().catch(errorCode)).toBe("lldp_no_answer");
  const bare = operationsPort([lldp], { files: openFiles("/"), run: fakePrograms().run });
  await expect(bare.call("lldp", {}, AbortSignal.timeout(5_000))).rejects.toMatchObject({
    code: "lldp_lldpcli_missing",
    nextStep: "apt-get install lldpd",
  });
});

it("an answer with more in it than a cable can have is none", () => {
  expect(parseNeighbors(`{"lldp":[${"{},".repeat(340_000)}{}]}`)).toBeNull();
  expect(parseNeighbors(`{"lldp":${"[".repeat(500)}${"]".repeat(500)}}`)).toBeNull();
});
