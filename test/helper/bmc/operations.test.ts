/** The helper's BMC readings, with an ipmitool that answers well, badly, in half, too much, or never. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { bmcInfo, bmcLan, bmcSel, bmcSensors } from "../../../src/helper/bmc/operations.ts";
import { errorCode } from "../../../src/model/errors.ts";
import { openFiles } from "../../../src/system/files.ts";
import { operationsPort } from "../../support/helper/operations.ts";
import { BMC_TREE, bmcFixture, simulatorAnswers } from "../../support/machine/bmc.ts";
import { answering, type FakeAnswer, fakePrograms } from "../../support/machine/programs.ts";
import { layTree, type Tree } from "../../support/machine/tree.ts";

const ALL = [bmcInfo, bmcLan, bmcSel, bmcSensors];
const READINGS: readonly [string, object][] = [
  ["bmc.info", {}],
  ["bmc.lan", {}],
  ["bmc.sensors", {}],
  ["bmc.sel", { after: null, state: null, limit: 100 }],
];

function bench(over: Record<string, FakeAnswer> = {}, tree: Tree = BMC_TREE, errors = {}) {
  const programs = fakePrograms(400);
  answering(programs, "ipmitool", simulatorAnswers(over));
  const port = operationsPort(ALL, { files: openFiles(layTree(tree), errors), run: programs.run });
  const ask = (operation: string, args: object = {}) =>
    port.call(operation, args, AbortSignal.timeout(15_000));
  const code = async (operation: string, args: object = {}) =>
    ask(operation, args).then(
      () => "ok",
      (error: unknown) => errorCode(error),
    );
  return { programs, ask, code };
}

it("reads a BMC that answers, and hands on no word of what is secret", async () => {
  const { ask, programs } = bench();
  const info = await ask("bmc.info");
  expect(info).toMatchObject({
    controller: { firmware: "2.13" },
    chassis: { power_on: true },
    restart_cause: null,
    incomplete: [],
    hung: false,
  });
  const lan = await ask("bmc.lan");
  expect(lan).toMatchObject({ lan: { address: "192.0.2.10" }, incomplete: [] });
  const sensors = await ask("bmc.sensors");
  expect(sensors).toMatchObject({ sensors: [{ name: "CPU Temp", value: 42 }], incomplete: [] });
  const sel = await ask("bmc.sel", { after: null, state: null, limit: 100 });
  expect(sel).toMatchObject({ entries: 10, records: { length: 10 }, last: { id: 0x1c }, gap: false });
  expect(JSON.stringify([info, lan, sensors, sel])).not.toMatch(/public|community/i);
  expect(programs.environments().every((env) => JSON.stringify(env) === '{"TZ":"UTC"}')).toBe(true);
});

it("gives only what is newer, nothing when the log is as it was, and says when it began anew", async () => {
  const { ask, programs } = bench();
  const known = { id: 0x18, at: "2026-11-20T10:13:07Z", uptime_s: null };
  const first = (await ask("bmc.sel", { after: known, state: null, limit: 100 })) as { state: string };
  expect(first).toMatchObject({ records: [{ id: 0x19 }, { id: 0x1a }, { id: 0x1b }, { id: 0x1c }] });
  const calls = programs.calls().length;
  expect(await ask("bmc.sel", { after: known, state: first.state, limit: 100 })).toMatchObject({
    unchanged: true,
    records: [],
  });
  expect(programs.calls().slice(calls)).toEqual(["sel info"]);
  const other = { ...known, at: "2020-01-01T00:00:00Z" };
  expect(await ask("bmc.sel", { after: other, state: null, limit: 100 })).toMatchObject({
    restarted: true,
    records: { length: 10 },
  });
  expect(await ask("bmc.sel", { after: null, state: null, limit: 1 })).toMatchObject({
    gap: true,
    last: { id: 0x1c },
  });
});

it("knows an empty log, which ipmitool says on stderr", async () => {
  const { ask } = bench({
    "sel info": { stdout: bmcFixture("qemu-sel-info.txt") },
    "-c sel elist last 100": { stderr: bmcFixture("qemu-sel-elist.err") },
  });
  const args = { after: { id: 3, at: null, uptime_s: null }, state: null, limit: 100 };
  expect(await ask("bmc.sel", args)).toMatchObject({ entries: 0, records: [], last: null, restarted: true });
});

it("takes a board without a LAN channel for what it is", async () => {
  const { ask } = bench({ "lan print": { stderr: bmcFixture("qemu-lan-print.err"), status: 1 } });
  expect(await ask("bmc.lan")).toEqual({ lan: null, incomplete: [], hung: false });
});

it("keeps half an answer", async () => {
  const half = bmcFixture("sim-lan-print.txt").split("MAC Address")[0] as string;
  const { ask } = bench({
    "lan print": { stdout: half, status: 1 },
    "chassis status": { stderr: "Error sending Chassis Status command", status: 1 },
    "-c sdr elist": { stdout: "CPU Temp,42,degrees C,ok\nFAN1,4200,RP", status: 1 },
  });
  expect(await ask("bmc.lan")).toMatchObject({ lan: { address: "192.0.2.10" }, incomplete: ["lan print"] });
  expect(await ask("bmc.info")).toMatchObject({ chassis: null, incomplete: ["chassis status"] });
  expect(await ask("bmc.sensors")).toMatchObject({ sensors: { length: 1 }, incomplete: ["sdr elist"] });
});

it("does not take half a log for one that began anew", async () => {
  const half = bmcFixture("sim-sel-csv.txt").split("\n").slice(0, 3).join("\n");
  const { ask } = bench({ "-c sel elist last 100": { stdout: half, status: 1 } });
  const args = { after: { id: 0x1c, at: null, uptime_s: null }, state: null, limit: 100 };
  expect(await ask("bmc.sel", args)).toMatchObject({
    records: [],
    restarted: false,
    last: null,
    state: "-",
    incomplete: ["sel elist"],
  });
});

it("keeps what a hanging BMC said before, and asks it nothing more", async () => {
  const { ask, programs } = bench({ "chassis status": { stdout: "System Power : on\n", hangs: true } });
  expect(await ask("bmc.info")).toMatchObject({
    controller: { firmware: "2.13" },
    chassis: { power_on: true },
    incomplete: ["chassis status", "chassis restart_cause"],
    hung: true,
  });
  expect(programs.calls()).toEqual(["mc info", "chassis status"]);
});

it("says so when a BMC hangs from the start, whatever is asked", async () => {
  const { code, programs } = bench();
  programs.put("ipmitool", "trap '' TERM; while :; do sleep 60; done", { hangs: () => true });
  for (const [operation, args] of READINGS) expect(await code(operation, args)).toBe("bmc_hang");
});

it("asks one BMC call at a time", async () => {
  const { programs, ask } = bench();
  const two = join(programs.folder, "two");
  programs.put(
    "ipmitool",
    `if ! mkdir '${programs.folder}/busy' 2>/dev/null; then echo > '${two}'; fi
     sleep 0.05; rmdir '${programs.folder}/busy'; cat <<'END'\n${bmcFixture("sim-mc-info.txt")}END`,
  );
  await Promise.all([ask("bmc.info"), ask("bmc.info"), ask("bmc.info")]);
  expect(existsSync(two)).toBe(false);
  expect(programs.calls()).toHaveLength(9);
});

it.each([
  ["garbage", "printf 'GIF89a\\001\\002 : \\377\\n,,,\\n'"],
  ["endless output", "exec yes 'SNMP Community String : public'"],
  ["nothing at all", "exit 0"],
])("gives no data for %s", async (_what, script) => {
  const { code, programs } = bench();
  programs.put("ipmitool", script);
  for (const [operation, args] of READINGS) {
    // An empty sensor repository looks just like nothing.
    const isEmpty = script === "exit 0" && operation === "bmc.sensors";
    expect(await code(operation, args)).toBe(isEmpty ? "ok" : "bmc_no_answer");
  }
});

it("tells no rights, no device and no ipmitool apart", async () => {
  const denied = bench({}, BMC_TREE, { "/dev/ipmi0": "EACCES" });
  const missing = bench({}, { files: {} });
  const { code, programs } = bench();
  const refused = bench({ "mc info": { stderr: bmcFixture("no-rights.err"), status: 1 } });
  expect(await refused.code("bmc.info")).toBe("bmc_device_missing");
  programs.put("ipmitool", "exit 0", { mode: 0o644 });
  for (const [operation, args] of READINGS) {
    expect(await denied.code(operation, args)).toBe("bmc_not_allowed");
    expect(await missing.code(operation, args)).toBe("bmc_device_missing");
    expect(await code(operation, args)).toBe("bmc_not_allowed");
  }
  expect([denied, missing].flatMap((one) => one.programs.calls())).toEqual([]);
  const bare = fakePrograms();
  const port = operationsPort(ALL, { files: openFiles(layTree(BMC_TREE)), run: bare.run });
  await expect(port.call("bmc.info", {}, AbortSignal.timeout(5_000))).rejects.toMatchObject({
    code: "bmc_ipmitool_missing",
    nextStep: "apt-get install ipmitool",
  });
});

it("takes no host, no file and no command as argument", async () => {
  const { code, programs } = bench();
  const strange: readonly [string, object][] = [
    ["bmc.info", { target: { host: "192.0.2.1" } }],
    ["bmc.lan", { channel: 1 }],
    ["bmc.sel", { after: null, state: null, limit: 100_000 }],
    ["bmc.sel", { after: { id: "1; reboot", at: null, uptime_s: null }, state: null, limit: 1 }],
    ["bmc.sel", { after: null, state: null, limit: 1, password_file: "/etc/shadow" }],
  ];
  for (const [operation, args] of strange) expect(await code(operation, args)).toBe("helper_refused");
  expect(programs.calls()).toEqual([]);
});
