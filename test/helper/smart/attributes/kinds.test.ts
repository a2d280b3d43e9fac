/** What an attribute counts, by every name that smartmontools' drive database gives one. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { kindOf, rowOf } from "../../../../src/helper/smart/attributes/kinds.ts";
import { attribute } from "../../../support/drives/smart.ts";

const FILE = new URL("../../../fixtures/attribute-names.json", import.meta.url);
const { kinds } = JSON.parse(readFileSync(FILE, "utf8")) as { kinds: Record<string, string[]> };
const named = (name: string) => kindOf({ id: 250, name });

/** What a verdict goes by. */
const JUDGED =
  /^(?:reallocated|pending|uncorrectable|reported_uncorrectable|end_to_end|spin_retries|crc|command_timeouts|helium_level)$/;
/** Names that tell of volume, age or temperature, which no defect is. */
const NO_DEFECT = /(?:GiB|MiB|GB|LBAs?|Hours|Temp|Writes|Reads|Written|Erase|Spare|Life)(?:_|\d|$)/i;

describe("by name", () => {
  it.each(Object.entries(kinds))("%s", (kind, names) => {
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      expect([name, String(named(name))]).toEqual([name, kind]);
      // In any spelling.
      for (const other of [
        name.toUpperCase(),
        name.toLowerCase(),
        name.replaceAll("_", "-"),
        name.replaceAll("_", " "),
        name.replaceAll("_", ""),
        name.replaceAll("%", "_Percent"),
      ])
        expect([other, String(named(other))]).toEqual([other, kind]);
    }
  });

  it("all of drivedb.h are there", () => {
    expect(Object.values(kinds).flat().length).toBeGreaterThan(500);
  });

  const found = [
    process.env.DRIVEDB ?? "",
    "/var/lib/smartmontools/drivedb/drivedb.h",
    "/usr/share/smartmontools/drivedb.h",
    "/usr/local/share/smartmontools/drivedb.h",
  ].find((path) => path !== "" && existsSync(path));
  if (found === undefined) console.warn("SKIPPED: no drivedb.h on this machine");
  it.skipIf(found === undefined)("a newer drivedb.h has no name that is judged as something else", () => {
    const text = readFileSync(found as string, "utf8");
    const names = [...text.matchAll(/-v \d+,[^,"\s]+,([^,"\s]+)/g)].map(([, name = ""]) => name);
    expect(names.length).toBeGreaterThan(100);
    for (const name of names.filter((one) => NO_DEFECT.test(one)))
      expect([name, named(name)]).not.toEqual([name, expect.stringMatching(JUDGED)]);
  });
});

it("the number is nothing where there is a name, and all where there is none", () => {
  expect(kindOf({ id: 197, name: "ECC_Error_Count" })).toBeNull();
  expect(kindOf({ id: 184, name: "Error_Correction_Count" })).toBe("corrected");
  expect(kindOf({ id: 218, name: "CRC_Error_Count" })).toBe("crc");
  expect(kindOf({ id: 197, name: "Unknown_Attribute" })).toBeNull();
  expect(kindOf({ id: 197, name: "Attribute_197" })).toBe("pending");
  expect(kindOf({ id: 100, name: "Attribute_100" })).toBeNull();
  expect(kindOf({ id: 1, name: "" })).toBeNull();
});

it.each([
  ["Unused_Life", "wear_left"],
  ["Remain_Lifetime", "wear_left"],
  ["Rated_Life_Consumed", "wear_used"],
  ["Wearout_Indicator", "media_wearout"],
  ["Remaining_PE_Cycles", null],
  ["Temperature_Exceed_Count", "throttling"],
  ["Over_Temp_Count", "throttling"],
  ["Flash_Temperature", "temperature"],
  ["Current_Pending_Sect_Cnt", "pending"],
  ["Reallocated_Sec_Ct", "reallocated"],
  ["Spin_Up_Retry_Count", "spin_retries"],
  ["Spin_Up_Time", "spin_up"],
])("%s, which newer or other lists have, is %s", (name, kind) => {
  expect(named(name)).toBe(kind);
});

it("of two rows of a kind the one at its usual place counts", () => {
  const rows = [attribute(218, { name: "CRC_Error_Count", raw: 2 }), attribute(199, { raw: 5 })];
  expect(rowOf(rows, "crc", 199)?.raw).toBe(5);
  expect(rowOf(rows.slice(0, 1), "crc", 199)?.raw).toBe(2);
  expect(rowOf(rows, "pending", 197)).toBeUndefined();
});
