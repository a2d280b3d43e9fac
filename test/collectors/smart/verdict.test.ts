/** The rules of the verdict, one by one, their precedence, and what people read of them. */
import { describe, expect, it } from "vitest";
import { attributeMeaning, fieldMeaning } from "../../../src/cli/drives/attribute-meanings.ts";
import { NO_TREND } from "../../../src/collectors/smart/history.ts";
import { countOf } from "../../../src/collectors/smart/verdict/counts.ts";
import { smartVerdict } from "../../../src/collectors/smart/verdict/verdict.ts";
import { smartFacts } from "../../../src/helper/smart/json.ts";
import type { SmartFacts } from "../../../src/model/smart.ts";
import { attribute, facts, nvme, ownCaptures, scsi, usualName } from "../../support/drives/smart.ts";

/** `warn true pending_sectors,check_cable`. */
function said(it: SmartFacts, trend = {}): string {
  const { severity, smart_ok, reasons } = smartVerdict(it, { ...NO_TREND, ...trend });
  return `${severity} ${smart_ok} ${reasons.map(({ code }) => code).join(",")}`.trim();
}
const error = (text: string) => ({ messages: [{ text, severity: "error" }] });
const onNvme = (more: Parameters<typeof nvme>[0], rest: Partial<SmartFacts> = {}): SmartFacts =>
  facts({ protocol: "NVMe", nvme: nvme(more), ...rest });
const test = (passed: boolean | null) => ({ kind: "short", passed, text: "read failure", hours: 3 });

describe("fail", () => {
  it.each<[string, SmartFacts, string]>([
    ["the drive says so", facts({ passed: false }), "fail false smart_failed"],
    ["exit bit 8", facts({ exit_status: 8 }), "fail false smart_failed"],
    ["exit bit 16", facts({ exit_status: 16 }), "fail false attribute_failing"],
    [
      "a prefail attribute now, though the drive says it is well",
      facts({ exit_status: 32, attributes: [attribute(1, { prefail: true, when_failed: "now" })] }),
      "fail false attribute_failing",
    ],
    ["NVMe spare", onNvme({ critical_warning: 1 }), "fail false spare_low"],
    ["NVMe read-only", onNvme({ critical_warning: 8 }), "fail false read_only"],
    ["NVMe backup", onNvme({ critical_warning: 16 }), "fail false backup_failed"],
    ["NVMe memory region", onNvme({ critical_warning: 32 }), "fail false memory_region_unreliable"],
    [
      "NVMe reliability, not by wear",
      onNvme({ critical_warning: 4, percentage_used: 99 }),
      "fail false reliability_degraded",
    ],
    [
      "NVMe reliability, worn but with media errors",
      onNvme({ critical_warning: 4, percentage_used: 101, media_errors: 1 }),
      "fail false reliability_degraded,media_errors",
    ],
    ["NVMe spare below its threshold", onNvme({ available_spare_percent: 9 }), "fail false spare_low"],
    ["SCSI predicts it", scsi({ asc: 0x5d }), "fail false failure_predicted"],
  ])("%s", (_name, it, expected) => {
    expect(said(it)).toBe(expected);
  });
});

describe("warn, and smart_ok stays true", () => {
  it.each<[string, SmartFacts, string]>([
    [
      "NVMe worn out",
      onNvme({ critical_warning: 4, percentage_used: 100 }, { wear_percent: 100 }),
      "worn_out",
    ],
    [
      "NVMe hot, though smartctl calls that failed",
      onNvme({ critical_warning: 2 }, { passed: false, exit_status: 8 }),
      "hot",
    ],
    ["NVMe worn and hot", onNvme({ critical_warning: 6, percentage_used: 100 }), "worn_out,hot"],
    ["NVMe media errors", onNvme({ media_errors: 1 }), "media_errors"],
    [
      "failed before",
      facts({ attributes: [attribute(3, { prefail: true, when_failed: "past" })] }),
      "attribute_failed_before",
    ],
    [
      "old age now",
      facts({ exit_status: 32, attributes: [attribute(4, { when_failed: "now" })] }),
      "attribute_old_age",
    ],
    ["5 from 16 on", facts({ attributes: [attribute(5, { raw: 16 })] }), "reallocated_sectors"],
    ["10", facts({ attributes: [attribute(10, { raw: 1 })] }), "spin_retries"],
    ["184", facts({ attributes: [attribute(184, { raw: 1 })] }), "end_to_end_errors"],
    ["187", facts({ attributes: [attribute(187, { raw: 1 })] }), "reported_uncorrectable"],
    ["197", facts({ attributes: [attribute(197, { raw: 1 })] }), "pending_sectors"],
    ["198", facts({ attributes: [attribute(198, { raw: 1 })] }), "uncorrectable_sectors"],
    ["SCSI grown defects", scsi({ grown_defects: 1 }), "grown_defects"],
    ["SCSI uncorrected", scsi({ write_uncorrected: 1 }), "uncorrected_errors"],
    ["newest self-test failed", facts({ self_tests: [test(false), test(true)] }), "self_test_failed"],
    [
      "an aborted one takes nothing back",
      facts({ self_tests: [test(null), test(false)] }),
      "self_test_failed",
    ],
    ["wear", facts({ wear_percent: 90 }), "wear_high"],
  ])("%s", (_name, it, expected) => {
    expect(said(it)).toBe(`warn true ${expected}`);
  });

  it.each<[string, SmartFacts, object, string]>([
    [
      "5 growing",
      facts({ attributes: [attribute(5, { raw: 3 })] }),
      { reallocated: 1 },
      "reallocated_growing",
    ],
    ["188 growing", facts(), { command_timeouts: 2 }, "command_timeouts_growing"],
    ["199 growing", facts(), { crc_errors: 2 }, "check_cable"],
  ])("%s", (_name, it, trend, expected) => {
    expect(said(it, trend)).toBe(`warn true ${expected}`);
  });
});

