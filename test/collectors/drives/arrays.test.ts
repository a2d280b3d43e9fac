/** Linux software RAID by the kernel's own tables: every state, members that fail, rebuilds, and their metrics. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { driveConditions } from "../../../src/collectors/drives/conditions.ts";
import { drivesCollector } from "../../../src/collectors/drives/drives.ts";
import type { DrivesData } from "../../../src/collectors/drives/schema.ts";
import { isBeyondRepair, readArrays, syncedOf } from "../../../src/collectors/drives/use/arrays.ts";
import { openFiles } from "../../../src/system/files.ts";
import { collectDrives } from "../../support/drives/drives.ts";
import { jbod } from "../../support/drives/jbod.ts";
import { forAll } from "../../support/for-all.ts";
import { layTree, type Tree, treeMachine } from "../../support/machine/tree.ts";
import { conditionCodes, metricLines } from "../../support/text/shape.ts";

const MD = "/sys/devices/virtual/block/md127/md";

/** The boot RAID 1 of two, with other words in its files. */
function withArray(files: Record<string, string>, members: Record<string, string> = {}): Tree {
  const tree = jbod(1);
  const put = (name: string, text: string): void => {
    tree.files[`${MD}/${name}`] = `${text}\n`;
  };
  for (const [name, text] of Object.entries({ raid_disks: "2", sync_action: "idle", ...files }))
    put(name, text);
  for (const [name, text] of Object.entries(members)) {
    const [state = "", slot = "none"] = text.split(" ");
    put(`dev-${name}/state`, state);
    put(`dev-${name}/slot`, slot);
  }
  return tree;
}

async function collected(tree: Tree): Promise<DrivesData> {
  return await collectDrives(drivesCollector(), treeMachine(tree));
}

async function codes(tree: Tree): Promise<string[]> {
  return conditionCodes(drivesCollector(), await collected(tree));
}

describe("the state of an array", () => {
  it.each<[string, string[]]>([
    ["clear", []],
    ["inactive", ["raid_inactive(md127)"]],
    ["suspended", ["raid_suspended(md127)"]],
    ["readonly", []],
    ["read-auto", []],
    ["clean", []],
    ["active", []],
    ["write-pending", []],
    ["active-idle", []],
    ["broken", ["raid_failed(md127)"]],
    ["a word of a later kernel", []],
  ])("%s", async (state, expected) => {
    expect(await codes(withArray({ array_state: state }))).toEqual(expected);
  });

  it("takes no container of a RAID BIOS for one that does not run, but its volume", async () => {
    const stopped = { array_state: "inactive" };
    expect(await codes(withArray({ ...stopped, metadata_version: "external:imsm" }))).toEqual([]);
    expect(await codes(withArray({ ...stopped, metadata_version: "external:/md126/0" }))).toEqual([
      "raid_inactive(md127)",
    ]);
    expect(await codes(withArray({ ...stopped, metadata_version: "1.2" }))).toEqual(["raid_inactive(md127)"]);
  });
});

