/** smartctl's JSON → facts: own captures of 7.3, keys of other versions, and whatever else a text may be. */
import { describe, expect, it } from "vitest";
import { smartFacts } from "../../../src/helper/smart/json.ts";
import { smartctlJson } from "../../../src/helper/smart/json-text.ts";
import { AgentError } from "../../../src/model/errors.ts";
import type { SmartFacts } from "../../../src/model/smart.ts";
import { capture } from "../../support/drives/smart.ts";

const of = (json: object, exit: number | null = 0): SmartFacts => smartFacts(JSON.stringify(json), exit);
const ata = (more: object): SmartFacts => of({ device: { protocol: "ATA" }, ...more });

describe("own captures", () => {
  it("an ATA drive", () => {
    const facts = smartFacts(capture("vm-lab/smartctl-x-sdc"), 4);
    expect(facts).toMatchObject({
      smartctl_version: "7.3",
      exit_status: 4,
      asleep: false,
      device: "/dev/sdc",
      type: "sat",
      protocol: "ATA",
      model: "LAB-ATA",
      serial: "LABATA0001",
      firmware: "2.5+",
      wwn: "0x5000c500deadbeef",
      size_bytes: 4_294_967_296,
      passed: true,
      smart_available: true,
      temperature_c: 31,
      power_on_hours: 1,
      power_cycles: 0,
      nvme: null,
      scsi: null,
      self_test_running: null,
    });
    expect(facts.attributes.find(({ id }) => id === 5)).toEqual({
      id: 5,
      name: "Reallocated_Sector_Ct",
      value: 100,
      worst: 100,
      thresh: 36,
      when_failed: null,
      prefail: true,
      flags: "PO----",
      raw: 0,
      raw_text: "0",
    });
  });

  it("a SCSI drive names itself by other keys, and its temperature of 0 is none", () => {
    expect(smartFacts(capture("vm-lab/smartctl-x-sdb"), null)).toMatchObject({
      protocol: "SCSI",
      vendor: "QEMU",
      model: "QEMU QEMU HARDDISK",
      firmware: "2.5+",
      wwn: "0x5000c500deadbee1",
      temperature_c: null,
      smart_available: false,
      passed: null,
    });
  });

  it.each(["replay-n-standby-3-sleep", "replay-n-standby-sleep"])("%s is asleep", (name) => {
    expect(smartFacts(capture(`vm-lab-replay/${name}`), null)).toMatchObject({ asleep: true, passed: null });
  });

  it("the process' own exit status counts more than the JSON's", () => {
    expect(smartFacts(capture("vm-lab-replay/replay-healthy"), 8).exit_status).toBe(8);
  });

  it("rows without thresholds, and raw values that are packed", () => {
    const pending = smartFacts(capture("vm-lab-replay/replay-pending-and-uncorrectable"), null);
    expect(pending.attributes.find(({ id }) => id === 197)).toMatchObject({
      thresh: null,
      when_failed: null,
      raw: 24,
    });
    expect(smartFacts(capture("vm-lab-replay/replay-seagate-188-packed"), null).command_timeouts).toBe(4);
    expect(smartFacts(capture("vm-lab-replay/replay-raw-48bit-all-ones"), null).command_timeouts).toBeNull();
  });
});

describe("keys that moved", () => {
  it("SCSI of 7.0 to 7.2 has no prefixes, and text before its JSON", () => {
    const json = {
      device: { protocol: "SCSI" },
      vendor: "SEAGATE",
      product: "ST4000NM0043",
      revision: "MS03",
    };
    const facts = smartFacts(`Read defect list (0): {failed}\n${JSON.stringify(json)}\ntrailing`, 0);
    expect(facts).toMatchObject({ vendor: "SEAGATE", model: "SEAGATE ST4000NM0043", firmware: "MS03" });
  });

  it("text before it on the same line", () => {
    expect(smartctlJson('Read defect list {x}: none{"device":{}}')).toEqual({ device: {} });
  });

  it("power mode and endurance of 7.5", () => {
    expect(ata({ power_mode: { ata_value: 255, name: "ACTIVE or IDLE" } }).power_mode).toBe("ACTIVE or IDLE");
    expect(ata({ power_mode: "STANDBY" }).power_mode).toBe("STANDBY");
    expect(ata({ endurance_used: { current_percent: 17 }, rotation_rate: 0 }).wear_percent).toBe(17);
  });

  it("smart_support as a bare boolean", () => {
    expect(ata({ smart_support: true })).toMatchObject({ smart_available: true, smart_enabled: null });
    expect(ata({ smart_support: { available: true, enabled: false } }).smart_enabled).toBe(false);
  });

  it("numbers beyond 2^53 by their twins", () => {
    const log = { media_errors_s: "18446744073709551616", data_units_read: 4, power_cycles: "12" };
    const facts = of({ device: { protocol: "NVMe" }, nvme_smart_health_information_log: log });
    expect(facts.nvme?.media_errors).toBe(2 ** 64);
    expect(facts.bytes_read).toBe(2_048_000);
    expect(facts.power_cycles).toBe(12);
    // 2^60 + 7: as a double its low word would be 0.
    const raw = { value: 2 ** 60, value_s: "1152921504606846983" };
    expect(ata({ ata_smart_attributes: { table: [{ id: 188, raw }] } }).command_timeouts).toBe(7);
  });

  it("wear by what the drive has, and none of a disk that rotates", () => {
    const row = (name: string, value: number) => ({
      ata_smart_attributes: { table: [{ id: 233, name, value }] },
    });
    expect(ata(row("Media_Wearout_Indicator", 83)).wear_percent).toBe(17);
    expect(ata({ ...row("Media_Wearout_Indicator", 83), rotation_rate: 7200 }).wear_percent).toBeNull();
    expect(ata(row("Something_Else", 83)).wear_percent).toBeNull();
    const page = (valid: boolean) => ({
      ata_device_statistics: {
        pages: [{ table: [{ name: "Percentage Used Endurance Indicator", value: 40, flags: { valid } }] }],
      },
    });
    expect(ata(page(true)).wear_percent).toBe(40);
    expect(ata(page(false)).wear_percent).toBeNull();
  });
});

