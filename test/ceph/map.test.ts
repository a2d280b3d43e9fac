/** The CRUSH hierarchy and the flags of the map, on answers of a real cluster of three hosts. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import * as answers from "../../src/ceph/command/answers.ts";
import { parseAnswer } from "../../src/ceph/command/ceph-command.ts";
import { coveringFlags } from "../../src/ceph/map/flags.ts";
import { ancestors, crushTree, osdsBelow } from "../../src/ceph/map/tree.ts";

const read = (name: string): string =>
  readFileSync(new URL(`../fixtures/ceph/answers/${name}.json`, import.meta.url), "utf8");
const tree = crushTree(parseAnswer([], read("osd-tree"), answers.osdTree));
const dump = parseAnswer([], read("osd-dump-flags"), answers.osdDump);

const node = (id: number, name: string, type: string, children: number[] = []) => ({
  id,
  name,
  type,
  children,
});
/** Racks over hosts, a device class's shadow of each, and an OSD nobody placed. */
const nested = crushTree({
  nodes: [
    node(-1, "default", "root", [-2]),
    node(-11, "default~hdd", "root", [-12]),
    node(-2, "rack1", "rack", [-3, -4]),
    node(-12, "rack1~hdd", "rack", [-13]),
    node(-3, "a", "host", [0, 3]),
    node(-13, "a~hdd", "host", [0, 3]),
    node(-4, "b", "host", [1]),
    node(0, "osd.0", "osd"),
    node(3, "osd.3", "osd"),
    node(1, "osd.1", "osd"),
    node(7, "osd.7", "osd"),
  ],
});

it("tells what is above an OSD, the nearest first, and leaves shadows out", () => {
  const above = (id: number) => ancestors(nested, id).map(({ name }) => name);
  expect([above(0), above(1), above(7), above(99)]).toEqual([
    ["a", "rack1", "default"],
    ["b", "rack1", "default"],
    [],
    [],
  ]);
  expect(osdsBelow(nested, -2)).toEqual([0, 1, 3]);
  expect(osdsBelow(nested, -99)).toEqual([]);
  expect(ancestors(tree, 4).map(({ name, type }) => [name, type])).toEqual([
    ["lab-b", "host"],
    ["default", "root"],
  ]);
});

it("comes to an end where an answer goes in a circle", () => {
  const circle = crushTree({
    nodes: [node(-1, "x", "root", [-2]), node(-2, "y", "host", [-1, 0]), node(0, "osd.0", "osd")],
  });
  expect(ancestors(circle, 0).map(({ name }) => name)).toEqual(["y", "x"]);
  expect(osdsBelow(circle, -1)).toEqual([0]);
});

it("finds flags in all four places, and only those that concern the OSDs", () => {
  expect(coveringFlags(dump, tree, [0, 3])).toEqual([
    { flag: "noout", on: "cluster", name: null },
    { flag: "nodown", on: "bucket", name: "lab-a" },
    { flag: "noout", on: "class", name: "hdd" },
    { flag: "noout", on: "osd", name: "osd.0" },
  ]);
  expect(coveringFlags(dump, tree, [1])).toEqual([
    { flag: "noout", on: "cluster", name: null },
    { flag: "noout", on: "bucket", name: "lab-b" },
    { flag: "noout", on: "class", name: "hdd" },
  ]);
  expect(coveringFlags(parseAnswer([], read("osd-dump"), answers.osdDump), tree, [0])).toEqual([]);
});

it("takes a flag on a rack for one on every host in it", () => {
  const above = {
    ...dump,
    flags_set: [],
    device_class_flags: {},
    crush_node_flags: { rack1: ["noup"], b: ["noin"], "a~hdd": ["noout"] },
  };
  expect(coveringFlags({ ...above, osds: [] }, nested, [0])).toEqual([
    { flag: "noup", on: "bucket", name: "rack1" },
  ]);
});
