/** `foundry-agent osds`: read from a terminal, narrow ones too, and by a program. */
import { expect, it } from "vitest";
import { osdsText } from "../../../src/cli/show/osds.ts";
import { displayWidth } from "../../../src/cli/text/table.ts";
import type { CephData, CephOsd } from "../../../src/collectors/ceph/schema.ts";
import { daemon } from "../../support/agent/daemon.ts";

const FSID = "4df66190-3b58-491f-af64-3cbd2f074b62";
const osd = (id: number, more: Partial<CephOsd>): CephOsd => ({
  id,
  uuid: null,
  drives: [],
  ours: true,
  bucket: "node-7",
  class: "hdd",
  up: true,
  in: true,
  weight: 1,
  crush_weight: 1.8,
  capacity_bytes: 2_000,
  used_bytes: 500,
  ...more,
});
const DATA: CephData = {
  osds: [
    osd(0, { drives: ["sda", "nvme0n1"] }),
    osd(3, { drives: ["sdb"], up: false, weight: 0.299987 }),
    osd(7, { ours: false }),
  ],
  daemons: [{ kind: "mon", name: "node-7" }],
  cluster: {
    fsid: FSID,
    version: "18.2.7",
    mixed_versions: true,
    health: "HEALTH_WARN",
    checks: [{ code: "OSD_DOWN", severity: "HEALTH_WARN", text: "1 osds down", muted: false }],
    buckets: ["node-7"],
    flags: [{ flag: "noout", on: "cluster", name: null }],
    noout_elsewhere: [{ bucket: "node-9", all_down: true, since: "2025-10-09T08:53:20.000Z" }],
  },
  problem: null,
};
const DRIVES = [
  { name: "sda", serial: "WD-1", slot: "4", smart: { severity: "fail", reasons: [], last_verdict: null } },
  { name: "nvme0n1", serial: "S5Y", slot: null, smart: null },
] as unknown as Parameters<typeof osdsText>[1];

it("shows each OSD with its drives and their verdicts, then the cluster", () => {
  const io = { color: false, isTty: false, env: {} };
  expect(osdsText(DATA, DRIVES, io).split("\n")).toEqual([
    "OSD    DRIVE    SLOT  SERIAL  VERDICT  CLASS  STATE         WEIGHT  USED  BUCKET",
    "osd.0  sda      4     WD-1    FAILING  hdd    up in              1  25 %  node-7",
    "       nvme0n1  -     S5Y     -",
    "osd.3  sdb      -     -       -        hdd    down in          0.3  25 %  node-7",
    "osd.7  -        -     -       -        hdd    not this one       1  25 %  node-7",
    "",
    "Also here: mon.node-7",
    `Cluster ${FSID}: HEALTH_WARN, Ceph 18.2.7 and others`,
    "  OSD_DOWN: 1 osds down",
    "Flag noout is set on the whole cluster.",
    "node-9 is kept in (noout), and none of its OSDs is up: maintenance, or left so.",
    "",
  ]);
});

it.each([40, 80, 200])("fits %i columns", (columns) => {
  const io = { color: false, isTty: true, env: { COLUMNS: String(columns) } };
  const widest = Math.max(...osdsText(DATA, DRIVES, io).split("\n").map(displayWidth));
  // What a cluster is called is not broken.
  expect(widest).toBeLessThanOrEqual(Math.max(columns, FSID.length + 10));
});

it("says why the cluster is not asked, and what to type", async () => {
  const unit = "ceph-volume@lvm-0-4b1e77d0-0c5a-4f0e-9d4b-7f1b0c2d3e0f.service";
  const { run } = await daemon({
    more: { files: { [`/etc/systemd/system/multi-user.target.wants/${unit}`]: "" } },
  });
  const said = await run(["osds"]);
  expect(said.stdout).toMatch(/^OSD +DRIVE/);
  expect(said.stdout).toContain("The program ceph is not installed.\n");
  expect(said.stdout).toMatch(/Next: apt-get install ceph-common\n$/);
  const { state, data } = JSON.parse((await run(["osds", "--json"])).stdout);
  const { osds, cluster } = data;
  expect(state).toBe("ok");
  expect(cluster).toBeNull();
  expect(osds[0].drives[0]).toMatchObject({ name: expect.any(String), serial: expect.any(String) });
});

it("says on a host without Ceph that there is none", async () => {
  const { run } = await daemon({ tree: "pi4" });
  // The same shape as with data, for whoever reads `.data`.
  expect(JSON.parse((await run(["osds", "--json"])).stdout)).toMatchObject({ state: "absent", data: null });
  const { stdout, code } = await run(["osds"]);
  expect([code, stdout.split("\n")[1]]).toEqual([0, "No OSD or daemon of Ceph is set up on this host."]);
});
