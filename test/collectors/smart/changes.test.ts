/** Sleep, verdicts and self-tests that change, growth, and what is no news. */
import { describe, expect, it } from "vitest";
import { smartSensitive, smartVolatile } from "../../../src/collectors/smart/facets.ts";
import type { SmartData } from "../../../src/collectors/smart/schema.ts";
import { compileFacets, redact, stableText } from "../../../src/model/facets.ts";
import { ataJson, driveTree } from "../../support/drives/fake-drives.ts";
import { DAY_MS, device, mapHistory, rig, SLEEPS } from "../../support/drives/smart-rig.ts";
import { conditionCodes, metricLines } from "../../support/text/shape.ts";

describe("sleep", () => {
  it("leaves it asleep with its last values and their time; no alarm comes or goes", async () => {
    const it = rig(driveTree({ sda: "S60" }));
    it.drives.scan([{ device: "/dev/sda", type: "sat" }]);
    it.drives.says("/dev/sda", "sat", ataJson("S60", {}, { 198: 2 }));
    const awake = await it.round();
    expect(device(awake, "sda")).toMatchObject({ severity: "warn", values_at: null });
    const readAt = new Date(it.clock.now()).toISOString();
    it.clock.forward(30 * 60_000);
    it.drives.says("/dev/sda", "sat", SLEEPS, 3);
    const asleep = await it.round();
    expect(device(asleep, "sda")).toMatchObject({
      state: "asleep",
      smart_ok: null,
      severity: "asleep",
      values_at: readAt,
      serial: "S60",
      facts: { serial: "S60", temperature_c: 31 },
      last_verdict: { severity: "warn", since: readAt },
    });
    expect(conditionCodes(it.collector(), asleep)).toEqual(["smart_warning(sda)"]);
    expect(it.collector().changes?.(awake, asleep)).toEqual([]);
    expect(it.collector().table?.rows(asleep, 0)[0]?.[2]).toBe("asleep, was warning");
    expect(metricLines(it.collector(), asleep)).toContain(
      `foundry_agent_smart_collected_timestamp_seconds{device="sda"} ${Date.parse(readAt) / 1_000}`,
    );
    it.restart();
    const later = await it.round();
    expect(device(later, "sda")).toMatchObject({
      facts: null,
      values_at: null,
      last_verdict: { severity: "warn" },
    });
    expect(conditionCodes(it.collector(), later)).toEqual(["smart_warning(sda)"]);
  });
});

