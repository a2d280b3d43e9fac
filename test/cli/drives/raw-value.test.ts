/** Raw values of attributes as people see them: decoded or as text, never several figures as one beside a unit. */
import { describe, expect, it } from "vitest";
import { attributesText } from "../../../src/cli/drives/values.ts";
import { shownFacts } from "../../../src/collectors/smart/shown.ts";
import { attribute, facts } from "../../support/drives/smart.ts";

function raw(name: string, value: number, text = String(value)): string | undefined {
  const rows = shownFacts(
    facts({ attributes: [attribute(9, { name, raw: value, raw_text: text })] }),
  ).attributes;
  const [, line = ""] = attributesText(rows, { color: false, width: 300 }).split("\n");
  return / {2}100 +100 +- +(.+?) {2}ok/.exec(line)?.[1];
}

describe("raw values", () => {
  it.each<[string, number, string | undefined, string]>([
    ["Temperature_Celsius", 188_980_068_383, "31 (Min/Max 23/44)", "31 (Min/Max 23/44)"],
    ["Temperature_Celsius", 31, "31", "31"],
    ["Temperature_Celsius", 188_980_068_383, undefined, "(packed)"],
    ["Power_On_Hours", 57_951_993_765_239, "40311 (52 181 0)", "40311 (52 181 0)"],
    ["Power_On_Hours", 57_951_993_765_239, undefined, "(packed)"],
    ["Power_On_Hours", 40_311, undefined, "40 311"],
    ["Head_Flying_Hours", 226_070_987_571_498, "1234h+05m+06.789s", "1234h+05m+06.789s"],
    ["Head_Flying_Hours", 226_070_987_571_498, undefined, "(packed)"],
    ["Helium_Level", 6_553_700, "0 100 100", "100 %"],
    ["Helium_Level", 84, undefined, "84 %"],
    ["Command_Timeout", 4_295_032_833, undefined, "(packed)"],
    ["Command_Timeout", 4_295_032_833, "1 1 1", "1 1 1"],
    ["Current_Pending_Sector", 2 ** 48 - 1, undefined, "(packed)"],
    ["Reallocated_Sector_Ct", 70_000, undefined, "70 000"],
    ["SSD_Life_Left", 408_021_893_220, undefined, "(packed)"],
    ["Raw_Read_Error_Rate", 83_905_456, undefined, "83 905 456"],
    ["Raw_Read_Error_Rate", 83_905_456, "0/83905456", "0/83905456"],
  ])("%s of %i, which smartctl reads as %s", (name, value, text, expected) => {
    expect(raw(name, value, text)?.replaceAll(/\s/g, " ")).toBe(expected);
  });

  it.each<[string, Parameters<typeof attribute>, string]>([
    ["a limit reached now", [5, { when_failed: "now", prefail: true, thresh: 36 }], "FAILING"],
    ["heat now", [194, { when_failed: "now", prefail: true, thresh: 40 }], "at its limit"],
    ["heat in the past", [190, { when_failed: "past", thresh: 45 }], "was at its limit"],
    ["a limit that is none", [5, { when_failed: "now", prefail: true, thresh: 255 }], "ok"],
    ["age", [9, { when_failed: "now", prefail: false, thresh: 10 }], "at its limit"],
  ])("state of a row: %s", (_name, row, state) => {
    const rows = shownFacts(facts({ attributes: [attribute(...row)] })).attributes;
    const [, line = ""] = attributesText(rows, { color: false, width: 300 }).split("\n");
    expect(/ {2}(FAILING|ok|(?:was )?at its limit) {2}/.exec(line)?.[1]).toBe(state);
  });

  it("the text is only there where it says more than the number", () => {
    const rows = [
      attribute(5, { raw: 7, raw_text: "7" }),
      attribute(5, { raw: 2 ** 33, raw_text: "0 (2 0)" }),
    ];
    expect(shownFacts(facts({ attributes: rows })).attributes.map(({ raw_text }) => raw_text)).toEqual([
      null,
      "0 (2 0)",
    ]);
  });
});
