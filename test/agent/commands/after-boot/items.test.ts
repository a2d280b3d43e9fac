/** What the sections say of what works, also where parts of them never leave the host. */
import { expect, test } from "vitest";
import { itemsOf, sectionOf } from "../../../../src/agent/commands/after-boot/items.ts";
import type { Section } from "../../../../src/model/report.ts";

const section = (name: string, data: unknown, over: Partial<Section> = {}): Section => ({
  ...{ name, state: "ok", data, reason: null, collectedAt: 1, durationMs: 1 },
  ...over,
});
const of = (...sections: Section[]) =>
  itemsOf({ bootId: "b", sections: Object.fromEntries(sections.map((one) => [one.name, one])) });
const said = (items: ReturnType<typeof of>, kind: Parameters<typeof items.get>[0]) =>
  items.get(kind)?.map(({ id, is }) => `${id} ${is}`);

test("links with a cable or a radio, and bridges on them; not those of containers", () => {
  const interfaces = [
    { name: "eth0", kind: "physical", carrier: true, members: [] },
    { name: "eth1", kind: "physical", carrier: null, members: [] },
    { name: "bond0", kind: "bond", carrier: true, members: ["eth0"] },
    { name: "br0", kind: "bridge", carrier: true, members: ["bond0"] },
    { name: "docker0", kind: "bridge", carrier: true, members: ["veth1"] },
    { name: "veth1", kind: "virtual", carrier: true, members: [] },
    { name: "lo", kind: "loopback", carrier: true, members: [] },
  ];
  const found = of(
    section("network", { interfaces, default_routes: [{ family: 4 }, { family: 4 }, { family: 6 }] }),
  );
  expect(said(found, "link")).toEqual(["eth0 carrier", "eth1 no carrier", "bond0 carrier", "br0 carrier"]);
  expect(said(found, "route")).toEqual(["IPv4 there", "IPv6 there"]);
});

test("drives by their id, whatever the kernel calls them", () => {
  const found = of(
    section("drives", {
      drives: [
        { id: "wwn-1", name: "sda", model: "ST4000", state: "online", answering: true },
        { id: "wwn-2", name: "sdb", model: null, state: "offline", answering: true },
        { id: "wwn-3", name: "sdc", model: null, state: null, answering: false },
      ],
    }),
    section("smart", {
      drives: [
        { id: "wwn-1", device: "sda", severity: "warn" },
        { id: "wwn-2", device: "sdb", severity: "asleep" },
      ],
    }),
  );
  expect(said(found, "drive")).toEqual(["wwn-1 there", "wwn-2 not answering", "wwn-3 not answering"]);
  expect(found.get("drive")?.[0]?.name).toBe("sda (ST4000)");
  expect(said(found, "smart")).toEqual(["wwn-1 warn", "wwn-2 unknown"]);
});

test("the clock, and which sections there are", () => {
  const reason = { code: "no_helper", text: "nobody is root", nextStep: null };
  const found = of(
    section("system", { clock: { synchronised: true } }),
    section("smart", null, { state: "absent", reason }),
    section("bmc", {}, { state: "stale", reason }),
    section("lldp", null, { state: "absent", reason: { ...reason, code: "pending" } }),
  );
  expect(said(found, "clock")).toEqual(["clock synchronised"]);
  expect(said(found, "section")).toEqual([
    "system collected",
    "smart not collected",
    "bmc not collected",
    "lldp unknown",
  ]);
  expect(said(of(section("system", { clock: { synchronised: null } })), "clock")).toEqual(["clock unknown"]);
});

test("what is stale, excluded or not there was not looked at", () => {
  const found = of(
    section("network", { default_routes: [] }),
    section("drives", { drives: [{ id: "x" }] }, { state: "stale" }),
    section("smart", null, { state: "absent" }),
  );
  expect([...found.keys()].sort()).toEqual(["route", "section"]);
});

test("which section tells of an item sooner", () => {
  expect(sectionOf({ kind: "route", id: "IPv4" })).toBe("network");
  expect(sectionOf({ kind: "section", id: "bmc" })).toBe("bmc");
  expect(sectionOf({ kind: "unit", id: "x.service" })).toBeNull();
});