describe("changes", () => {
  it("a verdict is told once when it changes, over restarts, and what was first seen as bad", async () => {
    const it = rig(driveTree({ sda: "S70", sdb: "S71" }));
    it.drives.scan([
      { device: "/dev/sda", type: "sat" },
      { device: "/dev/sdb", type: "sat" },
    ]);
    it.drives.says("/dev/sda", "sat", ataJson("S70"));
    it.drives.says("/dev/sdb", "sat", ataJson("S71"), 8);
    const first = await it.round();
    const told = (before: SmartData | null, after: SmartData) =>
      it
        .collector()
        .changes?.(before, after)
        .map(({ type, severity, data }) => `${type} ${severity} ${data.device} ${data.from} ${data.to}`);
    expect(told(null, first)).toEqual(["drive.verdict error sdb null fail"]);
    it.drives.says("/dev/sda", "sat", ataJson("S70", {}, { 187: 1 }));
    const second = await it.round();
    expect(told(first, second)).toEqual(["drive.verdict warning sda ok warn"]);
    it.restart();
    it.drives.says(
      "/dev/sda",
      "sat",
      ataJson("S70", { smart_status: undefined, ata_smart_attributes: undefined }),
      0,
    );
    it.drives.says("/dev/sdb", "sat", ataJson("S71"));
    const third = await it.round();
    expect(told(null, third)).toEqual(["drive.verdict info sdb fail ok"]);
    expect(device(third, "sda")).toMatchObject({ severity: "unknown", last_verdict: { severity: "warn" } });
    // Silence is no recovery.
    expect(conditionCodes(it.collector(), third)).toEqual(["smart_warning(sda)"]);
    expect(told(third, await it.round())).toEqual([]);
  });

  it("a drive that said it fails has not recovered because it says nothing of itself any more", async () => {
    const it = rig(driveTree({ sda: "S72" }));
    it.drives.scan([{ device: "/dev/sda", type: "sat" }]);
    it.drives.says("/dev/sda", "sat", ataJson("S72"), 8);
    await it.round();
    it.drives.says("/dev/sda", "sat", ataJson("S72", { smart_status: undefined }), 0);
    const silent = await it.round();
    expect(device(silent, "sda")).toMatchObject({ severity: "unknown", last_verdict: { severity: "fail" } });
    expect(conditionCodes(it.collector(), silent)).toEqual(["smart_failing(sda)"]);
  });

  it("a self-test that ended is told, with its result; tests of years ago are not", async () => {
    const row = (hours: number, passed: boolean) => ({
      type: { string: "Short offline" },
      status: { string: passed ? "Completed" : "Completed: read failure", passed },
      lifetime_hours: hours,
    });
    const log = (...table: object[]) => ({ ata_smart_self_test_log: { standard: { table } } });
    const it = rig(driveTree({ sda: "S80" }));
    it.drives.scan([{ device: "/dev/sda", type: "sat" }]);
    it.drives.says("/dev/sda", "sat", ataJson("S80", log(row(5, false))));
    const first = await it.round();
    expect(
      it
        .collector()
        .changes?.(null, first)
        .map(({ type }) => type),
    ).toEqual(["drive.verdict"]);
    it.drives.says("/dev/sda", "sat", ataJson("S80", log(row(9, true), row(5, false))));
    const second = await it.round();
    expect(it.collector().changes?.(first, second)).toMatchObject([
      { type: "drive.verdict", severity: "info", data: { from: "warn", to: "ok" } },
      { type: "drive.self_test", severity: "info", data: { kind: "short", passed: true, hours: 9 } },
    ]);
    it.drives.says("/dev/sda", "sat", ataJson("S80", log(row(9, true), row(9, true), row(5, false))));
    const third = await it.round();
    expect(it.collector().changes?.(second, third)).toMatchObject([{ type: "drive.self_test" }]);
  });

  it("growth is told from the days before", async () => {
    const it = rig(driveTree({ sda: "S90" }), { history: mapHistory() });
    it.drives.scan([{ device: "/dev/sda", type: "sat" }]);
    it.drives.says("/dev/sda", "sat", ataJson("S90", {}, { 199: 3, 5: 2 }));
    expect(device(await it.round(), "sda")).toMatchObject({
      severity: "ok",
      trend: { since: null, crc_errors: null },
    });
    it.clock.forward(DAY_MS);
    expect(device(await it.round(), "sda")).toMatchObject({ severity: "ok", trend: { crc_errors: 0 } });
    it.drives.says("/dev/sda", "sat", ataJson("S90", {}, { 199: 7, 5: 4 }));
    const grown = device(await it.round(), "sda");
    expect(grown.reasons.map(({ code }) => code)).toEqual(["reallocated_growing", "check_cable"]);
    expect(grown.trend).toMatchObject({ crc_errors: 4, reallocated: 2 });
    it.clock.forward(8 * DAY_MS);
    expect(device(await it.round(), "sda").reasons.map(({ code }) => code)).toEqual(["reallocated_growing"]);
  });

  it("what only counts on is no news, and nothing that identifies a drive is left when redacted", async () => {
    const it = rig(driveTree({ sda: "S99", sdb: "S98" }));
    it.drives.scan([
      { device: "/dev/sda", type: "sat" },
      { device: "/dev/sdb", type: "sat" },
    ]);
    it.drives.says("/dev/sda", "sat", ataJson("S99", {}, { 1: 5 }));
    it.drives.says("/dev/sdb", "sat", ataJson("S98"), 8);
    const first = await it.round();
    it.clock.forward(30 * 60_000);
    it.drives.says(
      "/dev/sda",
      "sat",
      ataJson("S99", { temperature: { current: 34 }, power_on_time: { hours: 2 } }, { 1: 7_000_000 }),
    );
    const second = await it.round();
    const stable = compileFacets(smartVolatile);
    expect(stableText(second, stable)).toBe(stableText(first, stable));
    expect(stableText(second, stable)).not.toBe(JSON.stringify(second));
    const shown = JSON.stringify(redact(second, compileFacets(smartSensitive)));
    expect(JSON.stringify(second)).toMatch(/S99.*S98/);
    expect(shown).not.toMatch(/S99|S98|0x5000c5/);
  });
});
