import { describe, expect, it } from "vitest";
import {
  bytes,
  driveSize,
  duration,
  heldFor,
  linkSpeed,
  memorySize,
  paint,
  percent,
  relativeTime,
  severityWord,
  sparkline,
} from "../../../src/cli/text/format.ts";
import { displayWidth, table } from "../../../src/cli/text/table.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe("times", () => {
  const now = Date.UTC(2026, 10, 20, 12);
  it.each([
    [0, "now"],
    [-999, "now"],
    [-12 * SECOND, "12 s ago"],
    [-89 * SECOND, "89 s ago"],
    [-3.7 * MINUTE, "3 min ago"],
    [-90 * MINUTE, "1 h ago"],
    [-35 * HOUR, "35 h ago"],
    [-3 * DAY, "3 d ago"],
    [-60 * DAY, "2026-09-21"],
    [2 * HOUR, "in 2 h"],
    [20 * SECOND, "in 20 s"],
  ])("%i ms from now is %s", (distance, text) => {
    expect(relativeTime(now + distance, now)).toBe(text);
  });
  it.each([
    [0, "just now"],
    [-47 * SECOND, "for 47 s"],
    [-3 * DAY, "for 3 d"],
    [-60 * DAY, "since 2026-09-21"],
    [20 * SECOND, "just now"],
  ])("what began %i ms from now holds %s", (distance, text) => {
    expect(heldFor(now + distance, now)).toBe(text);
    expect(heldFor(null, now)).toBe("");
  });
  it("what never was is never", () => expect(relativeTime(null, now)).toBe("never"));

  it.each([
    [0, "0 ms"],
    [0.3, "< 1 ms"],
    [1.64, "2 ms"],
    [999.7, "1.0 s"],
    [850, "850 ms"],
    [1500, "1.5 s"],
    [12_345, "12 s"],
    [200_000, "3 min 20 s"],
    [3_600_000, "1 h"],
    [3_599_999, "59 min 59 s"],
    [3 * DAY + 4.9 * HOUR, "3 d 4 h"],
    [-1, "-"],
    [null, "-"],
  ])("%s ms last %s", (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});

describe("sizes", () => {
  it.each([
    [4_000_787_030_016, "4.0 TB"],
    [18_000_207_937_536, "18.0 TB"],
    [480_103_981_056, "480 GB"],
    [7_948_206_080, "7.9 GB"],
    [999_960_000_000, "1.0 TB"],
    [512, "512 B"],
    [0, "0 B"],
    [null, "-"],
    [Number.NaN, "-"],
  ])("a drive of %s bytes has %s", (bytes, text) => {
    expect(driveSize(bytes)).toBe(text);
  });
  it.each([
    [16_750_372_864, "15.6 GiB"],
    [536_870_912, "512 MiB"],
    [1_073_741_823, "1.0 GiB"],
    [3_221_225, "3.1 MiB"],
    [1024, "1.0 KiB"],
    [-5, "-"],
  ])("memory of %s bytes is %s", (count, text) => {
    expect(memorySize(count)).toBe(text);
    expect(bytes(count)).toBe(text);
  });
  it.each([
    [10_000, "10 Gbit/s"],
    [2500, "2.5 Gbit/s"],
    [100, "100 Mbit/s"],
    [-1, "-"],
  ])("a link of %s is %s", (speed, text) => {
    expect(linkSpeed(speed)).toBe(text);
  });
});

it.each([
  [0, "0 %"],
  [0.0001, "< 0.1 %"],
  [0.004, "0.4 %"],
  [0.0996, "10 %"],
  [0.12, "12 %"],
  [0.996, "99.6 %"],
  [0.99999, "99.9 %"],
  [1, "100 %"],
  [null, "-"],
])("a share of %s is %s", (share, text) => {
  expect(percent(share)).toBe(text);
});

it("says in words what a colour says, and paints only where wanted", () => {
  const { text, color } = severityWord("error");
  expect(paint(text, color, false)).toBe("error");
  expect(paint(text, color, true)).toBe("\u001b[31merror\u001b[0m");
  expect(paint("\u001b[2J", "red", false)).toBe("?[2J");
  expect([severityWord("info").text, severityWord("warning").text]).toEqual(["note", "warning"]);
});

it("draws values between their extremes or a given range", () => {
  expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe("▁▂▃▄▅▆▇█");
  expect(sparkline([30, null, 31], { min: 20, max: 60 })).toBe("▃ ▃");
  expect(sparkline([5, 5, 5])).toBe("▁▁▁");
  expect(sparkline([null, null])).toBe("  ");
});

describe("table", () => {
  it("aligns columns, titles in capitals, nothing at the ends of lines", () => {
    const columns = ["name", { title: "size", align: "right" as const }, "state"];
    expect(table(columns, [["sda", "4.0 TB", "ok"], ["nvme0n1", "480 GB", null], ["x"]])).toBe(
      "NAME       SIZE  STATE\nsda      4.0 TB  ok\nnvme0n1  480 GB  -\nx             -  -\n",
    );
  });

  it("cuts to the terminal's width, first where it may", () => {
    const columns = ["device", { title: "model", shrink: true }, "verdict"];
    const rows = [["sda", "SAMSUNG MZ7LH960HAJR-00005", "failing soon"]];
    const lines = table(columns, rows, { width: 36 }).trimEnd().split("\n");
    expect(lines).toEqual(["DEVICE  MODEL           VERDICT", "sda     SAMSUNG MZ7LH…  failing soon"]);
    for (const width of [10, 20, 25]) {
      const longest = Math.max(...table(columns, rows, { width }).split("\n").map(displayWidth));
      expect(longest).toBeLessThanOrEqual(Math.max(width, 3 * 4 + 2 * 2));
    }
  });

  it("keeps columns straight with colours, wide and combined characters", () => {
    const rows = [
      [{ text: "bad", color: "red" as const }, "温度", "|"],
      ["ok", "e\u0301", "|"],
      ["longer", "🔥", "|"],
    ];
    const plain = table(["a", "b", "c"], rows);
    const ends = plain
      .trimEnd()
      .split("\n")
      .slice(1)
      .map((line) => displayWidth(line));
    expect(new Set(ends).size).toBe(1);
    const colored = table(["a", "b", "c"], rows, { color: true });
    expect(colored).toContain("\u001b[31mbad\u001b[0m   ");
    expect(colored.replace(/\u001b\[\d+m/g, "")).toBe(plain);
  });

  it("never lets a device's text reach the terminal as it is", () => {
    const text = table(
      ["model\u001b[1m"],
      [["\u001b]0;owned\u0007\nX\u202e"], [{ text: "\u001b[2J", color: "red" }]],
    );
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(text.split("\n")).toHaveLength(4);
  });
});
