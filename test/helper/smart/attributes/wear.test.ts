/** Which way the wear of an SSD counts, and in which of its two numbers; real rows, their source beside them. */
import { describe, expect, it } from "vitest";
import { attributeWear } from "../../../../src/helper/smart/attributes/wear.ts";
import { factsOfJson } from "../../../../src/helper/smart/json.ts";
import { attribute } from "../../../support/drives/smart.ts";

type Row = readonly [id: number, name: string, value: number, raw: number, text?: string];
const wear = (family: string | null, model: string, ...rows: readonly Row[]) =>
  attributeWear(
    rows.map(([id, name, value, raw, text = String(raw)]) =>
      attribute(id, { name, value, raw, raw_text: text }),
    ),
    { family, model },
  );

describe("percent used", () => {
  it.each<[string, number | null, ...Parameters<typeof wear>]>([
    [
      "Intel: value left",
      85,
      "Intel DC S3500",
      "INTEL SSDSC2BB016T4",
      [233, "Media_Wearout_Indicator", 15, 0],
    ],
    [
      "Samsung: value left, raw erasures",
      19,
      "Samsung based SSDs",
      "Samsung SSD 860",
      [177, "Wear_Leveling_Count", 81, 278],
    ],
    [
      "Crucial: value left, raw used",
      4,
      "Crucial/Micron Client SSDs",
      "CT256MX100",
      [202, "Percent_Lifetime_Remain", 96, 4],
    ],
    [
      "Crucial m4: named used, value left",
      4,
      "Crucial/Micron RealSSD m4",
      "M4-CT256",
      [202, "Perc_Rated_Life_Used", 96, 4],
    ],
    [
      "Crucial beyond its life",
      112,
      "Crucial/Micron RealSSD m4",
      "M4-CT256",
      [202, "Perc_Rated_Life_Used", 0, 112],
    ],
    [
      "Kingston A400: both left",
      2,
      "Phison Driven SSDs",
      "KINGSTON SA400M8120G",
      [231, "SSD_Life_Left", 98, 98],
    ],
    [
      "Kingston A400, other firmware: raw used",
      86,
      "Phison Driven SSDs",
      "KINGSTON SA400S37120G",
      [231, "SSD_Life_Left", 14, 86],
    ],
    ["Kingston A400, new", 0, "Phison Driven SSDs", "KINGSTON SA400S37480G", [231, "SSD_Life_Left", 100, 0]],
    [
      "Kingston KC400: raw left",
      26,
      "Phison Driven SSDs",
      "KINGSTON SKC400S371T",
      [231, "SSD_Life_Left", 100, 74],
    ],
    [
      "Kingston KC400, at its end",
      99,
      "Phison Driven SSDs",
      "KINGSTON SKC400S371T",
      [231, "SSD_Life_Left", 100, 1],
    ],
    [
      "Transcend: raw left, and a value that never moves",
      4,
      "Silicon Motion based SSDs",
      "TS32GMTS400",
      [169, "Remaining_Lifetime_Perc", 100, 96],
      [177, "Wear_Leveling_Count", 100, 401],
    ],
    [
      "Kingston KC600 worn out",
      100,
      "Silicon Motion based SSDs",
      "KINGSTON SKC600256G",
      [231, "SSD_Life_Left", 0, 0],
    ],
    [
      "WD: value used",
      1,
      "WD Blue / Red / Green SSDs",
      "WDC  WDS200T2B0A-00SM50",
      [230, "Media_Wearout_Indicator", 1, 4_295_032_833, "0x000100010001"],
    ],
    [
      "WD: raw used, value never moves",
      38,
      "WD Blue / Red / Green SSDs",
      "WDC WDS240G2G0A-00JH30",
      [230, "Media_Wearout_Indicator", 100, 0x2506_0d28_2506, "9478 3368 9478"],
    ],
    [
      "Dell: another number",
      96,
      "Dell Certified Intel S3520",
      "SSDSCKJB240G7R",
      [245, "Percent_Life_Remaining", 4, 4],
    ],
    [
      "SanDisk CloudSpeed: hundredths",
      3,
      "Sandisk SATA Cloudspeed",
      "SDLF1",
      [178, "SSD_LifeLeft(0.01%)", 100, 9_700],
    ],
    [
      "SanDisk CloudSpeed: used and left agree",
      7,
      "Sandisk SATA Cloudspeed",
      "SDLF1",
      [173, "Percent_Life_Used", 100, 7],
      [245, "Drive_Life_Remaining%", 93, 93],
    ],
    [
      "Seagate: a raw number that is none",
      12,
      "Seagate Nytro SATA SSD",
      "XA960LE10063",
      [231, "SSD_Life_Left", 88, 94_489_280_600, "0x160000005858"],
    ],
    [
      "SandForce: raw is no percentage",
      5,
      "SandForce Driven SSDs",
      "OCZ-VERTEX3",
      [231, "SSD_Life_Left", 95, 1],
    ],
    [
      "of the drive's own area only",
      null,
      "SSSTC ERX GD/CD Series SSDs",
      "ER3",
      [181, "Sys_Percent_Life_Remain", 90, 90],
    ],
    ["a measured period is no life", null, "Intel", "INTEL", [226, "Workld_Media_Wear_Indic", 100, 102_400]],
    ["a capacitor's life is none of the flash", null, null, "X", [175, "Capacitor_Life", 100, 3]],
    ["spare blocks are no life", null, null, "X", [249, "Spare_Blocks_Remaining", 100, 90]],
    ["a default name on a drive nobody knows", null, null, "X", [233, "Media_Wearout_Indicator", 100, 8_121]],
    [
      "Perc_Write/Erase_Count is packed",
      null,
      "SanDisk based SSDs",
      "SanDisk SSD PLUS",
      [230, "Perc_Write/Erase_Count", 100, 5_153_962_001_075],
    ],
    ["left in both, renewed at different times", 4, "Maxio", "X", [231, "SSD_Life_Left", 100, 96]],
    ["hundredths that are none", 3, "Sandisk", "X", [178, "SSD_LifeLeft(0.01%)", 97, 97]],
    ["hundredths, near the end", 96, "Sandisk", "X", [178, "SSD_LifeLeft(0.01%)", 4, 412]],
    ["a raw number that is not used", 10, null, "X", [232, "Endurance_Remaining", 90, 0]],
    ["and one of zeros", null, null, "X", [233, "Media_Wearout_Indicator", 0, 0]],
    ["nothing", null, null, "X"],
  ])("%s", (_name, expected, ...drive) => {
    expect(wear(...drive)).toEqual({ percent: expected, problem: null });
  });
});