describe("ok", () => {
  it.each<[string, SmartFacts]>([
    ["nothing to say", facts()],
    ["error log and old self-test errors are information", facts({ exit_status: 64 + 128 + 4 })],
    ["bit 32 alone", facts({ exit_status: 32 })],
    ["QEMU's spare of 0 of 0", onNvme({ available_spare_percent: 0, spare_threshold_percent: 0 })],
    ["few reallocated sectors that stay", facts({ attributes: [attribute(5, { raw: 15 })] })],
    [
      "time-outs and CRC errors that stay",
      facts({ command_timeouts: 4, attributes: [attribute(199, { raw: 108 })] }),
    ],
    ["a later self-test passed", facts({ self_tests: [test(true), test(false)] })],
    [
      "never set",
      facts({ attributes: [attribute(197, { raw: 0xffffffffffff, raw_text: "281474976710655" })] }),
    ],
    [
      "a warning message",
      facts({ messages: [{ text: "based on an Attribute check", severity: "warning" }] }),
    ],
  ])("%s", (_name, it) => {
    expect(said(it)).toBe("ok true");
  });
});

describe("not known is never failed", () => {
  it.each<[string, SmartFacts, string]>([
    ["no verdict", facts({ passed: null }), "no_verdict"],
    ["exit bit 1", facts({ exit_status: 1, passed: null }), "type_unknown"],
    ["exit bit 2", facts({ exit_status: 2 }), "open_failed"],
    [
      "permission",
      facts({ exit_status: 2, passed: null, ...error("open failed: Permission denied") }),
      "no_permission",
    ],
    ["an error", facts({ passed: null, ...error("something broke") }), "smartctl_error"],
    ["unsupported", facts({ smart_available: false, passed: null }), "unsupported"],
    ["switched off", facts({ smart_enabled: false }), "smart_disabled"],
  ])("%s", (_name, it, expected) => {
    expect(said(it)).toBe(`unknown null ${expected}`);
  });
});

describe("precedence", () => {
  it("asleep before all", () => {
    expect(said(facts({ asleep: true, passed: false, exit_status: 8 }))).toBe("asleep null asleep");
  });
  it("fail before not known before warn, and all is told", () => {
    const pending = { attributes: [attribute(197, { raw: 1 })] };
    expect(said(facts({ exit_status: 10, ...pending }))).toBe(
      "fail false smart_failed,open_failed,pending_sectors",
    );
    expect(said(facts({ passed: null, ...pending }))).toBe("warn true pending_sectors,no_own_verdict");
  });
  it("NVMe without its log goes by what the drive says", () => {
    expect(said(facts({ protocol: "NVMe", passed: false }))).toBe("fail false smart_failed");
    expect(said(onNvme({ critical_warning: null }, { passed: false }))).toBe("fail false smart_failed");
    expect(said(onNvme({}, { passed: null }))).toBe("ok true");
  });
});

describe("details", () => {
  const detail = (it: SmartFacts): string =>
    smartVerdict(it)
      .reasons.map((one) => one.detail)
      .join(" ");
  it.each<[number, number, string | null]>([
    [5, 16, "8 to 24 %"],
    [5, 71, "36 %"],
    [5, 261, "57 %"],
    [187, 1, "34 %"],
    [197, 2, "34 %"],
    [197, 3, "68 %"],
    [197, 24, "68 %"],
    [198, 1, "81 %"],
    [184, 1, null],
  ])("attribute %i with %i names Backblaze's rate", (id, raw, rate) => {
    const attributes = [attribute(id, { raw })];
    const text = detail(facts({ attributes, rotation_rate: 7200 }));
    expect(text).toContain(`: ${raw}.`);
    if (rate === null) expect(text).not.toContain("Backblaze");
    else expect(text).toContain(rate);
    expect(detail(facts({ attributes, rotation_rate: 0 }))).not.toContain("Backblaze");
  });
  it("are whole sentences", () => {
    for (const [, text] of ownCaptures()) {
      for (const { detail } of smartVerdict(smartFacts(text, null)).reasons)
        expect(detail).toMatch(/^(?:[A-Z]|smartctl ).*[.]$/);
    }
  });
});

it("counts what a vendor packed as smartctl reads it", () => {
  expect(countOf(attribute(5, { raw: 131_072_000, raw_text: "0 (2000 0)" }))).toBe(0);
  expect(countOf(attribute(5, { raw: 70_000, raw_text: "70000" }))).toBe(70_000);
  expect(countOf(attribute(5, { raw: 2 ** 40, raw_text: "0x10000000000" }))).toBeNull();
  expect(countOf(attribute(5, { raw: null }))).toBeNull();
  expect(countOf(undefined)).toBeNull();
});

it("says in plain words what people meet", () => {
  for (const id of [1, 3, 4, 5, 9, 10, 22, 184, 187, 188, 190, 194, 197, 198, 199])
    expect(attributeMeaning({ id, name: usualName(id) }), String(id)).toMatch(/^[A-Z].*\.$/);
  expect(attributeMeaning({ id: 231, name: "Temperature_Celsius" })).toBe("Temperature in °C.");
  expect(attributeMeaning({ id: 99, name: "Unknown" })).toBeNull();
  for (const field of [...Object.keys(nvme()), "grown_defects", "read_uncorrected"])
    expect(fieldMeaning(field), field).toMatch(/^[A-Z].*\.$/);
  expect(fieldMeaning("toString")).toBeNull();
});
