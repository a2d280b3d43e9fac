/** Accepting what a drive warns of, in the collector and over restarts, with the real file. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openAcks } from "../../../../src/collectors/smart/acks/book.ts";
import { smartEvents } from "../../../../src/collectors/smart/conditions.ts";
import { AgentError } from "../../../../src/model/errors.ts";
import { ACK_FILE, openAckFile } from "../../../../src/store/file/ack-file.ts";
import { ataJson, driveTree } from "../../../support/drives/fake-drives.ts";
import { device, mapHistory, type Rig, rig, SLEEPS } from "../../../support/drives/smart-rig.ts";
import { type Tree, temporaryFolder } from "../../../support/machine/tree.ts";
import { conditionCodes } from "../../../support/text/shape.ts";

const AT = "2026-12-01T00:00:00.000Z";
const ID = "wwn-0x5000c50000000008";

function node(folder = temporaryFolder(), tree: Tree = driveTree({ sda: "S7" })) {
  const acks = openAcks(openAckFile(folder));
  const made = rig(tree, { acks, history: mapHistory() });
  made.drives.scan([{ device: "/dev/sda", type: "sat" }]);
  return { ...made, acks, folder };
}

function counts(it: Rig, raws: Record<number, number>, more: object = {}, serial = "S7"): void {
  it.drives.says("/dev/sda", "sat", ataJson(serial, more, raws));
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof AgentError) return error.code;
    throw error;
  }
  return "no error";
}

it("is quiet until more comes, over restarts and with another state", async () => {
  const first = node();
  counts(first, { 5: 20, 197: 3 });
  const warned = await first.round();
  expect(conditionCodes(first.collector(), warned)).toEqual(["smart_warning(sda)"]);
  first.acks.accept(ID, null, "scars of 2024", "root", AT);
  const quiet = await first.round();
  expect(device(quiet, "sda")).toMatchObject({
    severity: "ok",
    smart_ok: true,
    acknowledged: {
      by: "root",
      at: AT,
      note: "scars of 2024",
      reasons: ["pending_sectors", "reallocated_sectors"],
    },
    last_verdict: { severity: "ok" },
  });
  expect(conditionCodes(first.collector(), quiet)).toEqual(["smart_acknowledged(sda)"]);
  expect(smartEvents(warned, quiet)).toMatchObject([
    {
      type: "drive.verdict",
      severity: "info",
      data: { from: "warn", to: "ok", reasons: [{ acknowledged: true }, {}] },
    },
  ]);
  // Another agent on the same folder, with an empty state.
  const second = node(first.folder);
  counts(second, { 5: 20, 197: 3 });
  const again = await second.round();
  expect(device(again, "sda").severity).toBe("ok");
  counts(second, { 5: 20, 197: 4 });
  const grown = await second.round();
  expect(conditionCodes(second.collector(), grown)).toEqual([
    "smart_warning(sda)",
    "smart_acknowledged(sda)",
  ]);
  expect(device(grown, "sda").reasons.map(({ code, acknowledged }) => `${code} ${acknowledged}`)).toEqual([
    "pending_sectors undefined",
    "reallocated_sectors true",
  ]);
  expect(second.acks.remove(ID)?.drive).toBe("S7");
  expect(second.acks.remove(ID)).toBe(null);
  counts(second, { 5: 20, 197: 3 });
  expect(device(await second.round(), "sda").severity).toBe("warn");
});

it("never covers a failing drive, accepted before or not", async () => {
  const it = node();
  counts(it, { 197: 3 });
  await it.round();
  it.acks.accept(ID, null, null, "root", AT);
  await it.round();
  counts(it, { 197: 3 }, { smart_status: { passed: false } });
  const data = await it.round();
  expect(conditionCodes(it.collector(), data)).toEqual(["smart_failing(sda)"]);
  expect(codeOf(() => it.acks.accept(ID, null, null, "root", AT))).toBe("ack_failing");
});

it("takes only the reasons that are named", async () => {
  const it = node();
  counts(it, { 5: 20, 197: 3 });
  await it.round();
  expect(codeOf(() => it.acks.accept(ID, ["hot"], null, "root", AT))).toBe("ack_no_such_reason");
  it.acks.accept(ID, ["reallocated_sectors"], null, "root", AT);
  expect(device(await it.round(), "sda")).toMatchObject({
    severity: "warn",
    reasons: [{ code: "pending_sectors" }, { code: "reallocated_sectors", acknowledged: true }],
  });
  it.acks.accept(ID, ["pending_sectors"], null, "root", AT);
  expect(device(await it.round(), "sda").severity).toBe("ok");
});

it("counters that were set back are new from where they are, also after a restart", async () => {
  const first = node();
  counts(first, { 5: 40 });
  await first.round();
  first.acks.accept(ID, null, null, "root", AT);
  await first.round();
  counts(first, { 5: 0 });
  await first.round();
  const second = node(first.folder);
  counts(second, { 5: 20 });
  expect(device(await second.round(), "sda").severity).toBe("warn");
});

it("counts for a drive that sleeps, as long as it does", async () => {
  const it = node();
  counts(it, { 197: 3 });
  await it.round();
  it.drives.says("/dev/sda", "sat", SLEEPS, 3);
  await it.round();
  it.acks.accept(ID, null, null, "root", AT);
  const asleep = await it.round();
  expect(device(asleep, "sda")).toMatchObject({ state: "asleep", last_verdict: { severity: "ok" } });
  expect(conditionCodes(it.collector(), asleep)).toEqual(["smart_acknowledged(sda)"]);
  it.acks.remove(ID);
  expect(conditionCodes(it.collector(), await it.round())).toEqual(["smart_warning(sda)"]);
  it.restart();
  await it.round();
  expect(codeOf(() => it.acks.accept(ID, null, null, "root", AT))).toBe("ack_not_asked");
});

it("of twins is each one's own", async () => {
  const acks = openAcks(openAckFile(temporaryFolder()));
  const it = rig({ files: { "/sys/block/loop0/size": "0" } }, { acks });
  const says = (nth: number, pending: number) =>
    it.drives.says(
      "/dev/bus/0",
      `megaraid,${nth}`,
      ataJson("SAMESAME1", { wwn: { naa: 5, oui: 3152, id: nth } }, { 197: pending }),
    );
  it.drives.scan([3, 4].map((nth) => ({ device: "/dev/bus/0", type: `megaraid,${nth}` })));
  says(3, 8);
  says(4, 2);
  await it.round();
  expect(acks.accept("wwn-0x5000c50000000003", null, null, "root", AT).drive).toBe("wwn-0x5000c50000000003");
  expect((await it.round()).drives.map(({ severity }) => severity)).toEqual(["ok", "warn"]);
});

it("of nothing is refused", async () => {
  const it = node();
  counts(it, {});
  await it.round();
  expect(codeOf(() => it.acks.accept(ID, null, null, "root", AT))).toBe("ack_nothing");
  expect(codeOf(() => it.acks.accept("wwn-of-nobody", null, null, "root", AT))).toBe("ack_nothing");
});

it("a damaged file lets the drives warn, and says so", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, ACK_FILE), "{");
  const it = node(folder);
  counts(it, { 197: 3 });
  const data = await it.round();
  expect(conditionCodes(it.collector(), data)).toEqual(["smart_warning(sda)", "drive_acks_unreadable"]);
  it.acks.accept(ID, null, null, "root", AT);
  expect(conditionCodes(it.collector(), await it.round())).toEqual(["smart_acknowledged(sda)"]);
});
