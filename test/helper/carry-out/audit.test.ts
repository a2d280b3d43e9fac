/** The audit trail of a helper whose client does all it can to push a line out of it. */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { auditText } from "../../../src/helper/carry-out/audit.ts";
import { appendLine, MAX_FILE_BYTES, olderFile } from "../../../src/helper/carry-out/audit-file.ts";
import { openAuditTrail } from "../../../src/helper/carry-out/audit-trail.ts";
import { cutTo } from "../../../src/model/text/scrub.ts";
import { hostClock } from "../../../src/system/clock.ts";
import { repeat } from "../../support/budget.ts";
import {
  actingOperation,
  ask,
  type HelperHouse,
  helperHouse,
  testHelper,
} from "../../support/helper/helper.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";

const POLICY = '[allow]\nlocal = ["smart_test", "locate"]\n';
const local = { source: "local" };

function lines(house: HelperHouse, name: string): Record<string, unknown>[] {
  const text = readFileSync(join(house.stateFolder, "audit", `${name}.log`), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

function bytesIn(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

describe("tens of thousands of refused requests through the real socket", () => {
  it("push out no act: the record of it stays, is bounded, and the journal gets few lines", async () => {
    const house = helperHouse(POLICY);
    const acts: string[] = [];
    const moreOperations = [
      actingOperation("act", "smart_test", acts),
      actingOperation("no", "reboot", acts),
    ];
    const { server, lines: journal } = await testHelper(house, { moreOperations });
    expect(await ask(house.socket, { operation: "act", id: "cmd_real", ...local })).toBe("ok");
    const before = journal().length;
    const batch = 50;
    const answers = new Set<string>();
    const flood = async (index: number): Promise<void> => {
      const calls = Array.from({ length: batch }, (_, i) => {
        const nth = index * batch + i;
        const over = [
          { operation: "no", id: `id_${nth}`, ...local },
          { operation: "act", id: `id_${nth}`, source: `s${nth}` },
          { operation: `op_${nth}` },
          { args: { [`key_${nth}`]: "x".repeat(2_000) } },
        ];
        return ask(house.socket, over[nth % over.length]);
      });
      for (const answer of await Promise.all(calls)) answers.add(answer);
    };
    const done = await repeat(50_000 / batch, flood, { budgetMs: 30_000 });
    expect([done > 0, [...answers], acts]).toEqual([true, ["helper_refused"], ["act"]]);
    await server.close();
    const minutes = 2 + done / 1_000; // far more than it takes
    expect(journal().length - before).toBeLessThan(42 * minutes);
    expect(lines(house, "smart_test").map(({ id, outcome }) => [id, outcome])).toEqual([
      ["cmd_real", "begun"],
      ["cmd_real", "ok"],
    ]);
    expect(bytesIn(join(house.stateFolder, "audit"))).toBeLessThan(4 * MAX_FILE_BYTES);
    const counted = journal().flatMap((line) => (line.includes('"more"') ? [JSON.parse(line.slice(3))] : []));
    const told = journal().length - before - counted.length;
    expect(counted.reduce((sum, { more }) => sum + more, told)).toBe(done * batch);
    expect(counted[0].message).toMatch(
      /^and \d+ more (?:of these|calls that were refused otherwise) in the last minute$/,
    );
  });
});

describe("what was changed", () => {
  it("is on disk before it is done, with what came of it, in a file of root's alone", async () => {
    const house = helperHouse(POLICY);
    const seen: unknown[] = [];
    const act = actingOperation("act", "smart_test", [], async () => {
      seen.push(...lines(house, "smart_test"));
      throw new Error("no");
    });
    await testHelper(house, { moreOperations: [act] });
    expect(await ask(house.socket, { operation: "act", id: "cmd_1", ...local })).toBe("helper_failed");
    expect(seen).toMatchObject([{ audit: "act", id: "cmd_1", source: "local", outcome: "begun" }]);
    expect(lines(house, "smart_test")).toMatchObject([{ outcome: "begun" }, { outcome: "helper_failed" }]);
    const folder = join(house.stateFolder, "audit");
    expect([statSync(folder).mode & 0o777, statSync(join(folder, "smart_test.log")).mode & 0o777]).toEqual([
      0o700, 0o600,
    ]);
  });

  it("is not done when it can't be written down, and says which file", async () => {
    const house = helperHouse(POLICY);
    const acts: string[] = [];
    await testHelper(house, { moreOperations: [actingOperation("act", "smart_test", acts)] });
    mkdirSync(join(house.stateFolder, "audit", "smart_test.log"), { recursive: true });
    expect(await ask(house.socket, { operation: "act", id: "cmd_1", ...local })).toBe("record_unusable");
    expect(acts).toEqual([]);
    rmSync(join(house.stateFolder, "audit"), { recursive: true });
    writeFileSync(join(house.stateFolder, "audit"), "");
    expect(await ask(house.socket, { operation: "act", id: "cmd_2", ...local })).toBe("record_unusable");
    expect(acts).toEqual([]);
  });

  it("of one word is not pushed out by another, however often that is done", async () => {
    const house = helperHouse(POLICY);
    const trail = openAuditTrail({
      stateFolder: house.stateFolder,
      clock: hostClock(),
      tell: () => undefined,
    });
    const request = {
      ...{ id: "cmd_1", operation: "x", args: {}, deadlineMs: 1, underWayMs: 0 },
      ...{ source: "local", signed: null },
    };
    const entry = { request, peer: null, message: null, durationMs: 0 };
    trail.note({ ...entry, outcome: "begun", act: "reboot" });
    for (let i = 0; i < 3_000; i++)
      trail.note({ ...entry, outcome: "ok", message: "y".repeat(200), act: "locate" });
    expect(lines(house, "reboot")).toHaveLength(1);
    expect(bytesIn(join(house.stateFolder, "audit"))).toBeLessThan(2 * MAX_FILE_BYTES + 1_000);
  });

  it("asked for again under its id, it is an answer and not another act", async () => {
    const house = helperHouse(POLICY);
    await testHelper(house, { moreOperations: [actingOperation("act", "smart_test", [])] });
    for (let i = 0; i < 20; i++) await ask(house.socket, { operation: "act", id: "cmd_1", ...local });
    expect(lines(house, "smart_test")).toHaveLength(2);
  });
});

it("what was only read is in the journal, counted where it is the same, and in no file", async () => {
  const house = helperHouse(POLICY);
  const { journal, server } = await testHelper(house).then((one) => ({ ...one, journal: one.lines }));
  for (let i = 0; i < 10; i++) expect(await ask(house.socket, { id: `r${i}` })).toBe("ok");
  expect(journal()).toHaveLength(1);
  await server.close();
  expect(JSON.parse(journal()[1]?.slice(3) ?? "")).toMatchObject({ audit: "noop", outcome: "ok", more: 9 });
  expect(readdirSync(house.stateFolder)).toEqual([]);
});

it("a round over a hundred drives is one line and a count; one that fails among them is told by itself", () => {
  const told: string[] = [];
  const tell = (_priority: number, text: string): number => told.push(text);
  const trail = openAuditTrail({ stateFolder: temporaryFolder(), clock: hostClock(), tell });
  for (let disk = 0; disk < 100; disk++)
    trail.note({
      request: {
        operation: "smart.read",
        id: "r",
        source: null,
        args: { device: `sd${disk}` },
        signed: null,
        deadlineMs: 1_000,
        underWayMs: 0,
      },
      isRead: true,
      peer: { pid: 1, uid: 990, gid: 990 },
      outcome: disk === 7 ? "helper_timeout" : "ok",
      message: null,
      durationMs: 3,
    });
  trail.close();
  const short = told
    .map((text) => JSON.parse(text))
    .map(({ outcome, args, more }) => [outcome, args?.device, more]);
  expect(short).toEqual([
    ["ok", "sd0", undefined],
    ["helper_timeout", "sd7", undefined],
    ["ok", undefined, 98],
  ]);
});

it("reads of many drives hide no other read, no failure of another, and no refusal; neither do refusals hide reads", () => {
  const told: string[] = [];
  const stateFolder = temporaryFolder();
  const trail = openAuditTrail({
    stateFolder,
    clock: hostClock(),
    tell: (_priority, text) => told.push(text),
  });
  const common = { peer: { pid: 1, uid: 990, gid: 990 }, message: null, durationMs: 3 };
  const request = { id: "r", source: null, signed: null, deadlineMs: 1_000, underWayMs: 0 };
  const read = (operation: string, outcome: string, device = "sda"): void =>
    trail.note({
      ...{ ...common, outcome, isRead: true },
      request: { ...request, operation, args: { device } },
    });
  const refused = (outcome: string): void => trail.note({ ...common, request: null, outcome });
  for (let disk = 0; disk < 36; disk++) read("smart.read", "helper_timeout", `sd${disk}`);
  for (let nth = 0; nth < 100; nth++) refused(`code_${nth}`);
  for (let disk = 0; disk < 36; disk++) read("smart.read", "ok", `sd${disk}`);
  read("bmc.read", "ok");
  read("lldp.read", "helper_failed");
  const kinds = () => told.map((text) => JSON.parse(text)).map(({ audit, outcome }) => `${audit} ${outcome}`);
  expect(kinds().slice(-3)).toEqual(["smart.read ok", "bmc.read ok", "lldp.read helper_failed"]);
  expect(kinds().filter((kind) => kind.startsWith("null code_"))).toHaveLength(20);
  trail.close();
  const counts = told.map((text) => JSON.parse(text)).flatMap(({ more, message }) => (more ? [message] : []));
  expect(counts).toEqual([
    "and 35 more of these in the last minute",
    "and 15 more reads that failed otherwise in the last minute",
    "and 80 more calls that were refused otherwise in the last minute",
  ]);
});

it("two clients are counted apart: who is loud does not silence the other", () => {
  const told: string[] = [];
  const clock = hostClock();
  const stateFolder = temporaryFolder();
  const trail = openAuditTrail({ stateFolder, clock, tell: (_priority, text) => told.push(text) });
  const from = (uid: number, outcome: string): void =>
    trail.note({ request: null, peer: { pid: 1, uid, gid: 1 }, outcome, message: "no", durationMs: 0 });
  for (let i = 0; i < 10_000; i++) from(990, `code_${i}`);
  from(0, "helper_protocol");
  expect(told).toHaveLength(21);
  expect(told.at(-1)).toContain('"uid":0');
  for (let uid = 1_000; uid < 2_000; uid++) for (let i = 0; i < 30; i++) from(uid, `code_${i}`);
  expect(told.length).toBeLessThanOrEqual(10 * 20);
});

it("a file is never longer than its bound, and what was before it is kept once", () => {
  const path = join(temporaryFolder(), "new", "a.log");
  for (let i = 0; i < 5_000; i++) appendLine(path, `${i} ${"x".repeat(90)}`, false);
  for (const file of [path, olderFile(path)]) {
    expect(statSync(file).size).toBeLessThanOrEqual(MAX_FILE_BYTES);
    expect(readFileSync(file, "utf8").split("\n")[0]).toMatch(/^\d+ x+$/);
  }
  expect(readFileSync(path, "utf8")).toContain("\n4999 ");
});

describe("arguments of a client", () => {
  const shown = (args: Record<string, unknown>): string => {
    const request = {
      id: "i",
      operation: "x",
      args,
      deadlineMs: 1,
      underWayMs: 0,
      source: null,
      signed: null,
    };
    const text = auditText({ request, peer: null, outcome: "helper_refused", message: null, durationMs: 0 });
    expect(text).toMatch(/^[\x20-\x7e]+$/);
    const { args: found } = JSON.parse(text);
    return typeof found === "string" ? found : JSON.stringify(found);
  };

  it("are cut to 200 characters, none of them in two", () => {
    for (const filler of ["x", "\u00e9", "\u{1f600}", "\u202e", "\n", "\0", "\ud800", '"', "\\"]) {
      const found = shown({ a: filler.repeat(150_000) });
      expect([filler, [...found].length]).toEqual([filler, 203]);
      // What was whole is whole: no half of a pair stands at the end.
      if (filler === "\u{1f600}") expect(found.isWellFormed()).toBe(true);
    }
    expect(shown({ a: "short" })).toBe('{"a":"short"}');
  });

  it("cut anywhere, a text is no longer than asked for", () => {
    for (let length = 0; length < 8; length++) {
      const text = "a\u{1f600}b\u{1f600}\u{1f600}c";
      expect([...cutTo(length, text)].length).toBeLessThanOrEqual(length + 3);
      expect(cutTo(length, text).isWellFormed()).toBe(true);
    }
  });
});
