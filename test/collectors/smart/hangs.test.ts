/** Drives that hang: the others are there, never more than four at once, and quarantine. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { SmartData } from "../../../src/collectors/smart/schema.ts";
import { directHelper } from "../../../src/helper/direct.ts";
import type { Files } from "../../../src/system/files.ts";
import { sdName } from "../../support/drives/block-tree.ts";
import { ataJson, driveTree } from "../../support/drives/fake-drives.ts";
import { smartOperations } from "../../support/drives/smart.ts";
import { DAY_MS, device, rig, verdicts } from "../../support/drives/smart-rig.ts";
import { collectContext, layTree, temporaryFolder } from "../../support/machine/tree.ts";
import { conditionCodes } from "../../support/text/shape.ts";

describe("drives that hang", () => {
  it("105 of 106 are there while one hangs, never more than four at once, and its answer comes later", async () => {
    const names = Array.from({ length: 106 }, (_, index) => sdName(index));
    const tree = driveTree(Object.fromEntries(names.map((name, index) => [name, `S${1_000 + index}`])));
    const helper = (files: Files) => {
      const folder = temporaryFolder();
      const direct = directHelper({
        policyPath: join(folder, "policy.toml"),
        stateFolder: folder,
        audit: () => undefined,
        files,
        moreOperations: smartOperations,
      });
      onTestFinished(() => direct.close());
      return direct;
    };
    const it = rig(tree, { patienceMs: 1_000 }, helper);
    it.drives.scan(names.map((name) => ({ device: `/dev/${name}`, type: "sat" })));
    for (const [index, name] of names.entries())
      it.drives.says(`/dev/${name}`, "sat", ataJson(`S${1_000 + index}`));
    it.drives.hangs("/dev/sdaa", "sat");
    const data = await it.round();
    const counts = Map.groupBy(data.drives, ({ state }) => state);
    expect([...counts].map(([state, list]) => [state, list.length]).sort()).toEqual([
      ["answered", 105],
      ["pending", 1],
    ]);
    expect(device(data, "sdaa")).toMatchObject({
      severity: "unknown",
      smart_ok: null,
      id: expect.stringMatching(/^wwn-/),
    });
    expect(it.drives.mostAtOnce()).toBeLessThanOrEqual(4);
    expect(it.drives.asked().filter((line) => line === "/dev/sdaa sat")).toHaveLength(1);
    it.drives.scan(["sda", "sdaa"].map((name) => ({ device: `/dev/${name}`, type: "sat" })));
    it.drives.hangs("/dev/sdaa", "sat", false);
    await expect.poll(async () => device(await it.round(), "sdaa").state).toBe("answered");
  });

  it("four at once, and no fifth while they take their time", async () => {
    const names = ["sda", "sdb", "sdc", "sdd", "sde", "sdf", "sdg"];
    const it = rig(driveTree(Object.fromEntries(names.map((name, index) => [name, `S${index}`]))));
    it.drives.scan(names.map((name) => ({ device: `/dev/${name}`, type: "sat" })));
    for (const [index, name] of names.entries()) {
      it.drives.says(`/dev/${name}`, "sat", ataJson(`S${index}`));
      if (index < 4) it.drives.hangs(`/dev/${name}`, "sat");
    }
    const round = it.round();
    await expect.poll(() => it.drives.started()).toBe(4);
    for (const name of names.slice(0, 4)) it.drives.hangs(`/dev/${name}`, "sat", false);
    expect((await round).drives.map(({ state }) => state)).toEqual(names.map(() => "answered"));
    expect(it.drives.mostAtOnce()).toBe(4);
  });

  it("the first run takes little time; whatever comes later is merged without asking anybody again", async () => {
    let told = 0;
    const it = rig(driveTree({ sda: "S1", sdb: "S2" }), {
      patienceMs: 1_500,
      firstMs: 0,
      onLate: () => {
        told++;
      },
    });
    it.drives.scan([
      { device: "/dev/sda", type: "sat" },
      { device: "/dev/sdb", type: "sat" },
    ]);
    it.drives.says("/dev/sda", "sat", ataJson("S1"));
    it.drives.says("/dev/sdb", "sat", ataJson("S2"));
    it.drives.hangs("/dev/sdb", "sat");
    // Not even the list of devices is there yet, and it does not come before this was looked at.
    const listed = join(temporaryFolder(), "listed");
    it.drives.scanDoes(`until [ -e ${listed} ]; do sleep 0.02; done`);
    expect(await it.collector().collect({ ...collectContext(it.machine), memory: it.memory })).toEqual({
      noData: "The drives are being asked for the first time.",
      nextStep: null,
      pending: true,
    });
    writeFileSync(listed, "");
    await expect.poll(() => told).toBe(1);
    expect(verdicts(await it.round())).toEqual(["sda answered ok true", "sdb pending unknown null"]);
    it.drives.hangs("/dev/sdb", "sat", false);
    await expect.poll(() => told).toBe(2);
    const merged = await it.round();
    expect(verdicts(merged)).toEqual(["sda answered ok true", "sdb answered ok true"]);
    expect(device(merged, "sdb").values_at).toBeNull();
    expect(it.drives.asked()).toHaveLength(2);
    // With nothing left to tell, and when it is time again, they are asked.
    await it.round();
    expect(it.drives.asked()).toHaveLength(2);
    expect(told).toBe(2);
  });

  it("three times in a row, and it is left alone for a day with a condition", async () => {
    const it = rig(driveTree({ sda: "S1", sdb: "S2" }), { timeoutMs: 300 });
    it.drives.scan([
      { device: "/dev/sda", type: "sat" },
      { device: "/dev/sdb", type: "sat" },
    ]);
    it.drives.says("/dev/sda", "sat", ataJson("S1"), 8);
    it.drives.says("/dev/sdb", "sat", ataJson("S2"));
    expect(device(await it.round(), "sda").severity).toBe("fail");
    it.drives.hangs("/dev/sda", "sat");
    const rounds: SmartData[] = [];
    for (let round = 0; round < 4; round++) rounds.push(await it.round());
    expect(rounds.map((data) => [device(data, "sda").state, device(data, "sda").hangs])).toEqual([
      ["hangs", 1],
      ["hangs", 2],
      ["quarantined", 3],
      ["quarantined", 3],
    ]);
    const last = rounds[3] as SmartData;
    expect(device(last, "sdb").state).toBe("answered");
    expect(device(last, "sda")).toMatchObject({
      smart_ok: null,
      severity: "unknown",
      facts: { serial: "S1" },
    });
    expect(conditionCodes(it.collector(), last)).toEqual(["smart_failing(sda)", "smart_drive_hangs(sda)"]);
    it.drives.asked();
    await it.round();
    expect(it.drives.asked()).toEqual(["/dev/sdb sat"]);
    it.clock.forward(DAY_MS);
    it.drives.hangs("/dev/sda", "sat", false);
    expect(device(await it.round(), "sda")).toMatchObject({ state: "answered", hangs: 0 });
  });

  it("asked again after a day it keeps its condition until it answers", async () => {
    const it = rig(driveTree({ sda: "S1" }), { timeoutMs: 800, patienceMs: 200 });
    it.drives.scan([{ device: "/dev/sda", type: "sat" }]);
    it.drives.says("/dev/sda", "sat", ataJson("S1"));
    it.drives.hangs("/dev/sda", "sat");
    await expect.poll(async () => device(await it.round(), "sda").state).toBe("quarantined");
    it.clock.forward(DAY_MS);
    const asked = await it.round();
    expect(device(asked, "sda")).toMatchObject({ state: "pending", hangs: 3 });
    expect(conditionCodes(it.collector(), asked)).toEqual(["smart_drive_hangs(sda)"]);
    it.drives.hangs("/dev/sda", "sat", false);
    await expect.poll(async () => conditionCodes(it.collector(), await it.round())).toEqual([]);
  });

  it("another drive in the place of one that hung is asked at once", async () => {
    const it = rig(driveTree({ sda: "S1" }), { timeoutMs: 300 });
    it.drives.scan([{ device: "/dev/sda", type: "sat" }]);
    it.drives.says("/dev/sda", "sat", ataJson("S1"));
    it.drives.hangs("/dev/sda", "sat");
    for (let round = 0; round < 3; round++) await it.round();
    expect(device(await it.round(), "sda").state).toBe("quarantined");
    layTree(driveTree({ sda: "S2" }), it.machine.files.root);
    it.drives.says("/dev/sda", "sat", ataJson("S2"));
    it.drives.hangs("/dev/sda", "sat", false);
    const data = await it.round();
    expect(device(data, "sda")).toMatchObject({ state: "answered", serial: "S2", hangs: 0 });
    expect(conditionCodes(it.collector(), data)).toEqual([]);
  });

  it("one that hangs the scan is found out, the rest is asked all the same", async () => {
    const it = rig(driveTree({ sda: "S1", sdb: "S2" }), { timeoutMs: 300 });
    it.drives.scan([
      { device: "/dev/sda", type: "sat" },
      { device: "/dev/sdb", type: "sat" },
    ]);
    it.drives.says("/dev/sda", "sat", ataJson("S1"));
    it.drives.says("/dev/sdb", "sat", ataJson("S2"));
    expect(it.collector().conditions?.(await it.round())).toEqual([]);
    it.drives.scan([
      { device: "/dev/sda", type: "scsi" },
      { device: "/dev/sdb", type: "scsi" },
    ]);
    it.drives.scanDoes('[ "$1" = --scan-open ] && exec sleep 600');
    it.drives.asked();
    const data = await it.round();
    // Unopened they are listed as SCSI; what they are was found out before.
    expect(it.drives.asked().sort()).toEqual(["/dev/sda sat", "/dev/sdb sat"]);
    expect(verdicts(data)).toEqual(["sda answered ok true", "sdb answered ok true"]);
    expect(conditionCodes(it.collector(), data)).toEqual(["smart_scan_hangs"]);
  });
});
