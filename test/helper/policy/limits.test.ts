import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type LimitsRecord, openLimits } from "../../../src/helper/policy/limits.ts";
import { agedRecord, type RecordFile } from "../../../src/helper/policy/record-file.ts";
import { hasRoom } from "../../../src/helper/policy/record-room.ts";
import { POLICY_WORDS } from "../../../src/helper/policy/words.ts";
import { errorCode } from "../../../src/model/errors.ts";
import { openFiles } from "../../../src/system/files.ts";
import { forAll } from "../../support/for-all.ts";
import { layTree, temporaryFolder } from "../../support/machine/tree.ts";

const UID = process.geteuid?.() ?? 0;
const MINUTE = 60_000;
const REBOOT = { minutesApart: 30, aDay: 3 };

/** A machine whose boot and uptime are set by hand, and a record on it that is opened anew for each look. */
function machine() {
  const root = layTree({ files: { "/proc/uptime": "0 0", "/proc/sys/kernel/random/boot_id": "b1" } });
  const folder = temporaryFolder();
  const path = join(folder, "done.json");
  return {
    path,
    folder,
    root,
    at(boot: string, minutes: number): LimitsRecord {
      writeFileSync(join(root, "proc/uptime"), `${minutes * 60}.25 1.00\n`);
      writeFileSync(join(root, "proc/sys/kernel/random/boot_id"), `${boot}\n`);
      return openLimits({ path, files: openFiles(root), owner: UID });
    },
  };
}
const begin = (record: LimitsRecord, id: string, at = 0): void =>
  record.begin({ id, word: "reboot", operation: "reboot", source: "nodefoundry", at });
const codeOf = (work: () => unknown): string => {
  try {
    work();
    return "fine";
  } catch (error) {
    return errorCode(error);
  }
};

