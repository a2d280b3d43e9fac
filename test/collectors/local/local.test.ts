import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isNoData } from "../../../src/collectors/collector.ts";
import { FACTS_FOLDER, localCollector, parseFact } from "../../../src/collectors/local/local.ts";
import type { Local } from "../../../src/collectors/local/shown.ts";
import { openFiles } from "../../../src/system/files.ts";
import { hostMachine, type Machine } from "../../../src/system/machine.ts";
import { forAll } from "../../support/for-all.ts";
import { collectContext, temporaryFolder } from "../../support/machine/tree.ts";
import { collectMachine, conditionCodes, metricLines } from "../../support/text/shape.ts";

/** A machine with these facts, its user being the one who runs the test. */
function machineWith(
  facts: Record<string, string>,
  errors: Record<string, string> = {},
): { machine: Machine; at(file: string): string } {
  const root = temporaryFolder();
  const at = (file: string): string => join(root, FACTS_FOLDER, file);
  mkdirSync(at("."), { recursive: true, mode: 0o755 });
  for (const [file, text] of Object.entries(facts)) writeFileSync(at(file), text, { mode: 0o644 });
  return { machine: { ...hostMachine({ root }), files: openFiles(root, errors) }, at };
}

async function problems(machine: Machine): Promise<string[]> {
  const data = await collectMachine(localCollector(), machine);
  return data.problems.map(({ file, code }) => `${file}: ${code}`);
}

test("a site's facts, in the order of their names", async () => {
  const { machine } = machineWith({
    "20-contract.json": '{"number": "C-17", "until": "2027-12-31"}',
    "10-rack.json": '{"rack": "B7", "units": [12, 13], "owner": {"team": "storage"}}',
    "README.txt": "not a fact",
    ".hidden.json": "{",
  });
  const collector = localCollector();
  const data = await collectMachine(collector, machine);
  expect(data).toEqual({
    facts: [
      { name: "10-rack", data: { rack: "B7", units: [12, 13], owner: { team: "storage" } } },
      { name: "20-contract", data: { number: "C-17", until: "2027-12-31" } },
    ],
    problems: [],
  });
  expect(conditionCodes(collector, data)).toEqual([]);
  expect(metricLines(collector, data)).toEqual([
    "foundry_agent_local_fact_problems 0",
    "foundry_agent_local_facts 2",
  ]);
  expect(collector.table?.rows(data, 0)[1]).toEqual([
    "20-contract",
    '{"number":"C-17","until":"2027-12-31"}',
  ]);
});

test.each(["no folder", "an empty folder"])("%s is no data, and says what to do", async (kind) => {
  const machine = kind === "no folder" ? hostMachine({ root: temporaryFolder() }) : machineWith({}).machine;
  const found = await localCollector().collect(collectContext(machine));
  expect(isNoData(found) && found.nextStep).toContain(FACTS_FOLDER);
});

describe("files left out, each named", () => {
  test.each([
    ["half-written", '{"rack": "B', "bad_json"],
    ["empty", "", "bad_json"],
    ["a list", "[1, 2]", "bad_json"],
    ["a text", '"B7"', "bad_json"],
    ["null", "null", "bad_json"],
    ["binary", "\u0000\u0001\ufffd", "bad_json"],
    ["too deep", `${'{"a":'.repeat(9)}1${"}".repeat(9)}`, "bad_json"],
    ["as deep as lists go", `{"a":${"[".repeat(7000)}${"]".repeat(7000)}}`, "bad_json"],
    ["a poisoned key", '{"a": {"__proto__": {"x": 1}}}', "bad_json"],
    ["too big", JSON.stringify({ a: "x".repeat(16 * 1024) }), "too_big"],
  ])("%s", async (_, text, code) => {
    const { machine } = machineWith({ "bad.json": text, "good.json": '{"a": 1}' });
    const collector = localCollector();
    const data = await collectMachine(collector, machine);
    expect(data.problems).toMatchObject([{ file: "bad.json", code }]);
    expect(data.facts).toEqual([{ name: "good", data: { a: 1 } }]);
    expect(conditionCodes(collector, data)).toEqual(["local_fact_ignored(bad.json)"]);
    expect(collector.conditions?.(data)[0]?.nextStep).toContain(`${FACTS_FOLDER}/bad.json`);
  });

  test("one that anybody may write, a link, a folder, a bad name", async () => {
    const { machine, at } = machineWith({ "open.json": "{}", "sp ace.json": "{}" });
    chmodSync(at("open.json"), 0o666);
    writeFileSync(join(dirname(at(".")), "elsewhere.json"), '{"secret": 1}');
    symlinkSync("../elsewhere.json", at("link.json"));
    mkdirSync(at("folder.json"));
    expect(await problems(machine)).toEqual([
      "folder.json: not_a_file",
      "link.json: symbolic_link",
      "open.json: not_trusted",
      "sp?ace.json: bad_name",
    ]);
  });

  test.each(["EACCES", "EIO"])("one that can't be read: %s", async (code) => {
    const { machine } = machineWith({ "a.json": "{}" }, { [`${FACTS_FOLDER}/a.json`]: code });
    expect(await problems(machine)).toEqual(["a.json: not_readable"]);
  });

  test("one of another user", async () => {
    const { machine, at } = machineWith({ "mine.json": "{}" });
    // As root a file can be given away; as anybody else the agent is somebody else than the owner.
    if (machine.uid === 0) {
      chownSync(at("mine.json"), 12_345, 12_345);
      expect(await problems(machine)).toEqual(["mine.json: not_trusted"]);
    } else expect(await problems({ ...machine, uid: 12_345 })).toEqual(["facts.d: not_trusted"]);
  });
});