describe("self-tests", () => {
  const passedTest = {
    type: { string: "Short offline" },
    status: { value: 0, string: "Completed", passed: true },
    lifetime_hours: 9,
  };

  it("ATA: extended log before standard, newest first; only what is said to have failed did", () => {
    const aborted = {
      type: { string: "Extended offline" },
      status: { value: 25, string: "Aborted by host", remaining_percent: 90 },
    };
    const failed = {
      type: { string: "Extended offline" },
      status: { value: 121, passed: false },
      lifetime_hours: 4,
    };
    const log = { extended: { table: [aborted, failed] }, standard: { table: [passedTest] } };
    expect(ata({ ata_smart_self_test_log: log }).self_tests).toEqual([
      { kind: "long", passed: null, text: "Aborted by host", hours: null },
      { kind: "long", passed: false, text: "", hours: 4 },
    ]);
    expect(ata({ ata_smart_self_test_log: { standard: { table: [passedTest] } } }).self_tests).toMatchObject([
      { kind: "short", passed: true, hours: 9 },
    ]);
  });

  it("ATA: one that runs has its progress; an aborted one does not run", () => {
    const status = (value: number) => ({
      ata_smart_data: { self_test: { status: { value, remaining_percent: 90 } } },
    });
    expect(ata(status(249)).self_test_running).toEqual({ kind: null, percent_done: 10 });
    expect(ata(status(25)).self_test_running).toBeNull();
  });

  it("NVMe by result codes", () => {
    const test = (value: number) => ({
      self_test_code: { string: "Extended" },
      self_test_result: { value },
      power_on_hours: 7,
    });
    const log = {
      current_self_test_operation: { value: 1, string: "Short self-test in progress" },
      current_self_test_completion_percent: 28,
      table: [test(0), test(1), test(7), test(15)],
    };
    const facts = of({ device: { protocol: "NVMe" }, nvme_self_test_log: log });
    expect(facts.self_tests.map(({ passed }) => passed)).toEqual([true, null, false]);
    expect(facts.self_test_running).toEqual({ kind: "short", percent_done: 28 });
  });

  it("SCSI: 3 to 7 failed, 15 runs", () => {
    const test = (value: number) => ({
      code: { string: "Background long" },
      result: { value, string: "text" },
      power_on_time: { hours: 5 },
    });
    const facts = of({
      device: { protocol: "SCSI" },
      scsi_self_test_0: test(15),
      scsi_self_test_1: test(3),
      scsi_self_test_2: test(1),
      scsi_self_test_3: test(0),
    });
    expect(facts.self_tests.map(({ kind, passed }) => `${kind} ${passed}`)).toEqual([
      "long false",
      "long null",
      "long true",
    ]);
    expect(facts.self_test_running).toEqual({ kind: "long", percent_done: null });
  });
});

describe("what is no JSON", () => {
  const code = (text: string): string => {
    try {
      smartFacts(text, 0);
      return "none";
    } catch (error) {
      return error instanceof AgentError ? error.code : String(error);
    }
  };

  it.each([
    ["", "smartctl_empty"],
    ["  \n", "smartctl_empty"],
    [
      "smartctl 6.6 2017-11-05 r4594 [x86_64-linux]\n=======> UNRECOGNIZED OPTION: json=c\n",
      "smartctl_too_old",
    ],
    ["smartctl 7.3 2022-02-28 r5338\nnothing else\n", "smartctl_garbage"],
    ["{}", "smartctl_garbage"],
    ['{"a":', "smartctl_garbage"],
    ["[1,2]", "smartctl_garbage"],
    ["\u0000\u0001{{{{", "smartctl_garbage"],
  ])("%j is %s", (text, expected) => {
    expect(code(text)).toBe(expected);
  });

  it("takes the first of two objects", () => {
    expect(smartctlJson('{"device":{"name":"}\\"{"}}{"device":{}}')).toEqual({ device: { name: '}"{' } });
  });
});

it("what would be large when built is no answer of smartctl", () => {
  for (const inner of [`[${"{},".repeat(300_000)}{}]`, "[".repeat(400_000) + "]".repeat(400_000)])
    expect(() => smartctlJson(`{"smartctl":${inner}}`)).toThrow(
      expect.objectContaining({ code: "smartctl_garbage" }),
    );
});