describe("limits", () => {
  it("30 minutes apart, over a reboot, by uptime only", () => {
    const host = machine();
    begin(host.at("b1", 100), "a");
    expect(codeOf(() => host.at("b1", 129).check("reboot", REBOOT, "nodefoundry"))).toBe("helper_refused");
    expect(codeOf(() => host.at("b1", 130).check("reboot", REBOOT, "nodefoundry"))).toBe("fine");
    expect(codeOf(() => host.at("b1", 129).check("locate", REBOOT, "nodefoundry"))).toBe("fine");
    expect(codeOf(() => host.at("b2", 29).check("reboot", REBOOT, "nodefoundry"))).toBe("helper_refused");
    expect(codeOf(() => host.at("b2", 30).check("reboot", REBOOT, "nodefoundry"))).toBe("fine");
  });

  it("three in 24 hours of being on; a clock that jumps by years changes nothing", () => {
    const host = machine();
    for (const [boot, id, wall] of [
      ["b1", "a", 0],
      ["b2", "b", 4e12],
      ["b3", "c", -4e12],
    ] as const)
      begin(host.at(boot, 40), id, wall);
    expect(() => host.at("b4", 40).check("reboot", REBOOT, "nodefoundry")).toThrow(
      "3 times reboot in 24 hours",
    );
    // The first is as old as the boots since have lasted: 40 minutes in b2, 40 in b3, and this one.
    expect(codeOf(() => host.at("b4", 24 * 60 - 81).check("reboot", REBOOT, "nodefoundry"))).toBe(
      "helper_refused",
    );
    expect(codeOf(() => host.at("b4", 24 * 60 - 79).check("reboot", REBOOT, "nodefoundry"))).toBe("fine");
  });

  it("what the network did counts for the network; this host has its own, and what it did counts for both", () => {
    const host = machine();
    for (const [minutes, id] of [
      [100, "a"],
      [140, "b"],
      [180, "c"],
    ] as const)
      begin(host.at("b1", minutes), id);
    expect(codeOf(() => host.at("b1", 220).check("reboot", REBOOT, "nodefoundry"))).toBe("helper_refused");
    expect(codeOf(() => host.at("b1", 220).check("reboot", REBOOT, "other"))).toBe("helper_refused");
    for (const [minutes, id] of [
      [181, "d"],
      [221, "e"],
      [261, "f"],
    ] as const) {
      const record = host.at("b1", minutes);
      expect(codeOf(() => record.check("reboot", REBOOT, "local"))).toBe("fine");
      record.begin({ id, word: "reboot", operation: "reboot", source: "local", at: 0 });
    }
    expect(codeOf(() => host.at("b1", 301).check("reboot", REBOOT, "local"))).toBe("helper_refused");
    // By then but one of the network's own are a day old, and none of this host's.
    expect(codeOf(() => host.at("b1", 24 * 60 + 170).check("reboot", REBOOT, "nodefoundry"))).toBe(
      "helper_refused",
    );
  });

  it("of an older record, which does not say who asked, all counts for both", () => {
    const host = machine();
    begin(host.at("b1", 100), "a");
    const old = JSON.parse(readFileSync(host.path, "utf8"));
    delete old.entries[0].source;
    writeFileSync(host.path, JSON.stringify(old));
    expect(codeOf(() => host.at("b1", 110).check("reboot", REBOOT, "local"))).toBe("helper_refused");
  });

  it("uptime that is noted counts after the next boot", () => {
    const host = machine();
    for (const id of ["a", "b", "c"]) begin(host.at("b1", 0), id);
    host.at("b1", 23 * 60).note();
    expect(codeOf(() => host.at("b2", 59).check("reboot", REBOOT, "nodefoundry"))).toBe("helper_refused");
    expect(codeOf(() => host.at("b2", 61).check("reboot", REBOOT, "nodefoundry"))).toBe("fine");
  });

  it("is written at most once an hour for the time alone, and never without an entry", () => {
    const host = machine();
    host.at("b1", 600).note();
    expect(existsSync(host.path)).toBe(false);
    begin(host.at("b1", 600), "a");
    const before = readFileSync(host.path, "utf8");
    host.at("b1", 659).note();
    expect(readFileSync(host.path, "utf8")).toBe(before);
    host.at("b1", 661).note();
    expect(JSON.parse(readFileSync(host.path, "utf8")).entries[0].age_ms).toBe(61 * MINUTE);
    host.at("b2", 1).note();
    expect(JSON.parse(readFileSync(host.path, "utf8"))).toMatchObject({
      boot_id: "b2",
      entries: [{ age_ms: 62 * MINUTE + 250 }],
    });
  });

  it("no more than the limit in any 24 hours of real time, whatever boots, waits and clocks there are", () => {
    const step = fc.record({
      act: fc.boolean(),
      minutes: fc.integer({ min: 1, max: 600 }),
      off: fc.option(fc.integer({ min: 1, max: 5_000 }), { nil: null }),
      noted: fc.boolean(),
      wall: fc.integer(),
    });
    const host = machine();
    forAll(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        writeFileSync(host.path, JSON.stringify({ v: 1, boot_id: "x", uptime_ms: 0, entries: [] }));
        const done: number[] = [];
        let [now, uptime, boot] = [0, 0, 0];
        for (const [index, { act, minutes, off, noted, wall }] of steps.entries()) {
          now += minutes;
          uptime += minutes;
          if (off !== null) {
            now += off;
            uptime = 0;
            boot++;
          }
          const record = host.at(`b${boot}`, uptime);
          if (noted) record.note();
          if (!act || codeOf(() => record.check("reboot", REBOOT, "nodefoundry")) !== "fine") continue;
          begin(record, `id${index}`, wall);
          expect(done.filter((at) => now - at < 30)).toEqual([]);
          expect(done.filter((at) => now - at < 24 * 60).length).toBeLessThan(3);
          done.push(now);
        }
      }),
      { seed: 20_261_121, cases: 100 },
    );
  });
});

