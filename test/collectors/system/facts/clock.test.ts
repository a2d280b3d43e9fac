/** What time services leave behind, read without asking them. */
import { expect, test } from "vitest";
import { readClockState } from "../../../../src/collectors/system/facts/clock.ts";
import { systemCollector } from "../../../../src/collectors/system/system.ts";
import { type Tree, treeMachine } from "../../../support/machine/tree.ts";
import { NOW } from "../../../support/now.ts";
import { collectTree } from "../../../support/text/shape.ts";

const HOUR = 3_600_000;
const read = (tree: Partial<Tree>) =>
  readClockState(treeMachine({ files: {}, now: NOW, ...tree }).files, NOW);

const SYNCHRONIZED = "/run/systemd/timesync/synchronized";

test("systemd-timesyncd: its file says when the clock was corrected last", () => {
  const at = (ago: number) => read({ files: { [SYNCHRONIZED]: "" }, times: { [SYNCHRONIZED]: NOW - ago } });
  expect(at(60_000)).toEqual({ synchronised: true, offset_s: null, source: "systemd-timesyncd" });
  expect(at(8 * HOUR).synchronised).toBe(true);
  // As long as the kernel itself takes to call the clock unsynchronised.
  expect(at(9 * HOUR).synchronised).toBe(false);
  // Corrected backwards since.
  expect(at(-HOUR).synchronised).toBe(true);
  expect(read({ folders: ["/run/systemd/timesync"] })).toMatchObject({ synchronised: false });
  expect(read({ files: { [SYNCHRONIZED]: "" }, errors: { [SYNCHRONIZED]: "EACCES" } })).toMatchObject({
    synchronised: null,
    source: "systemd-timesyncd",
  });
});

/** A line of tracking.log, so long ago. */
const tracking = (ago: number, stratum: string, offset: string, leap: string): string => {
  const at = new Date(NOW - ago).toISOString();
  return `${at.slice(0, 10)} ${at.slice(11, 19)} 203.0.113.15     ${stratum}     -3.541      0.075 ${offset} ${leap}  2  2.940e-03 -2.084e-04  1.534e-02  3.472e-04  8.304e-03\n`;
};
const HEADING = `${"=".repeat(40)}\n   Date (UTC) Time     IP Address   St   Freq ppm   Skew ppm     Offset L Co\n${"=".repeat(40)}\n`;

test.each([
  [
    "synchronised, and ahead",
    tracking(HOUR, "2", "9.9e-01", "N") + tracking(60_000, "2", "8.621e-06", "N"),
    true,
    8.621e-6,
  ],
  ["no source", tracking(60_000, "0", "0.000e+00", "?"), false, 0],
  ["a heading after the last line", tracking(60_000, "3", "-2.0e-03", "N") + HEADING, true, -0.002],
  ["a line cut off", `${tracking(60_000, "3", "-2.0e-03", "N")}2025-`, true, -0.002],
  ["long ago", tracking(2 * HOUR, "2", "8.621e-06", "N"), null, null],
  ["nonsense", "hello\n2025-13-45 xx y\n", null, null],
])("chrony's tracking.log: %s", (_what, log, synchronised, offset_s) => {
  const tree = { folders: ["/run/chrony"], files: { "/var/log/chrony/tracking.log": HEADING + log } };
  expect(read(tree)).toEqual({ synchronised, offset_s, source: "chrony" });
});

test("chrony without a log that may be read: not known, and not no", () => {
  expect(read({ folders: ["/run/chrony"] })).toEqual({
    synchronised: null,
    offset_s: null,
    source: "chrony",
  });
});

test("ntpd's loopstats", () => {
  const line = (ago: number, offset: string): string => {
    const days = (NOW - ago) / 86_400_000;
    return `${Math.floor(days) + 40_587} ${((days % 1) * 86_400).toFixed(3)} ${offset} -3.2 0.000012 0.001 10\n`;
  };
  const at = (log: string) => read({ files: { "/run/ntpd.pid": "1\n", "/var/log/ntpstats/loopstats": log } });
  // Positive there: the clock is behind.
  expect(at(line(HOUR / 2, "0.5") + line(60_000, "0.000250"))).toEqual({
    synchronised: true,
    offset_s: -0.00025,
    source: "ntpd",
  });
  expect(at(line(5 * HOUR, "0.000250"))).toEqual({ synchronised: null, offset_s: null, source: "ntpd" });
  expect(at("nonsense\n")).toMatchObject({ synchronised: null });
});

test("what to type is of the service that is there", async () => {
  const log = HEADING + tracking(60_000, "0", "0.000e+00", "?");
  const tree = {
    folders: ["/run/chrony"],
    files: { "/var/log/chrony/tracking.log": log, "/proc/uptime": "9000.00 9000.00\n" },
    now: NOW,
  };
  const data = await collectTree(systemCollector(), tree);
  const found = systemCollector()
    .conditions?.(data)
    .find(({ code }) => code === "clock_unsynchronised");
  expect(found?.nextStep).toBe("chronyc tracking");
});

test("nobody sets the clock", () => {
  expect(read({})).toEqual({ synchronised: null, offset_s: null, source: null });
});