it.each<[string, number | null, string | null, readonly [number, string, number, number, number]]>([
  ["erasures of an unused row", null, null, [177, "Wear_Leveling_Count", 0, 0, 0]],
  ["life left of an unknown drive", null, null, [231, "SSD_Life_Left", 0, 0, 0]],
  ["life left of a known one is at its end", 100, "Phison Driven SSDs", [231, "SSD_Life_Left", 0, 0, 0]],
  ["life left of a known one, still falling", 100, null, [231, "SSD_Life_Left", 0, 1, 0]],
  ["Crucial beyond its life", 118, "Crucial/Micron Client SSDs", [202, "Percent_Lifetime_Remain", 0, 0, 118]],
  ["SandForce's raw number is none", 100, "SandForce Driven SSDs", [231, "SSD_Life_Left", 0, 0, 118]],
])("a row of zeros is no drive at its end: %s", (_name, percent, family, [id, name, value, worst, raw]) => {
  const row = attribute(id, { name, value, worst, raw, raw_text: String(raw) });
  expect(attributeWear([row], { family, model: "X" })).toEqual({ percent, problem: null });
});

describe("a contradiction is nothing, and said", () => {
  it.each<[string, ...Parameters<typeof wear>]>([
    ["value and raw", "Maxio based SSDs (variant 1)", "X", [231, "SSD_Life_Left", 40, 90]],
    ["a value that may or may not move", "Apacer SSDs", "X", [231, "Lifetime_Left", 100, 4]],
    [
      "two attributes",
      "ATP",
      "X",
      [202, "Percent_Lifetime_Used", 96, 4],
      [248, "Percent_Lifetime_Remain", 30, 30],
    ],
    ["erasures, and a value at 100", null, "X", [177, "Wear_Leveling_Count", 100, 2_981]],
  ])("%s", (_name, ...drive) => {
    expect(wear(...drive)).toEqual({
      percent: null,
      problem: expect.stringMatching(/^How worn it is can't be told: .*\.$/),
    });
  });
});

describe("beside what is told as such", () => {
  const of = (more: object) => {
    const { wear_percent, wear_problem } = factsOfJson(
      { device: { protocol: "ATA" }, rotation_rate: 0, ...more },
      0,
    );
    return [wear_percent, wear_problem];
  };
  const table = (value: number, raw: number) => ({
    model_family: "Phison Driven SSDs",
    ata_smart_attributes: {
      table: [{ id: 231, name: "SSD_Life_Left", value, raw: { value: raw, string: String(raw) } }],
    },
  });
  const statistic = (value: number) => ({
    ata_device_statistics: {
      pages: [{ table: [{ name: "Percentage Used Endurance Indicator", value, flags: { valid: true } }] }],
    },
  });

  it("smartctl 7.5 guesses endurance from a value that never moves", () => {
    expect(of({ ...table(100, 74), endurance_used: { current_percent: 0 } })).toEqual([26, null]);
    expect(of({ endurance_used: { current_percent: 17 } })).toEqual([17, null]);
  });

  it("the statistics count, unless they were never filled in", () => {
    expect(of({ ...table(96, 96), ...statistic(5) })).toEqual([5, null]);
    expect(of({ ...table(4, 4), ...statistic(0) })).toEqual([
      null,
      expect.stringContaining("its statistics and its attributes"),
    ]);
  });
});
