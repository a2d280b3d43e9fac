import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { genericText } from "../../../src/cli/show/generic-view.ts";

const OPTIONS = { now: 1_760_000_000_000 };

test("shares of 1 are shown as per cent, by the name of the field or of what they are part of", () => {
  expect(
    genericText(
      {
        hit_ratio: 0.0312,
        failed_share: 0,
        used_fraction: 1,
        life_used_percent: 3,
        load: { one: 0.0312 },
        utilisation: { user: 0.0312, system: 0.4, iowait: 0.0004, idle: 0.5684 },
        pressure: { some: { avg10: 1.25, total_us: 2_000_000 } },
      },
      OPTIONS,
    ),
  ).toBe(`hit        3.1 %
failed     0 %
used       100 %
life used  3 %
load
  one  0.03
utilisation
  user    3.1 %
  system  40 %
  iowait  < 0.1 %
  idle    57 %
pressure
  some
    avg10  1.25 %
    total  2.0 s
`);
});

test("a share in a list, beside a field of the same name with another unit", () => {
  expect(genericText({ pools: [{ used_ratio: 0.25, used_bytes: 1024 }] }, OPTIONS)).toBe(`pools
  USED RATIO  USED BYTES
  25 %        1.0 KiB
`);
});

const INTERFACES = [
  {
    name: "eth0",
    kind: "physical",
    speed_mbps: 1000,
    addresses: [{ address: "10.0.0.2", prefix: 24 }],
    master: null,
  },
  {
    name: "eth1",
    kind: "physical",
    speed_mbps: null,
    addresses: [],
    master: null,
    stats: { rx_bytes: 2048 },
  },
];

test("what has no column stands below its row, empty or not with --all", () => {
  expect(genericText({ interfaces: INTERFACES }, OPTIONS)).toBe(`interfaces
  NAME  KIND      SPEED
  eth0  physical  1000 Mbit/s
      addresses
        ADDRESS   PREFIX
        10.0.0.2  24
  eth1  physical  -
      stats
        rx  2.0 KiB
`);
  const whole = genericText({ interfaces: INTERFACES, gone: null }, { ...OPTIONS, all: true });
  expect(whole).toContain("master     -");
  expect(whole).toContain("gone  -");
});

test("more than eight plain fields: the others below", () => {
  const row = Object.fromEntries([..."abcdefghij"].map((name, at) => [name, at]));
  expect(genericText({ rows: [row] }, OPTIONS)).toBe(`rows
  A  B  C  D  E  F  G  H
  0  1  2  3  4  5  6  7
      i  8
      j  9
`);
});

test("a fact's own data are shown, whatever is in them", () => {
  const facts = [{ name: "contract", data: { owner: "alice", ports: [1, 2], rack: { row: 3 } } }];
  expect(genericText({ facts, problems: [] }, OPTIONS)).toContain(`  contract
      data
        owner  alice
        ports  1, 2
        rack
          row  3
`);
});

test("a long list is folded and says so; --all unfolds it", () => {
  const rows = Array.from({ length: 20 }, (_, at) => ({
    name: `sd${at}`,
    paths: [{ at }],
    io: { reads: at },
  }));
  const folded = genericText({ rows }, OPTIONS);
  expect(folded.split("\n")).toHaveLength(24);
  expect(folded).toContain("\n  2 more fields of each are folded: paths, io; --all shows them\n");
  const all = genericText({ rows }, { ...OPTIONS, all: true });
  expect(all).not.toContain("folded");
  expect(all.match(/reads {2}\d+/g)).toHaveLength(20);
});

/** Every value of a tree, in words as they are shown. */
test("with --all every field of a section has its name in it", () => {
  const names = new Set<string>();
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk);
    else if (value !== null && typeof value === "object")
      for (const [name, inner] of Object.entries(value)) {
        names.add(name);
        walk(inner);
      }
  };
  for (const machine of ["ceph-node", "jbod", "pi4"]) {
    const file = new URL(`../../fixtures/golden/${machine}.json`, import.meta.url);
    const golden = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
    names.clear();
    walk(golden);
    const shown = genericText(golden, { ...OPTIONS, all: true }).toLowerCase();
    const missing = [...names].filter((name) => {
      const label = name.replaceAll("_", " ").toLowerCase();
      const short = label.replace(
        / (?:bytes|us|ms|s|seconds|c|celsius|percent|ratio|share|fraction|mhz|mbps|at)$/,
        "",
      );
      return !shown.includes(label) && !shown.includes(short);
    });
    expect([machine, missing]).toEqual([machine, []]);
  }
});
