/** One drive whole, as people see it, and every sentence that says what to do. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { adviceFor, reasonWords } from "../../../src/cli/drives/advice.ts";
import { numberText, trendLines } from "../../../src/cli/drives/values.ts";
import { displayWidth } from "../../../src/cli/text/table.ts";
import { NO_TREND } from "../../../src/collectors/smart/history.ts";
import type { SmartData } from "../../../src/collectors/smart/schema.ts";
import type { SmartParams } from "../../../src/model/smart.ts";
import { daemon } from "../../support/agent/daemon.ts";
import { overheard, pretendSections } from "../../support/agent/pretend.ts";
import { MEMBER, SERIALS, sectionsOnce } from "../../support/drives/healthy-drives.ts";
import { terminal } from "../../support/text/io.ts";

/** An agent with the drives of healthy-drives.ts, and `smart` of them changed. */
async function healthy(smart?: SmartData) {
  const here = await daemon({ tree: "vm" });
  const sections = await sectionsOnce();
  pretendSections(here.view, {
    ...sections,
    ...(smart === undefined ? {} : { smart: { ...sections.smart, data: smart } }),
  });
  return here;
}
const smartOnce = async () => structuredClone((await sectionsOnce()).smart.data) as SmartData;
const plain = (text: string): string => text.replace(/ --socket \S+/g, "");

describe("one drive", () => {
  it("is told whole: verdict, what to do, growth, tests, numbers and what they mean", async () => {
    const { run } = await healthy();
    const { stdout } = await run(["drives", SERIALS.sdb], { io: terminal(80) });
    const text = plain(stdout);
    expect(text).toMatch(/^sdb: LAB-ATA, 4\.3 GB\n\nHealth\n {2}warning for 12 d; asked 4 min ago\n/);
    expect(text).toContain(`  - Sectors that can't be read and wait to be written anew: 3. Of drives with 3
    to 6 of them 68 % failed within a year (Backblaze).
    → Let it test itself, and replace it if there are still some afterwards:
      foundry-agent smart-test sdb long
`);
    expect(text).toContain("\nIdentity\n  model           LAB-ATA\n  serial number   PENDING-2\n");
    expect(text).toContain("\n  asked by        /dev/sdb as sat\n");
    expect(text).toContain("\nGrowth\n  +8 sectors replaced by spare ones within 12 days\n");
    expect(text).toMatch(
      /\n {2}197 {2}Current Pending Sector +100 +100 +- +3 {2}ok\n {6}Sectors that can't be read now and wait to be written anew\. Should be 0\.\n/,
    );
    expect(text).toMatch(/\nLooked at 12 s ago\.\nTest it: foundry-agent smart-test sdb short\n$/);
    for (const line of text.split("\n")) expect([line, displayWidth(line) <= 80]).toEqual([line, true]);
  });

  it("says what a self-test came to and how far the one is that runs", async () => {
    const { run } = await healthy();
    expect((await run(["drives", "sda"])).stdout).toContain(`Self-tests
  Running now: a self-test, 40 % done (asked 4 min ago)
  SELF-TEST  RESULT                            AT HOUR  HOURS OF USE SINCE
  short      passed                           28 000 h  34 h
  short      FAILED: Completed: read failure  20 000 h  335 days
`);
  });

  it("keeps what was known of one that sleeps, and reads NVMe fields of a RAID member", async () => {
    const { run } = await healthy();
    const asleep = (await run(["drives", "sdd"])).stdout;
    expect(asleep).toContain("  asleep, was healthy for 12 d; last values of 12 d ago\n");
    expect(asleep).toContain("\nGrowth\n  Not known yet: it is told from the second day on.\n");
    const member = (await run(["drives", MEMBER], { io: terminal(100) })).stdout;
    expect(member).toMatch(/^bus_0_megaraid_3: LAB-MEMBER\n/);
    expect(member).toMatch(/\n {2}critical warning +none {2}Bits with which an NVMe drive warns/);
    expect(member).toMatch(/\n {2}available spare +\d+ % {2}Spare blocks left\./);
  });

  it("that fell silent keeps its reasons; on status.sock the serial number is left out and said to be", async () => {
    const smart = await smartOnce();
    const failing = smart.drives.find(({ device }) => device === "sdc");
    if (failing === undefined) throw new Error("no sdc");
    Object.assign(failing, {
      state: "hangs",
      severity: "unknown",
      smart_ok: null,
      reasons: [{ code: "drive_hangs", detail: "The drive does not answer." }],
    });
    const { run, statusSocket } = await healthy(smart);
    const { stdout } = await run(["drives", "sdc"], { socket: statusSocket });
    expect(stdout).toMatch(
      /\n {2}not known \(before: FAILING for 12 d\); asked .* ago\n {2}- The drive does not answer\.\n {4}→ Look for its errors .*\n {2}- The drive itself says that it is failing\.\n/,
    );
    expect(stdout).not.toContain("FAILING-3");
    expect(stdout).toMatch(/\nSerial numbers are shown to root and the group foundry-admin only\.\n$/);
    expect((await run(["drives"])).stdout).toContain("1 drive is failing");
  });

  it("can't rewrite the terminal by what its firmware says", async () => {
    const evil = "\u001b[2J\u202e\nX";
    const smart = await smartOnce();
    for (const drive of smart.drives) {
      const { facts } = drive;
      if (facts === null) continue;
      drive.model = evil;
      drive.reasons = [{ code: "new_one", detail: evil }];
      facts.messages = [{ text: evil, severity: evil }];
      facts.attributes = facts.attributes.map((row) => ({ ...row, name: evil }));
      facts.self_tests = [{ kind: evil, passed: false, text: evil, hours: 1 }];
      facts.self_test_running = { kind: evil, percent_done: 1 };
      Object.assign(facts, {
        vendor: evil,
        family: evil,
        firmware: evil,
        form_factor: evil,
        power_mode: evil,
      });
      if (facts.scsi !== null) facts.scsi.ie_text = evil;
    }
    const { run } = await healthy(smart);
    for (const line of [["drives"], ["drives", "sda"], ["drives", MEMBER], ["drives", "locate", "sda"]]) {
      const { stdout } = await run(line, { io: terminal(80) });
      expect([line, stdout.replaceAll("\n", "").match(/[\u0000-\u001f\u202e]/)]).toEqual([line, null]);
    }
  });

  it("is whole with --json, and in smartctl's words with --raw", async () => {
    const { run, view, statusSocket } = await healthy();
    view.smartJson = async (way) => ({ device: { name: way.device, type: way.type } });
    const calls = overheard(view);
    const whole = JSON.parse((await run(["drives", "sdb", "--json"])).stdout);
    expect([whole.name, whole.smart.severity, whole.smart_state.state]).toEqual(["sdb", "warn", "ok"]);
    expect(JSON.parse((await run(["drives", MEMBER, "--raw"])).stdout).device).toEqual({
      name: "/dev/bus/0",
      type: "megaraid,3",
    });
    expect(calls).toEqual(['smartJson [{"device":"/dev/bus/0","type":"megaraid,3"}]']);
    const refused = await run(["drives", "sdb", "--raw"], { socket: statusSocket });
    expect([refused.code, refused.stderr.includes("control.sock")]).toEqual([4, true]);
    for (const line of [["--raw"], ["--off"], ["sda", "--for", "3m"], ["locate"], ["locate", "a", "b"]])
      expect([line, (await run(["drives", ...line])).code]).toEqual([line, 2]);
    expect((await run(["drives", "locate", "sda", "--off", "--for", "3m"])).code).toBe(2);
  });
});

