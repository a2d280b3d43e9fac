/** What is there is judged, and what is missing is said; not known is left for nothing to judge by. */
import { describe, expect, it } from "vitest";
import { NO_TREND } from "../../../../src/collectors/smart/history.ts";
import { smartVerdict } from "../../../../src/collectors/smart/verdict/verdict.ts";
import type { SmartFacts } from "../../../../src/model/smart.ts";
import { attribute, facts, nvme, scsi } from "../../../support/drives/smart.ts";

function said(it: SmartFacts): string {
  const { severity, smart_ok, reasons } = smartVerdict(it);
  return `${severity} ${smart_ok} ${reasons.map(({ code }) => code).join(",")}`.trim();
}
const unreadable = (text: string) => ({ exit_status: 4, messages: [{ text, severity: "error" }] });

describe("a log that can't be read takes nothing away", () => {
  it.each<[string, SmartFacts, string]>([
    [
      "NVMe error log",
      facts({
        protocol: "NVMe",
        nvme: nvme(),
        ...unreadable("Read 16 entries from Error Information Log failed: x"),
      }),
      "ok true log_unreadable",
    ],
    [
      "NVMe self-test log of a drive with errors",
      facts({
        protocol: "NVMe",
        nvme: nvme({ media_errors: 3 }),
        ...unreadable("Read Self-test Log failed: x"),
      }),
      "warn true media_errors,log_unreadable",
    ],
    [
      "NVMe, failing",
      facts({
        protocol: "NVMe",
        passed: false,
        nvme: nvme({ critical_warning: 8 }),
        ...unreadable("Read Self-test Log failed"),
      }),
      "fail false read_only,log_unreadable",
    ],
    [
      "ATA device statistics",
      facts(unreadable("Read Device Statistics page 0x00 failed")),
      "ok true log_unreadable",
    ],
    [
      "not allowed for one log",
      facts({ ...unreadable("Read Log failed: Permission denied"), attributes: [attribute(5)] }),
      "ok true log_unreadable",
    ],
  ])("%s", (_name, it, expected) => {
    expect(said(it)).toBe(expected);
  });

  it("the sentence names it and ends once", () => {
    const [reason] = smartVerdict(facts(unreadable("Read Self-test Log failed: Invalid Field. "))).reasons;
    expect(reason?.detail).toBe(
      "A part of what the drive tells could not be read: Read Self-test Log failed: Invalid Field.",
    );
  });
});

describe("counters without the drive's own verdict", () => {
  it.each<[string, SmartFacts, string]>([
    ["SAS with SMART switched off", scsi({}, { smart_enabled: false }), "ok true log_unreadable"],
    ["SAS that has no SMART", scsi({}, { smart_available: false, passed: null }), "ok true log_unreadable"],
    [
      "SAS with SMART switched off, and errors",
      scsi({ read_uncorrected: 3 }, { smart_enabled: false }),
      "warn true uncorrected_errors,log_unreadable",
    ],
    [
      "ATA",
      facts({ passed: null, attributes: [attribute(197, { raw: 8 })] }),
      "warn true pending_sectors,no_own_verdict",
    ],
    ["ATA, all well", facts({ passed: null, attributes: [attribute(197)] }), "ok true no_own_verdict"],
    [
      "ATA, all well, but held against nothing",
      facts({ passed: null, attributes: [attribute(197, { thresh: null })] }),
      "unknown null no_own_verdict",
    ],
    [
      "ATA with SMART switched off",
      facts({ passed: null, smart_enabled: false, attributes: [attribute(197)] }),
      "ok true smart_disabled",
    ],
    [
      "wear that contradicts itself",
      facts({ wear_problem: "How worn it is can't be told." }),
      "ok true wear_unclear",
    ],
  ])("%s", (_name, it, expected) => {
    expect(said(it)).toBe(expected);
  });
});

it.each<[string, SmartFacts, string]>([
  [
    "a SCSI volume without counters",
    scsi({ grown_defects: null, read_uncorrected: null, write_uncorrected: null }, { passed: null }),
    "unknown null no_verdict",
  ],
  [
    "SAS without counters whose own warnings are switched off",
    scsi(
      { grown_defects: null, read_uncorrected: null, write_uncorrected: null },
      { passed: true, smart_enabled: false },
    ),
    "unknown null smart_disabled",
  ],
  [
    "NVMe without its log",
    facts({ protocol: "NVMe", passed: null, ...unreadable("Read SMART/Health Information failed") }),
    "unknown null smartctl_error",
  ],
  ["exit bit 2", facts({ exit_status: 2, attributes: [attribute(5)] }), "unknown null open_failed"],
  ["exit bit 1", facts({ exit_status: 1, passed: null }), "unknown null type_unknown"],
])("nothing to judge by: %s", (_name, it, expected) => {
  expect(said(it)).toBe(expected);
});

