/** What moved, or changed its unit, between the versions of smartctl; and numbers that can't be what they look like. */
import { describe, expect, it } from "vitest";
import { factsOfJson } from "../../../src/helper/smart/json.ts";
import type { SmartFacts } from "../../../src/model/smart.ts";

const of = (json: object): SmartFacts => factsOfJson({ ...json }, 0);
const sas = (more: object, version?: readonly number[]): SmartFacts =>
  of({ device: { protocol: "SCSI" }, ...(version && { smartctl: { version } }), ...more });

describe("temperature of a SAS drive", () => {
  const reports = (...current: readonly unknown[]) => ({
    scsi_environmental_reports: Object.fromEntries(
      current.map((value, index) => [`temperature_${index + 1}`, { parameter_code: index, current: value }]),
    ),
  });
  it.each<[string, object, number | null]>([
    ["of the environmental reports, from 7.3 on with -x", reports(38), 38],
    ["of the second sensor where the first does not know", reports("unknown", 41), 41],
    ["a drive that says 0", reports(0), null],
    ["the usual key first", { temperature: { current: 30 }, ...reports(38) }, 30],
    ["the reports where the usual key says 0", { temperature: { current: 0 }, ...reports(38) }, 38],
  ])("%s", (_name, json, expected) => {
    expect(sas(json).temperature_c).toBe(expected);
  });

  it("has a limit of its own, where that can be one", () => {
    expect(sas({ temperature: { current: 30, drive_trip: 65 } }).temperature_limit_c).toBe(65);
    expect(
      sas({ temperature: { current: 30 }, scsi_temperature: { drive_trip: 65 } }).temperature_limit_c,
    ).toBe(65);
    expect(sas({ temperature: { drive_trip: 0 } }).temperature_limit_c).toBeNull();
    expect(of({ temperature: { op_limit_max: 70 } }).temperature_limit_c).toBe(70);
    expect(of({ temperature: { op_limit_max: 255 } }).temperature_limit_c).toBeNull();
  });
});

describe("defects of a SAS drive", () => {
  it.each<[readonly number[] | undefined, number, number]>([
    // Bytes: eight for each place, four in the short form.
    [[7, 0], 56, 7],
    [[7, 1], 8, 1],
    [[7, 1], 12, 3],
    [[7, 1], 0, 0],
    [[7, 2], 56, 56],
    [[7, 5], 8, 8],
    [undefined, 56, 56],
  ])("smartctl %j and a list of %i", (version, told, expected) => {
    expect(sas({ scsi_grown_defect_list: told }, version).scsi?.grown_defects).toBe(expected);
  });

  it("that wait: all ones is not known", () => {
    expect(sas({ scsi_pending_defects: { count: 3 } }).scsi?.pending_defects).toBe(3);
    expect(sas({ pending_defects: { count: 4 } }, [7, 1]).scsi?.pending_defects).toBe(4);
    expect(sas({ scsi_pending_defects: { count: 0xffff_ffff } }).scsi?.pending_defects).toBeNull();
  });
});

describe("age", () => {
  it.each<[number, number | null]>([
    [0, 0],
    [262_800, 262_800],
    // Minutes read as hours, and three figures in one number.
    [2_418_660, null],
    [57_951_993_765_239, null],
  ])("%i hours are %s", (hours, expected) => {
    expect(of({ power_on_time: { hours } }).power_on_hours).toBe(expected);
    expect(of({ nvme_smart_health_information_log: { power_on_hours: hours } }).power_on_hours).toBe(
      expected,
    );
  });
});

it("time-outs are those of the attribute that is named so", () => {
  const table = (name: string) => ({
    ata_smart_attributes: { table: [{ id: 188, name, raw: { value: 7 } }] },
  });
  expect(of(table("Command_Timeout")).command_timeouts).toBe(7);
  expect(of(table("Unknown_Attribute")).command_timeouts).toBeNull();
});
