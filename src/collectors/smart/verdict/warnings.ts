/**
 * What is worth a warning though the drive works: early signs, each with how many drives that showed it
 * failed within a year. The rates are Backblaze's (Drive Stats, annualised failure rate by the raw value of an
 * attribute, hard disks only), so they are given for drives that rotate, and for no other.
 */
import { kindOf } from "../../../helper/smart/attributes/kinds.ts";
import type { SmartFacts, SmartReason } from "../../../model/smart.ts";
import type { SmartTrend } from "../history.ts";
import { countsOf, uncorrectedOf } from "./counts.ts";
import { failedTest } from "./failed-test.ts";
import { heat } from "./heat.ts";
import { isWornOut, nvmeHas } from "./nvme.ts";
import { senseWarnings } from "./sense-codes.ts";
import { thresholds } from "./thresholds.ts";

const REALLOCATED_MANY = 16;
const WEAR_PERCENT = 90;
const HELIUM_PERCENT = 90;

interface Rate {
  /** For raw values from here on. */
  readonly from: number;
  readonly text: string;
}

const RATES: Readonly<Record<"reallocated" | "reported" | "pending" | "uncorrectable", readonly Rate[]>> = {
  reallocated: [
    { from: 1, text: "Of drives with 1 to 70 of them 8 to 24 % failed within a year, without any 2.5 %" },
    { from: 71, text: "Of drives with 71 to 260 of them 36 % failed within a year, without any 2.5 %" },
    { from: 261, text: "Of drives with more than 260 of them 57 % failed within a year, without any 2.5 %" },
  ],
  reported: [{ from: 1, text: "Of drives with any of them 34 % failed within a year" }],
  pending: [
    { from: 1, text: "Of drives with 1 or 2 of them 34 % failed within a year" },
    { from: 3, text: "Of drives with 3 to 6 of them 68 % failed within a year" },
    { from: 7, text: "Already with 3 to 6 of them 68 % of drives failed within a year" },
  ],
  uncorrectable: [
    { from: 1, text: "Of drives with 1 or 2 of them 81 % failed within a year" },
    { from: 3, text: "Already with 1 or 2 of them 81 % of drives failed within a year" },
  ],
};

/** Pure; in the order in which they matter. */
export function warnings(facts: SmartFacts, trend: SmartTrend): SmartReason[] {
  return [
    ...defects(facts, trend),
    ...thresholds(facts),
    ...tests(facts),
    ...wear(facts),
    ...helium(facts, trend),
    ...senseWarnings(facts.scsi).filter(({ code }) => code !== "hot"),
    ...heat(facts),
    ...around(facts, trend),
  ];
}

function defects(facts: SmartFacts, trend: SmartTrend): SmartReason[] {
  const found: SmartReason[] = [];
  const counts = countsOf(facts);
  const add = (
    code: string,
    count: number | null | undefined,
    text: string,
    rates?: readonly Rate[],
  ): void => {
    if (typeof count === "number" && count > 0)
      found.push({ code, params: { count }, detail: `${text}: ${count}.${rateText(facts, rates, count)}` });
  };
  add(
    "uncorrectable_sectors",
    counts.uncorrectable,
    "Sectors that the drive's own scan could not read",
    RATES.uncorrectable,
  );
  add(
    "pending_sectors",
    counts.pending,
    "Sectors that can't be read and wait to be written anew",
    RATES.pending,
  );
  add(
    "reported_uncorrectable",
    counts.reported_uncorrectable,
    "Errors that could not be corrected and reached the host",
    RATES.reported,
  );
  const grown = trend.reallocated ?? 0;
  const many = (counts.reallocated ?? 0) >= REALLOCATED_MANY;
  if (many || grown > 0)
    add(
      grown > 0 ? "reallocated_growing" : "reallocated_sectors",
      counts.reallocated,
      `Sectors that were replaced by spare ones${grown > 0 ? ` (${grown} within 30 days)` : ""}`,
      RATES.reallocated,
    );
  add(
    "end_to_end_errors",
    counts.end_to_end_errors,
    "Times that data was changed inside the drive's own electronics",
  );
  add("spin_retries", counts.spin_retries, "Times that the disk had to try again to come up to speed");
  add("media_errors", facts.nvme?.media_errors, "Times that data could not be read back without errors");
  add("uncorrected_errors", uncorrectedOf(facts), "Reads and writes that could not be corrected");
  add(
    "pending_defects",
    facts.scsi?.pending_defects,
    "Places on the medium that can't be read and wait to be written anew",
  );
  add("grown_defects", facts.scsi?.grown_defects, "Places on the medium that went bad since it was made");
  return found;
}

function rateText(facts: SmartFacts, rates: readonly Rate[] | undefined, count: number): string {
  if (rates === undefined || !rotates(facts)) return "";
  const rate = rates.findLast(({ from }) => count >= from);
  return rate === undefined ? "" : ` ${rate.text} (Backblaze).`;
}

/** Old disks don't tell their speed; but what takes time to spin up, spins. */
function rotates({ rotation_rate: rate, attributes }: SmartFacts): boolean {
  if (rate !== null) return rate > 0;
  return attributes.some((row) => kindOf(row) === "spin_up" && (row.raw ?? 0) > 0);
}

function tests(facts: SmartFacts): SmartReason[] {
  const failed = failedTest(facts.self_tests);
  if (failed === null) return [];
  const { kind, text } = failed.test;
  const which = failed.isOlder
    ? `The newest self-test of its kind (${kind}), and one that proves more than those since,`
    : `The newest self-test (${kind})`;
  return [{ code: "self_test_failed", detail: `${which} failed${text === "" ? "" : `: ${text}`}.` }];
}

function wear(facts: SmartFacts): SmartReason[] {
  if (isWornOut(facts))
    return [
      {
        code: "worn_out",
        detail: "The rated endurance is used up; there are spare blocks left and no media errors so far.",
      },
    ];
  if (facts.wear_percent === null || facts.wear_percent < WEAR_PERCENT) return [];
  return [{ code: "wear_high", detail: `Of the rated endurance ${facts.wear_percent} % is used up.` }];
}

function helium(facts: SmartFacts, trend: SmartTrend): SmartReason[] {
  const { helium_percent: left } = countsOf(facts);
  if (left === null) return [];
  if (left < HELIUM_PERCENT)
    return [
      {
        code: "helium_low",
        params: { count: left },
        detail: `Helium left inside the sealed drive: ${left} %.`,
      },
    ];
  const lost = trend.helium_lost ?? 0;
  if (lost <= 0) return [];
  return [
    {
      code: "helium_falling",
      params: { count: left },
      detail: `Helium left inside the sealed drive: ${left} %, and ${lost} % less than it was within the last 30 days.`,
    },
  ];
}

function around(facts: SmartFacts, trend: SmartTrend): SmartReason[] {
  const found: SmartReason[] = [];
  if (nvmeHas(facts, 0xc0))
    found.push({ code: "drive_warns", detail: "The drive warns by a bit that has no meaning yet." });
  if ((trend.command_timeouts ?? 0) > 0)
    found.push({
      code: "command_timeouts_growing",
      params: { count: trend.command_timeouts ?? 0 },
      detail: `Commands that ran into a time-out within 7 days: ${trend.command_timeouts}; often power or cable.`,
    });
  if ((trend.crc_errors ?? 0) > 0)
    found.push({
      code: "check_cable",
      params: { count: trend.crc_errors ?? 0 },
      detail: `Transfers damaged between drive and host within 7 days: ${trend.crc_errors}; check cable and backplane.`,
    });
  return found;
}