describe("a threshold that is none", () => {
  const row = attribute(246, {
    name: "Unknown_Attribute",
    value: 100,
    thresh: 255,
    prefail: true,
    when_failed: "now",
  });
  const messages = [{ text: "Warning: This result is based on an Attribute check.", severity: "warning" }];
  it.each<[string, SmartFacts, string]>([
    ["says nothing", facts({ exit_status: 16, attributes: [row] }), "ok true"],
    [
      "nor does smartctl by it",
      facts({ exit_status: 24, passed: false, messages, attributes: [row] }),
      "ok true",
    ],
    ["nor that it was reached before", facts({ attributes: [{ ...row, when_failed: "past" }] }), "ok true"],
    [
      "but the drive itself does",
      facts({ exit_status: 24, passed: false, attributes: [row] }),
      "fail false smart_failed",
    ],
  ])("%s", (_name, it, expected) => {
    expect(said(it)).toBe(expected);
  });
});

it.each<[string, SmartFacts, string, RegExp | null]>([
  [
    "what smartctl concludes from an attribute is not the drive's own word",
    facts({
      passed: false,
      exit_status: 24,
      messages: [{ text: "Warning: This result is based on an Attribute check.", severity: "warning" }],
      attributes: [attribute(5, { value: 1, thresh: 36, prefail: true, when_failed: "now" })],
    }),
    "fail false attribute_failing",
    null,
  ],
  [
    "an error inside the drive does not come with age",
    facts({
      attributes: [attribute(184, { value: 98, thresh: 99, prefail: false, when_failed: "now", raw: 2 })],
    }),
    "warn true end_to_end_errors,attribute_old_age",
    /End-to-End_Error is at or below its threshold, which its maker does not count as a failure to come\.$/,
  ],
  [
    "but load cycles do",
    facts({
      attributes: [
        attribute(193, {
          name: "Load_Cycle_Count",
          value: 1,
          thresh: 20,
          prefail: false,
          when_failed: "now",
        }),
      ],
    }),
    "warn true attribute_old_age",
    /which tells of age and use\.$/,
  ],
])("no more is claimed than is known: %s", (_name, it, expected, text) => {
  expect(said(it)).toBe(expected);
  if (text !== null) expect(smartVerdict(it).reasons.at(-1)?.detail).toMatch(text);
});

describe("what is collected is judged", () => {
  it.each<[string, SmartFacts, object, string]>([
    ["SAS pending defects", scsi({ pending_defects: 2 }), {}, "warn true pending_defects"],
    [
      "helium lost",
      facts({ attributes: [attribute(22, { value: 84, raw: 84 })] }),
      {},
      "warn true helium_low",
    ],
    [
      "helium, packed",
      facts({ attributes: [attribute(22, { value: 100, raw: 0x0064_0064 })] }),
      {},
      "ok true",
    ],
    [
      "helium falling",
      facts({ attributes: [attribute(22, { value: 97, raw: 97 })] }),
      { helium_lost: 3 },
      "warn true helium_falling",
    ],
    [
      "Crucial's sectors that flip",
      facts({ attributes: [attribute(197, { name: "Current_Pending_ECC_Cnt", raw: 1 })] }),
      {},
      "ok true",
    ],
    [
      "the same by the model, of an older drive database",
      facts({ model: "CT500MX500SSD1", attributes: [attribute(197, { raw: 1 })] }),
      {},
      "ok true",
    ],
    [
      "more than flip",
      facts({ model: "CT500MX500SSD1", attributes: [attribute(197, { raw: 8 })] }),
      {},
      "warn true pending_sectors",
    ],
  ])("%s", (_name, it, trend, expected) => {
    const { severity, smart_ok, reasons } = smartVerdict(it, { ...NO_TREND, ...trend });
    expect(`${severity} ${smart_ok} ${reasons.map(({ code }) => code).join(",")}`.trim()).toBe(expected);
  });
});
