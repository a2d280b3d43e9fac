/** Heat is heat: it warns as `hot`, is never failing, and leaves nothing behind; and what SAS drives warn of besides. */
import { describe, expect, it } from "vitest";
import { adviceFor } from "../../../../src/cli/drives/advice.ts";
import { smartVerdict } from "../../../../src/collectors/smart/verdict/verdict.ts";
import type { SmartFacts } from "../../../../src/model/smart.ts";
import { attribute, facts, nvme, scsi } from "../../../support/drives/smart.ts";

function said(it: SmartFacts): string {
  const { severity, smart_ok, reasons } = smartVerdict(it);
  return `${severity} ${smart_ok} ${reasons.map(({ code }) => code).join(",")}`.trim();
}
const warm = (more: object) => attribute(190, { thresh: 40, value: 38, ...more });

describe("hot", () => {
  it.each<[string, SmartFacts]>([
    ["ATA, now", facts({ exit_status: 32, attributes: [warm({ when_failed: "now" })] })],
    [
      "ATA, now, at another number and by another name",
      facts({ attributes: [attribute(231, { name: "Controller_Temperature", when_failed: "now" })] }),
    ],
    [
      "ATA, now, of an attribute that calls itself prefail: the drive and smartctl say failing",
      facts({ exit_status: 24, passed: false, attributes: [warm({ prefail: true, when_failed: "now" })] }),
    ],
    ["above its own limit", facts({ temperature_c: 61, temperature_limit_c: 60 })],
    ["NVMe", facts({ protocol: "NVMe", passed: false, exit_status: 8, nvme: nvme({ critical_warning: 2 }) })],
    ["SAS", scsi({ asc: 0x0b, ascq: 0x01 }, { passed: false, exit_status: 8 })],
    ["SAS, critical", scsi({ asc: 0x0b, ascq: 0x0a }, { passed: false, exit_status: 8 })],
    ["SAS, cold", scsi({ asc: 0x0b, ascq: 0x0d }, { passed: false, exit_status: 8 })],
    [
      "SAS of a smartctl that gives no code",
      scsi({ ie_text: "WARNING - SPECIFIED TEMPERATURE EXCEEDED" }, { passed: false, exit_status: 8 }),
    ],
  ])("%s", (_name, it) => {
    expect(said(it)).toBe("warn true hot");
  });

  it("is told once, and beside what else is wrong", () => {
    const both = scsi(
      { asc: 0x0b, ascq: 0x01, grown_defects: 2 },
      { passed: false, temperature_c: 70, temperature_limit_c: 60 },
    );
    expect(said(both)).toBe("warn true grown_defects,hot");
    const failing = attribute(5, { prefail: true, when_failed: "now" });
    expect(
      said(facts({ passed: false, exit_status: 24, attributes: [warm({ when_failed: "now" }), failing] })),
    ).toBe("fail false smart_failed,attribute_failing,hot");
  });

  it("but not the life that is left, which an unknown flash drive has at 231 by the name of a temperature", () => {
    const row = attribute(231, { name: "Temperature_Celsius", prefail: true, when_failed: "now" });
    expect(said(facts({ exit_status: 16, attributes: [row] }))).toBe("fail false attribute_failing");
  });

  it("asks for air and not for another drive", () => {
    expect(adviceFor("hot", "sda")?.text).toMatch(/fans/);
    expect(adviceFor("hot", "sda")?.text).not.toMatch(/replace/i);
  });
});

it.each<[string, SmartFacts]>([
  ["ATA, past", facts({ exit_status: 32, attributes: [warm({ value: 68, when_failed: "past" })] })],
  ["at its limit and not above", facts({ temperature_c: 60, temperature_limit_c: 60 })],
  ["NVMe, minutes above its limits", facts({ nvme: nvme({ warning_temperature_minutes: 90 }) })],
])("past heat is history: %s", (_name, it) => {
  expect(said(it)).toBe("ok true");
});

describe("sense codes of SAS drives", () => {
  it.each<[number, number, string]>([
    [0x0b, 0x00, "warn true drive_warns"],
    [0x0b, 0x02, "warn true enclosure_warning"],
    [0x0b, 0x03, "warn true medium_warning"],
    [0x0b, 0x05, "warn true medium_warning"],
    [0x0b, 0x06, "warn true cache_unprotected"],
    [0x0b, 0x08, "warn true enclosure_warning"],
    [0x0b, 0x09, "warn true drive_warns"],
    [0x0b, 0x10, "warn true enclosure_warning"],
    [0x0b, 0x13, "warn true firmware_warning"],
    [0x0b, 0x14, "warn true medium_warning"],
    [0x0b, 0x77, "warn true drive_warns"],
    [0x5d, 0x00, "fail false smart_failed,failure_predicted"],
    [0x5d, 0x10, "fail false smart_failed,failure_predicted"],
    [0x5d, 0x73, "fail false smart_failed,failure_predicted"],
    // A test that somebody switched on.
    [0x5d, 0xff, "warn true drive_warns"],
  ])("%i/%i", (asc, ascq, expected) => {
    expect(said(scsi({ asc, ascq, ie_text: "text" }, { passed: false, exit_status: 8 }))).toBe(expected);
  });

  it("another code is the drive's own verdict", () => {
    expect(said(scsi({ asc: 0x32, ascq: 0 }, { passed: false, exit_status: 8 }))).toBe(
      "fail false smart_failed",
    );
  });
});