describe("the record", () => {
  it("knows what an id came to", () => {
    const host = machine();
    const record = host.at("b1", 1);
    expect(record.outcome("a")).toBeNull();
    begin(record, "a");
    expect(record.outcome("a")).toEqual({ state: "begun" });
    expect(codeOf(() => begin(record, "a"))).toBe("helper_refused");
    record.end("a", { state: "done", result: { x: 1 } });
    expect(host.at("b7", 1).outcome("a")).toEqual({ state: "done", result: { x: 1 } });
    begin(record, "b");
    const error = { code: "no", message: "It failed", next_step: null };
    record.end("b", { state: "failed", error });
    expect(record.outcome("b")).toEqual({ state: "failed", error });
    begin(record, "c");
    record.withdraw("c");
    expect(record.outcome("c")).toBeNull();
    begin(record, "d");
    record.end("d", { state: "done", result: "x".repeat(5_000) });
    expect(record.outcome("d")).toEqual({ state: "done", result: null });
  });

  /** A record that was filled with one word as far as it goes, every entry as long as can be; by the day. */
  function filled(
    host: ReturnType<typeof machine>,
    words: readonly string[],
    source: string,
    ageMs = 0,
  ): void {
    const error = { code: "no", message: "x".repeat(300), next_step: "y".repeat(300) };
    const entries = Array.from({ length: 3_900 }, (_, i) => ({
      id: `${"i".repeat(120)}${i}`,
      word: words[i % words.length],
      operation: "act",
      source,
      age_ms: ageMs,
      begun_at: "1970-01-01T00:00:00.000Z",
      outcome: i < 3_800 ? { state: "failed", error } : { state: "begun" },
    }));
    writeFileSync(host.path, JSON.stringify({ v: 1, boot_id: "b1", uptime_ms: 0, entries }));
  }

  it("takes no more of a word before it grows too long to be read, and still takes the outcomes", () => {
    const host = machine();
    filled(host, ["reboot"], "nodefoundry");
    const record = host.at("b1", 1);
    expect(() => begin(record, "new")).toThrow("is full for reboot");
    expect(record.noRoom("reboot", "nodefoundry")?.message).toContain("is full for reboot");
    const last = `${"i".repeat(120)}3899`;
    record.end(last, { state: "failed", error: { code: "no", message: "x".repeat(1_000), next_step: null } });
    expect(record.outcome(last)).toEqual({
      state: "failed",
      error: { code: "no", message: "x".repeat(300), next_step: null },
    });
  });

  it("is never full for one word, or for this host, because of another", () => {
    const host = machine();
    const others = POLICY_WORDS.filter((word) => word !== "reboot");
    filled(host, others, "nodefoundry");
    const record = host.at("b1", 1);
    for (const source of ["local", "nodefoundry"])
      for (let i = 0; i < 93; i++)
        record.begin({ id: `${source}${i}`, word: "reboot", operation: "reboot", source, at: 0 });
    for (const word of others) expect(record.noRoom(word, "local")).toBeNull();
    expect(record.outcome("local92")).toEqual({ state: "begun" });
  });

  it("lets go of details of what is older than a day before it refuses anything, and of no id", () => {
    const host = machine();
    filled(host, ["locate"], "nodefoundry", 2 * 86_400_000);
    const record = host.at("b1", 1);
    record.begin({ id: "new", word: "locate", operation: "drive.locate", source: "nodefoundry", at: 0 });
    expect(record.outcome("new")).toEqual({ state: "begun" });
    expect(record.outcome(`${"i".repeat(120)}0`)).toEqual({
      state: "failed",
      error: { code: "no", message: "x".repeat(60), next_step: null },
    });
    expect(record.outcome(`${"i".repeat(120)}3899`)).toEqual({ state: "begun" });
  });

  it("stays readable whatever is asked: a month of every word from both sides, at any limit", () => {
    const host = machine();
    filled(host, [...POLICY_WORDS], "nodefoundry");
    const { entries, ...rest } = JSON.parse(readFileSync(host.path, "utf8")) as RecordFile;
    const sides = ["nodefoundry", "local"];
    const kept: RecordFile["entries"] = [];
    let refused = 0;
    for (let i = 0; i < 6_000; i++) {
      const source = sides[i % 2] ?? "";
      const one = {
        ...(entries[i % entries.length] as (typeof entries)[number]),
        id: `${i}`.padEnd(128, "i"),
        source,
      };
      // Measured now and then: the rule is the same for each.
      if (i % 50 === 0) refused = hasRoom(kept, one.word, source) ? 0 : refused + 1;
      if (refused === 0) kept.push(one);
    }
    expect(refused).toBeGreaterThan(0);
    writeFileSync(host.path, JSON.stringify({ ...rest, entries: kept }));
    expect(codeOf(() => host.at("b1", 1).outcome("x"))).toBe("fine");
  });

  it("forgets after 30 days of being on, not of the clock", () => {
    const file: RecordFile = {
      v: 1,
      boot_id: "b1",
      uptime_ms: 0,
      entries: [
        {
          id: "a",
          word: "reboot",
          operation: "reboot",
          age_ms: 0,
          begun_at: "1970-01-01T00:00:00Z",
          outcome: { state: "begun" },
        },
      ],
    };
    const day = 86_400_000;
    expect(agedRecord(file, { bootId: "b2", uptimeMs: 30 * day - 1 }).entries).toHaveLength(1);
    expect(agedRecord(file, { bootId: "b1", uptimeMs: 30 * day }).entries).toHaveLength(0);
    // An uptime that went backwards in one boot (a restored checkpoint) makes nothing younger.
    expect(agedRecord({ ...file, uptime_ms: day }, { bootId: "b1", uptimeMs: 5 }).entries[0]?.age_ms).toBe(0);
  });

  it.each([
    ["empty", ""],
    ["cut off", '{"v":1,"boot_id":"b1","upt'],
    ["zeros, as a power cut leaves them", "\0".repeat(512)],
    ["another version", '{"v":2,"boot_id":"b1","uptime_ms":0,"entries":[]}'],
    ["with an entry it can't know", '{"v":1,"boot_id":"b1","uptime_ms":0,"entries":[{"id":"a"}]}'],
    ["negative ages", '{"v":1,"boot_id":"b1","uptime_ms":-1,"entries":[]}'],
    ["no text", Buffer.from([0x7b, 0xff])],
  ])("%s: nothing is done, and it is left as it is", (_name, content) => {
    const host = machine();
    writeFileSync(host.path, content);
    const record = host.at("b1", 1);
    const works = [
      () => record.outcome("a"),
      () => record.check("reboot", REBOOT, "nodefoundry"),
      () => begin(record, "a"),
      () => record.end("a", { state: "done", result: 1 }),
      () => record.note(),
    ];
    for (const work of works) expect(codeOf(work)).toBe("record_unusable");
    expect(readFileSync(host.path)).toEqual(Buffer.from(content as string));
  });

  it("that others could have written, or that can't be written, is not used", () => {
    const host = machine();
    begin(host.at("b1", 1), "a");
    chmodSync(host.path, 0o666);
    expect(codeOf(() => host.at("b1", 1).outcome("a"))).toBe("record_unusable");
    chmodSync(host.path, 0o600);
    chmodSync(host.folder, 0o777);
    expect(codeOf(() => host.at("b1", 1).outcome("a"))).toBe("record_unusable");
    const none = machine();
    mkdirSync(`${none.path}.new`);
    expect(codeOf(() => begin(none.at("b1", 1), "a"))).toBe("record_unusable");
    expect(existsSync(none.path)).toBe(false);
  });

  it("without a boot id or uptime there is no way to tell ages", () => {
    const host = machine();
    const record = host.at("b1", 1);
    writeFileSync(join(host.root, "proc/uptime"), "soon");
    expect(codeOf(() => record.check("reboot", REBOOT, "nodefoundry"))).toBe("record_unusable");
  });
});
