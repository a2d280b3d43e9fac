/** The section `ceph`: a host with three OSDs, and a `ceph` program that answers as a real cluster did. */
import { readFileSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { cephCollector } from "../../../src/collectors/ceph/ceph.ts";
import { cephEvents } from "../../../src/collectors/ceph/conditions.ts";
import { isNoData } from "../../../src/collectors/collector.ts";
import type { Clock } from "../../../src/system/clock.ts";
import { answering, type FakeAnswer, fakePrograms } from "../../support/machine/programs.ts";
import { collectContext, type Tree, treeMachine } from "../../support/machine/tree.ts";
import { collectData, conditionCodes, metricLines } from "../../support/text/shape.ts";

const read = (name: string): string =>
  `\n${readFileSync(new URL(`../../fixtures/ceph/answers/${name}.json`, import.meta.url), "utf8")}`;
const dump = JSON.parse(read("osd-dump"));
const uuidOf = (id: number): string => dump.osds.find(({ osd }: { osd: number }) => osd === id).uuid;
const WANTS = "/etc/systemd/system/multi-user.target.wants";
const NODE: Tree = {
  files: {
    "/usr/bin/ceph": "",
    [`${WANTS}/ceph-volume@lvm-0-${uuidOf(0)}.service`]: "",
    [`${WANTS}/ceph-volume@lvm-3-${uuidOf(3)}.service`]: "",
    "/etc/systemd/system/ceph-mon.target.wants/ceph-mon@a.service": "",
    "/sys/devices/virtual/block/dm-0/dm/name": `ceph--x-osd--block--${uuidOf(0).replaceAll("-", "--")}`,
    "/sys/devices/pci0/block/sda/size": "1",
  },
  links: {
    "/sys/block/dm-0": "../devices/virtual/block/dm-0",
    "/sys/class/block/dm-0": "../../devices/virtual/block/dm-0",
    "/sys/class/block/sda": "../../devices/pci0/block/sda",
    "/sys/devices/virtual/block/dm-0/slaves/sda": "x",
  },
};
const CALL =
  "--conf /etc/ceph/ceph.conf --name client.foundry-agent --keyring /etc/ceph/ceph.client.foundry-agent.keyring --connect-timeout 5 --rados_mon_op_timeout 10 --format json";
const HEALTHY: Record<string, FakeAnswer> = {
  "osd dump": { stdout: read("osd-dump") },
  "osd tree": { stdout: read("osd-tree") },
  "osd df": { stdout: read("osd-df") },
  "health detail": { stdout: read("health") },
  versions: { stdout: read("versions") },
};

function bench(tree: Tree = NODE, options: Record<string, unknown> = {}) {
  const programs = fakePrograms(400);
  const say = (said: Record<string, FakeAnswer>): void =>
    answering(
      programs,
      "ceph",
      Object.fromEntries(Object.entries(said).map(([words, answer]) => [`${CALL} ${words}`, answer])),
    );
  say(HEALTHY);
  const time = { monotonic: 9_000, now: 1_760_000_000_000 };
  const clock: Clock = { now: () => time.now, monotonic: () => time.monotonic };
  const collector = cephCollector({ run: programs.run });
  let told = 0;
  const context = collectContext(treeMachine(tree, clock), options);
  return {
    ...{ programs, say, collector, context, time },
    collect: async (minutes = 0) => {
      time.monotonic += minutes * 60_000;
      return await collectData(collector, context);
    },
    asked(): string[] {
      const calls = programs.calls().slice(told);
      told += calls.length;
      return calls.map((line) => line.replace(`${CALL} `, ""));
    },
  };
}

it("has this host's OSDs with their drives, and what the cluster says of them", async () => {
  const { collect, collector } = bench();
  const data = await collect();
  expect(data.osds[0]).toEqual({
    id: 0,
    uuid: uuidOf(0),
    drives: ["sda"],
    ours: true,
    bucket: "lab-a",
    class: "hdd",
    up: true,
    in: true,
    weight: 1,
    crush_weight: 0.0019989013671875,
    capacity_bytes: 2_147_483_648,
    used_bytes: 316_989_440,
  });
  expect(data.osds.map(({ id }) => id)).toEqual([0, 3]);
  expect(data.daemons).toEqual([{ kind: "mon", name: "a" }]);
  expect(data.cluster).toEqual({
    fsid: dump.fsid,
    version: "16.2.15",
    mixed_versions: false,
    health: "HEALTH_OK",
    checks: [],
    buckets: ["lab-a"],
    flags: [],
    noout_elsewhere: [],
  });
  expect(conditionCodes(collector, data)).toEqual([]);
  expect(collector.table?.rows(data, 0)).toEqual([
    ["osd.0", "sda", "lab-a", "hdd", "up in", "1", "15 %"],
    ["osd.3", null, "lab-a", "hdd", "up in", "1", "15 %"],
    ["mon.a", null, null, null, null, null, null],
  ]);
  expect(metricLines(collector, data)).toContain('foundry_agent_ceph_osd_up{ceph_daemon="osd.0"} 1');
  expect(collector.glance(data)).toBe("2 OSDs, mon, HEALTH_OK");
});

it("asks again only for what is another, and for space and versions once an hour", async () => {
  const { collect, asked, say } = bench();
  await collect();
  expect(asked()).toEqual(["osd dump", "osd tree", "health detail", "versions", "osd df"]);
  await collect(5);
  expect(asked()).toEqual(["osd dump", "health detail"]);
  say({ ...HEALTHY, "osd dump": { stdout: JSON.stringify({ ...dump, epoch: dump.epoch + 1 }) } });
  await collect(5);
  expect(asked()).toEqual(["osd dump", "osd tree", "health detail"]);
  await collect(50);
  expect(asked()).toEqual(["osd dump", "health detail", "versions", "osd df"]);
});

it("sees flags that concern it, hosts in maintenance elsewhere, and tells what changed", async () => {
  const { collect, collector, say } = bench();
  const before = await collect();
  say({
    ...HEALTHY,
    "osd dump": { stdout: read("osd-dump-flags") },
    "health detail": { stdout: read("health-flags") },
  });
  const after = await collect(5);
  expect(after.cluster?.flags.map(({ flag, on, name }) => [flag, on, name])).toEqual([
    ["noout", "cluster", null],
    ["nodown", "bucket", "lab-a"],
    ["noout", "class", "hdd"],
    ["noout", "osd", "osd.0"],
  ]);
  const since = "2025-10-09T08:53:20.000Z";
  expect(after.cluster?.noout_elsewhere).toEqual([{ bucket: "lab-b", all_down: true, since }]);
  expect(after.cluster?.checks.map(({ code }) => code)).toContain("OSD_DOWN");
  expect(cephEvents(before, after)).toEqual([
    { type: "ceph.health_changed", severity: "info", data: { before: "HEALTH_OK", after: "HEALTH_WARN" } },
  ]);
  expect(conditionCodes(collector, after)).toEqual([]);
});

it("warns of a host that was left behind in maintenance, over restarts, until it is back", async () => {
  const rig = bench();
  const left = { ...HEALTHY, "osd dump": { stdout: read("osd-dump-flags") } };
  const codes = async (minutes: number, collector = rig.collector): Promise<string[]> => {
    rig.time.now += minutes * 60_000;
    return conditionCodes(collector, await collectData(collector, rig.context));
  };
  rig.say(left);
  expect([await codes(0), await codes(29)]).toEqual([[], []]);
  const restarted = cephCollector({ run: rig.programs.run });
  expect(await codes(1, restarted)).toEqual(["ceph_foreign_noout(lab-b)"]);
  rig.say(HEALTHY);
  expect(await codes(5, restarted)).toEqual([]);
  rig.say(left);
  // A clock that was set back must not make it older than it is.
  expect([await codes(0, restarted), await codes(-60, restarted), await codes(29, restarted)]).toEqual([
    [],
    [],
    [],
  ]);
  expect(await codes(1, restarted)).toEqual(["ceph_foreign_noout(lab-b)"]);
});

it("says which of its OSDs is down or is not the cluster's, until the cluster says otherwise", async () => {
  const changed = structuredClone(dump);
  changed.osds[0].up = 0;
  changed.osds[3].uuid = uuidOf(5);
  const { collect, collector, say } = bench();
  const before = await collect();
  say({ ...HEALTHY, "osd dump": { stdout: JSON.stringify(changed) } });
  const after = await collect(5);
  expect(conditionCodes(collector, after)).toEqual(["ceph_osd_down(osd.0)", "ceph_osd_not_ours(osd.3)"]);
  expect(cephEvents(before, after)).toEqual([
    { type: "ceph.osd_changed", severity: "warning", data: { osd: 0, up: false, in: true, drives: ["sda"] } },
  ]);
  say({ "osd dump": { status: 1, stderr: "timed out" } });
  const silent = await collect(5);
  expect(silent.osds[0]).toMatchObject({ id: 0, drives: ["sda"], up: null, ours: null });
  expect(silent.cluster).toBeNull();
  expect(conditionCodes(collector, silent)).toEqual([
    "ceph_not_asked",
    "ceph_osd_down(osd.0)",
    "ceph_osd_not_ours(osd.3)",
  ]);
  expect(cephEvents(after, silent)).toEqual([]);
});

it("goes without the space where no manager answers, and asks for it each time until one does", async () => {
  const { collect, asked, say } = bench();
  say({ ...HEALTHY, "osd df": { status: 110, stderr: "Error ETIMEDOUT:" } });
  expect((await collect()).osds[0]).toMatchObject({ up: true, capacity_bytes: null });
  say(HEALTHY);
  asked();
  expect((await collect(5)).osds[0]).toMatchObject({ capacity_bytes: 2_147_483_648 });
  expect(asked()).toContain("osd df");
});

it.each([
  ["no_ceph_cli", { ...NODE, files: { ...NODE.files, "/usr/bin/ceph": "x" } }, {}, true],
  ["ceph_not_asked", NODE, { name: "client.admin" }, false],
  ["ceph_not_asked", NODE, { name: "osd.3" }, false],
])(
  "says %s where it may not or can't ask, with what this host alone tells",
  async (code, tree, options, isBare) => {
    const { "/usr/bin/ceph": _none, ...files } = tree.files;
    const { collect, collector, programs } = bench(isBare ? { ...tree, files } : tree, options);
    const data = await collect();
    expect(conditionCodes(collector, data)).toEqual([code]);
    expect(data.osds.map(({ id, up }) => [id, up])).toEqual([
      [0, null],
      [3, null],
    ]);
    expect(programs.calls()).toEqual([]);
  },
);

it("does not hold up a start, and is run again when the cluster has answered", async () => {
  const { programs, context } = bench();
  const script = readFileSync(`${programs.folder}/ceph`, "utf8").replace("#!/bin/sh", "");
  programs.put("ceph", `while [ ! -e '${programs.folder}/go' ]; do sleep 0.02; done\n${script}`);
  const late = Promise.withResolvers<void>();
  const collector = cephCollector({ run: programs.run, onLate: late.resolve, firstMs: 1 });
  expect(await collector.collect(context)).toMatchObject({ pending: true });
  writeFileSync(`${programs.folder}/go`, "");
  await late.promise;
  expect((await collectData(collector, context)).cluster?.health).toBe("HEALTH_OK");
});

it("has nothing to say on a host without Ceph, and admits where it can't know", async () => {
  const said = async (tree: Tree): Promise<string> => {
    const { collector, context } = bench(tree);
    const data = await collector.collect(context);
    return isNoData(data) ? data.noData : "data";
  };
  expect(await said({ files: { "/usr/bin/ceph": "" } })).toBe(
    "No OSD or daemon of Ceph is set up on this host.",
  );
  expect(await said({ files: {}, folders: ["/var/lib/rook"] })).toBe(
    "Whether Ceph runs on this host is not known: Rook keeps data in /var/lib/rook.",
  );
});