describe("sentences", () => {
  /** Every code that a verdict can have: out of the collector's own files, and the helper's for silence. */
  const codes = [
    ...["verdict", "warnings", "heat", "gaps", "sense-codes", "thresholds"].map((name) => `verdict/${name}`),
    "entry",
  ].flatMap((name) => {
    const source = readFileSync(new URL(`../../../src/collectors/smart/${name}.ts`, import.meta.url), "utf8");
    const places = [
      /\["([a-z]+_[a-z]+|hot)", "The drive/g,
      /code: "([a-z_]+)"/g,
      /add\(\s*(?:0x\d+, )?"([a-z_]+)"/g,
      /[?:] "([a-z]+_[a-z_]+)"/g,
    ];
    return places.flatMap((place) => [...source.matchAll(place)].map(([, code = ""]) => code));
  });
  codes.push("drive_hangs", "helper_timeout", "helper_absent");

  it("there is advice and there are a few words for every reason", () => {
    expect(new Set(codes).size).toBeGreaterThan(30);
    for (const code of codes) {
      const advice = adviceFor(code, "sdq");
      // A sleeping drive needs nothing; of smartctl's own errors its sentence says more than a few words.
      expect([code, advice === null, `${advice?.text} ${advice?.command}`.includes("{")]).toEqual([
        code,
        code === "asleep",
        false,
      ]);
      const words = reasonWords({ code, params: { count: 12, attribute: 5 }, detail: "As it says." });
      const isNamed = code !== "asleep" && code !== "smartctl_error";
      expect([code, words !== "As it says", words.length <= 26]).toEqual([code, isNamed, true]);
      expect([code, /[{}]/.test(words + reasonWords({ code, detail: "Of an older agent." }))]).toEqual([
        code,
        false,
      ]);
    }
    const told = (code: string, params: SmartParams) => reasonWords({ code, params, detail: "As it says." });
    expect(told("pending_sectors", { count: 12 })).toBe("12 unreadable sectors");
    expect(told("attribute_failing", { attribute: 5 })).toBe("attribute 5 failing");
    expect(told("attribute_failing", {})).toBe("attribute failing");
    expect(told("quite_new", { count: 1 })).toBe("As it says");
    expect(adviceFor("quite_new", "sda")).toBeNull();
  });

  it("growth is told with the days that were compared", () => {
    const at = Date.parse("2026-11-21T12:00:00Z");
    const trend = { ...NO_TREND, since: "2026-11-20", crc_errors: 4, reallocated: 0 };
    expect(trendLines(trend, at)).toEqual(["+4 transfers damaged on the cable within a day"]);
    expect(trendLines({ ...trend, since: "2026-09-01" }, at)).toEqual([
      "+4 transfers damaged on the cable within 7 days",
    ]);
    expect(trendLines({ ...NO_TREND, since: "2026-11-20" }, at)).toEqual(["Nothing rose within a day."]);
    expect(trendLines({ ...NO_TREND, since: "2026-09-01" }, at)).toEqual(["Nothing rose within 30 days."]);
    expect(trendLines(null, at)).toEqual([]);
    expect([0, 9_999, 28_034, 522_125_343, null].map(numberText)).toEqual([
      "0",
      "9999",
      "28 034",
      "522 125 343",
      "-",
    ]);
  });
});