describe("members", () => {
  const ok = { sda1: "in_sync 0", sdb1: "in_sync 1" };
  it.each<[string, Record<string, string>, Record<string, string>, RegExp]>([
    ["one failed", { degraded: "1" }, { ...ok, sdb1: "faulty none" }, /lacks 1 .*; failed: sdb1; no spare/],
    ["one is gone", { degraded: "1" }, { sda1: "in_sync 0" }, /lacks 1 of its members; no spare/],
    [
      "one is being rebuilt",
      { degraded: "1", sync_action: "recover", sync_completed: "25 / 100" },
      { ...ok, sdb1: "spare 1" },
      /being rebuilt, 25 % done\.$/,
    ],
    [
      "a rebuild waits for another",
      { degraded: "1", sync_action: "recover", sync_completed: "delayed" },
      { ...ok, sdb1: "spare 1" },
      /being rebuilt\.$/,
    ],
    [
      "a rebuild is held up",
      { degraded: "1", sync_action: "frozen" },
      { ...ok, sdb1: "spare 1" },
      /held up\.$/,
    ],
    ["all failed", { degraded: "2" }, { sda1: "faulty none", sdb1: "faulty none" }, /has failed.*sda1, sdb1/],
    ["a spare took over", { degraded: "0" }, { ...ok, sdc1: "faulty none" }, /sdc1 was thrown out of/],
    [
      "write errors",
      { degraded: "0" },
      { ...ok, sdb1: "in_sync,write_error 1" },
      /sdb1 has had write errors/,
    ],
    [
      "to be replaced",
      { degraded: "0" },
      { ...ok, sdb1: "in_sync,want_replacement 1" },
      /sdb1 has had write errors/,
    ],
  ])("%s", async (_what, files, members, text) => {
    const conditions = driveConditions(
      await collected(withArray({ array_state: "clean", ...files }, members)),
    );
    expect(conditions.map((condition) => condition.text)).toEqual([expect.stringMatching(text)]);
  });

  it.each(["resync", "check", "repair", "reshape", "idle"])("%s is no fault", async (action) => {
    const files = { array_state: "active", degraded: "0", sync_action: action, sync_completed: "1 / 2" };
    expect(await codes(withArray(files, { ...ok, sdc1: "spare none", sdd1: "journal none" }))).toEqual([]);
  });

  it.each<[string, number, number, boolean]>([
    ["raid5", 1, 4, false],
    ["raid5", 2, 4, true],
    ["raid6", 2, 6, false],
    ["raid6", 3, 6, true],
    ["raid1", 1, 2, false],
    ["raid1", 3, 3, true],
    ["raid10", 2, 4, false],
    ["what nobody knows", 9, 9, false],
  ])("%s without %i of %i", (level, degraded, disks, beyond) => {
    const array = { name: "md0", level, degraded, raid_disks: disks, state: "clean", sync_action: null };
    const rest = { sync_done_bytes: null, sync_total_bytes: null, size_bytes: null, members: [] };
    expect(isBeyondRepair({ ...array, ...rest })).toBe(beyond);
  });

  it("are counted as node_exporter counts them", async () => {
    const files = {
      array_state: "active",
      degraded: "1",
      sync_action: "recover",
      sync_completed: "100 / 400",
    };
    const members = { sda1: "in_sync 0", sdb1: "spare 1", sdc1: "faulty none", sdd1: "spare none" };
    const collector = drivesCollector();
    const lines = metricLines(collector, await collected(withArray(files, members)));
    expect(lines.filter((line) => line.startsWith("node_md_"))).toEqual([
      'node_md_blocks_synced{device="md127"} 50',
      'node_md_blocks{device="md127"} 65011712',
      'node_md_disks_required{device="md127"} 2',
      'node_md_disks{device="md127",state="active"} 1',
      'node_md_disks{device="md127",state="down"} 1',
      'node_md_disks{device="md127",state="failed"} 1',
      'node_md_disks{device="md127",state="spare"} 1',
      'node_md_state{device="md127",state="active"} 0',
      'node_md_state{device="md127",state="check"} 0',
      'node_md_state{device="md127",state="inactive"} 0',
      'node_md_state{device="md127",state="recovering"} 1',
      'node_md_state{device="md127",state="resync"} 0',
    ]);
  });
});

it("whatever stands in the files, an array comes out", () => {
  const word = fc.oneof(
    fc.string({ maxLength: 20, unit: "binary" }),
    fc.constantFrom("in_sync,,", "4 (5)", "1 / 0", "none", "-1", "99999999999999999999 / 1", ","),
  );
  const names = [
    "array_state",
    "degraded",
    "raid_disks",
    "sync_action",
    "sync_completed",
    "dev-x/state",
    "dev-x/slot",
  ];
  const device = { name: "md1", kind: "md", label: null, level: null, dev: null, sizeBytes: null } as const;
  const none = { fstype: null, label: null, uuid: null };
  const texts = new Map<string, string>();
  const files = openFiles(layTree({ files: {}, folders: ["/sys/block/md1/md/dev-x"] }));
  const told = {
    ...files,
    text: (path: string) => texts.get(path.slice("/sys/block/md1/md/".length)) ?? null,
    number: (path: string) => {
      const value = Number(texts.get(path.slice("/sys/block/md1/md/".length)));
      return Number.isFinite(value) ? value : null;
    },
  };
  forAll(
    fc.property(fc.array(word, { minLength: names.length, maxLength: names.length }), (words) => {
      for (const [index, name] of names.entries()) texts.set(name, words[index] as string);
      const [array] = readArrays(told, [{ ...device, slaves: [], partitions: [], content: none }]);
      expect(array?.members).toHaveLength(1);
      expect(array?.raid_disks ?? 0).toBeGreaterThanOrEqual(0);
      const data = { drives: [], pools: [], stranded: [], missing: [], arrays: [array] } as never;
      for (const { text } of driveConditions(data)) expect(text).not.toMatch(/NaN|undefined|Infinity/);
      expect(syncedOf(words[0] as string)?.done ?? 0).toBeGreaterThanOrEqual(0);
    }),
    { seed: 20261201, cases: 1000 },
  );
});