test("a folder that anybody may write into is not looked into", async () => {
  const { machine, at } = machineWith({ "a.json": "{}" });
  chmodSync(at("."), 0o777);
  expect(await problems(machine)).toEqual(["facts.d: not_trusted"]);
});

test("a folder that may not be looked into is told, a file in its place too", async () => {
  const { machine } = machineWith({ "a.json": "{}" }, { [FACTS_FOLDER]: "EACCES" });
  expect(await problems(machine)).toEqual(["facts.d: not_readable"]);
  const root = temporaryFolder();
  mkdirSync(join(root, dirname(FACTS_FOLDER)), { recursive: true });
  writeFileSync(join(root, FACTS_FOLDER), "");
  expect(await problems(hostMachine({ root }))).toEqual(["facts.d: not_a_folder"]);
});

test("more than 32 files, more than 64 KiB together", async () => {
  const many = Object.fromEntries(
    Array.from({ length: 40 }, (_, i) => [`f${String(i).padStart(2, "0")}.json`, "{}"]),
  );
  const data: Local = await collectMachine(localCollector(), machineWith(many).machine);
  expect(data.facts).toHaveLength(32);
  expect(data.problems).toMatchObject([{ file: "facts.d", code: "too_many" }]);

  const big = JSON.stringify({ a: "x".repeat(15_000) });
  const heavy = Object.fromEntries(["a", "b", "c", "d", "e"].map((name) => [`${name}.json`, big]));
  const found = await collectMachine(localCollector(), machineWith({ ...heavy, "z.json": "{}" }).machine);
  expect(found.problems).toMatchObject([{ file: "e.json", code: "too_big_together" }]);
  expect(found.facts.map(({ name }) => name)).toEqual(["a", "b", "c", "d", "z"]);
});

test("any text is an object as JSON has it, or a sentence", () => {
  forAll(
    fc.property(fc.oneof(fc.string(), fc.json({ maxDepth: 12 })), (text) => {
      const found = parseFact(text);
      if (typeof found === "string") expect(found).toMatch(/^it /);
      else expect(JSON.parse(text)).toEqual(found);
    }),
    { seed: 37, cases: 1000 },
  );
});

describe("what not everybody may read", () => {
  const secret = '{"contract": "CANARY-17"}';
  async function seen(
    close: (at: (file: string) => string) => void,
  ): Promise<{ whole: Local; others: Local }> {
    const { machine, at } = machineWith({ "10-open.json": '{"rack": "B7"}', "20-closed.json": secret });
    close(at);
    const collector = localCollector();
    const whole = await collectMachine(collector, machine);
    return { whole, others: collector.others?.(whole) as Local };
  }

  test("is shown to others as what it is, with why", async () => {
    const { whole, others } = await seen((at) => chmodSync(at("20-closed.json"), 0o640));
    expect(whole.facts[1]).toEqual({ name: "20-closed", data: { contract: "CANARY-17" }, closed: true });
    expect(others).toEqual({
      facts: [
        { name: "10-open", data: { rack: "B7" } },
        {
          name: "20-closed",
          data: null,
          closed: true,
          hidden: "Its file may not be read by everybody, so it is shown on control.sock only.",
        },
      ],
      problems: [],
    });
    expect(localCollector().table?.rows(others, 0)[1]).toEqual([
      "20-closed",
      "Its file may not be read by everybody, so it is shown on control.sock only.",
    ]);
  });

  test.each([
    ["the folder", "."],
    ["a folder above it", ".."],
    ["/etc", "../.."],
  ])("is closed by %s too, and then its name is nobody's business", async (_what, folder) => {
    const { others } = await seen((at) => chmodSync(at(folder), 0o750));
    expect(others.facts.map(({ name, data }) => [name, data])).toEqual([
      ["fact 1", null],
      ["fact 2", null],
    ]);
    expect(JSON.stringify(others)).not.toMatch(/CANARY|20-closed|B7/);
  });

  test("a folder that can be entered but not listed hides the names and nothing else", async () => {
    const { others } = await seen((at) => chmodSync(at("."), 0o751));
    expect(others.facts.map(({ name, data }) => [name, data])).toEqual([
      ["fact 1", { rack: "B7" }],
      ["fact 2", { contract: "CANARY-17" }],
    ]);
  });

  test("names of files that are left out are in no condition then", async () => {
    const { machine, at } = machineWith({ "CANARY.json": "{" });
    chmodSync(at("."), 0o750);
    const collector = localCollector();
    const data = await collectMachine(collector, machine);
    expect(JSON.stringify(collector.conditions?.(data))).not.toContain("CANARY");
    expect(conditionCodes(collector, data)).toEqual(["local_fact_ignored(file 1)"]);
    expect(JSON.stringify(collector.others?.(data))).not.toContain("CANARY");
  });
});
