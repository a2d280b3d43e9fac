/** The section `ceph` against a real cluster, with the key that docs/ceph.md makes. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ROOT } from "../../../scripts/paths.mjs";
import { cephCollector } from "../../../src/collectors/ceph/ceph.ts";
import type { CephData } from "../../../src/collectors/ceph/schema.ts";
import { collectContext, treeMachine } from "../../support/machine/tree.ts";
import { collectData, conditionCodes } from "../../support/text/shape.ts";
import { until } from "../nspawn.ts";
import { type Cluster, clusterLacking, startCluster } from "./cluster.ts";

const LACKING = clusterLacking();
const WANTS = "/etc/systemd/system/multi-user.target.wants";
let cluster: Cluster;
let keyring: string;

beforeAll(async () => {
  if (LACKING !== null) return;
  cluster = await startCluster({ hosts: 3, osds: 6, port: 17_789 });
  keyring = join(cluster.folder, "agent.keyring");
  await cluster.ceph(...documentedKey(keyring));
});
afterAll(async () => await cluster?.destroy());

/** Words of the line in docs/ceph.md, with its file elsewhere. */
function documentedKey(file: string): string[] {
  const page = readFileSync(join(ROOT, "docs/ceph.md"), "utf8");
  const line = /^ceph (auth get-or-create .*)$/m.exec(page)?.[1] ?? "";
  const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
  expect(words.at(-2)).toBe("-o");
  return [...words.slice(0, -1), file];
}

/** A host that has the OSDs of lab-a, as units of ceph-volume tell it. */
async function collector(options: Record<string, unknown> = {}) {
  const uuid = (id: number): string => readFileSync(join(cluster.folder, `osd.${id}.uuid`), "utf8").trim();
  const machine = treeMachine({
    files: {
      "/usr/bin/ceph": "",
      ...Object.fromEntries([0, 3].map((id) => [`${WANTS}/ceph-volume@lvm-${id}-${uuid(id)}.service`, ""])),
    },
  });
  const made = cephCollector();
  const context = {
    ...collectContext(machine, { conf: cluster.conf, keyring, ...options }),
    signal: AbortSignal.timeout(240_000),
  };
  return { collector: made, collect: () => collectData(made, context) };
}

it("knows this host's OSDs, and what becomes of them", async (context) => {
  if (LACKING !== null) return context.skip(LACKING);
  const { collector: made, collect } = await collector();
  const data = await collect();
  expect(data.problem).toBeNull();
  expect(data.cluster).toMatchObject({
    fsid: cluster.fsid,
    buckets: ["lab-a"],
    flags: [],
    noout_elsewhere: [],
  });
  expect(data.cluster?.version).toMatch(/^\d+\.\d+\.\d+/);
  expect(
    data.osds.map(({ id, ours, bucket, up, in: isIn, weight }) => [id, ours, bucket, up, isIn, weight]),
  ).toEqual([
    [0, true, "lab-a", true, true, 1],
    [3, true, "lab-a", true, true, 1],
  ]);
  for (const { capacity_bytes, used_bytes } of data.osds) {
    expect(capacity_bytes).toBe(2 * 2 ** 30);
    expect(used_bytes).toBeGreaterThan(0);
  }

  await cluster.ceph("osd", "set-group", "noout", "lab-b");
  await cluster.ceph("osd", "reweight", "3", "0.5");
  await cluster.stopOsd(0);
  const later = await until("its OSD is down", async () => {
    const now = await collect();
    return now.osds[0]?.up === false ? now : null;
  });
  expect(conditionCodes(made, later)).toEqual(["ceph_osd_down(osd.0)"]);
  expect(later.cluster?.noout_elsewhere).toEqual([{ bucket: "lab-b", all_down: false, since: null }]);
  expect(later.osds[1]?.weight).toBeCloseTo(0.5, 4);
  expect(later.cluster?.checks.map(({ code }) => code)).toContain("OSD_DOWN");

  await cluster.startOsd(0);
  await until("it is back", async () => ((await collect()).osds[0]?.up === true ? true : null));
});

it("warns of a host whose agent is gone and whose noout nobody takes away", async (context) => {
  if (LACKING !== null) return context.skip(LACKING);
  const { collector: made, collect } = await collector({ foreign_noout_after_s: 0 });
  await cluster.ceph("osd", "set-group", "noout", "lab-c");
  for (const id of [2, 5]) await cluster.stopOsd(id);
  const data = await until("all of it is down", async () => {
    const now = await collect();
    return now.cluster?.noout_elsewhere.some(({ all_down }) => all_down) ? now : null;
  });
  expect(conditionCodes(made, data)).toContain("ceph_foreign_noout(lab-c)");
  const [, ...words] = (made.conditions?.(data).find(({ subject }) => subject === "lab-c")?.nextStep ?? "")
    .replace(/ {2}#.*$/, "")
    .split(" ");
  await cluster.ceph(...words);
  expect(conditionCodes(made, await collect())).not.toContain("ceph_foreign_noout(lab-c)");
  for (const id of [2, 5]) await cluster.startOsd(id);
});

it("says what is missing, each in its own words", async (context) => {
  if (LACKING !== null) return context.skip(LACKING);
  const wrong = join(cluster.folder, "wrong.keyring");
  writeFileSync(wrong, "[client.foundry-agent]\n\tkey = AQAAAAAAAAAAABAAtDeEWTS1rNqWcKHnqmLJfQ==\n");
  const dead = join(cluster.folder, "dead.conf");
  writeFileSync(dead, `[global]\nfsid = ${cluster.fsid}\nmon_host = 127.0.0.1:1\n`);
  const problemOf = async (options: Record<string, unknown>): Promise<CephData["problem"]> =>
    (await (await collector(options)).collect()).problem;
  const codes = [
    { keyring: wrong },
    { keyring: `${wrong}.none` },
    { conf: `${dead}.none` },
    { conf: dead },
    { name: "client.admin" },
  ];
  const found = [];
  for (const options of codes) found.push((await problemOf(options))?.code);
  expect(found).toEqual([
    "ceph_key_refused",
    "ceph_no_keyring",
    "ceph_no_conf",
    "ceph_unreachable",
    "ceph_admin_key",
  ]);
});

it("has a key that changes nothing", async (context) => {
  if (LACKING !== null) return context.skip(LACKING);
  const caps = JSON.parse(await cluster.ceph("auth", "get", "client.foundry-agent", "--format", "json"));
  expect(caps[0].caps).toEqual({ mon: "allow r", mgr: "allow r" });
});
