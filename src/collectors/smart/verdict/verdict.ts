/**
 * From a drive's facts to one of three answers with reasons: healthy, failing, not known. Pure.
 *
 * Precedence: asleep > fail > unknown > warn > unknown in part > ok; not known is what there is nothing to judge by
 * (gaps.ts).
 * A drive that says nothing is never called failed, and a warning leaves it usable (`smart_ok` true). smartctl's exit
 * status is eight bits: 1 usage, 2 open failed, 4 a command failed, 8 failing, 16 prefail attribute at its threshold,
 * 32 attribute at its threshold some time, 64 error log has records, 128 self-test log has errors; 4, 32, 64 and 128
 * decide nothing here.
 */
import type { SmartFacts, SmartReason, SmartVerdict } from "../../../model/smart.ts";
import { NO_TREND, type SmartTrend } from "../history.ts";
import { gaps, isUnknownInPart, unknowns } from "./gaps.ts";
import { isHeat } from "./heat.ts";
import { isWornOut, nvmeHas } from "./nvme.ts";
import { isOnlyWarning, predictions } from "./sense-codes.ts";
import { hasNoThreshold } from "./thresholds.ts";
import { warnings } from "./warnings.ts";

const EXIT_FAILING = 8;
const EXIT_PREFAIL = 16;

/** smartctl, where the drive did not answer for itself. */
const GUESS = /based on an Attribute check/i;

/** Why there are no facts, in the words of the error's code. */
export interface SmartProblem {
  readonly code: string;
  readonly detail: string;
}

export function smartVerdict(facts: SmartFacts, trend: SmartTrend = NO_TREND): SmartVerdict {
  if (facts.asleep)
    return {
      smart_ok: null,
      severity: "asleep",
      reasons: [{ code: "asleep", detail: "The drive sleeps and was not woken." }],
    };
  const failures = failuresOf(facts);
  const unknown = unknowns(facts);
  const warned = warnings(facts, trend);
  const reasons = [...failures, ...unknown, ...warned, ...gaps(facts)];
  if (failures.length > 0) return { smart_ok: false, severity: "fail", reasons };
  if (unknown.length > 0) return { smart_ok: null, severity: "unknown", reasons };
  if (warned.length > 0) return { smart_ok: true, severity: "warn", reasons };
  if (isUnknownInPart(facts)) return { smart_ok: null, severity: "unknown", reasons };
  return { smart_ok: true, severity: "ok", reasons };
}

/** The verdict on a drive that gave no facts at all: a time-out, broken output, no permission. */
export function unknownVerdict(problem: SmartProblem): SmartVerdict {
  return { smart_ok: null, severity: "unknown", reasons: [{ code: problem.code, detail: problem.detail }] };
}

function failuresOf(facts: SmartFacts): SmartReason[] {
  const found: SmartReason[] = [];
  const exit = facts.exit_status ?? 0;
  const low = facts.attributes.filter((row) => row.prefail === true && row.when_failed === "now");
  const failing = low.filter((row) => !isHeat(row) && !hasNoThreshold(row));
  // What it says of itself is no more than that it is hot, or a warning of something else; or smartctl said it for it,
  // by attributes that are told on their own.
  const isHotOnly = low.length > 0 && low.every(isHeat);
  const isGuess = low.length > 0 && facts.messages.some(({ text }) => GUESS.test(text));
  const isExplained = isHotOnly || isGuess || isOnlyWarning(facts.scsi);
  if (facts.nvme !== null && facts.nvme.critical_warning !== null) found.push(...nvmeFailures(facts));
  else if ((facts.passed === false || (exit & EXIT_FAILING) !== 0) && !isExplained)
    found.push({
      code: "smart_failed",
      detail: `The drive itself says that it is failing${facts.scsi?.ie_text ? ` (${facts.scsi.ie_text})` : ""}.`,
    });
  const { available_spare_percent: spare, spare_threshold_percent: threshold } = facts.nvme ?? {};
  if (isBelow(spare, threshold) && !found.some(({ code }) => code === "spare_low"))
    found.push({
      code: "spare_low",
      detail: "The spare blocks of the drive are fewer than its own threshold.",
    });
  found.push(...predictions(facts.scsi));
  for (const row of failing)
    found.push({
      code: "attribute_failing",
      params: { attribute: row.id },
      detail: `Attribute ${row.id} ${row.name} is at or below the threshold at which the maker expects the drive to fail.`,
    });
  if ((exit & EXIT_PREFAIL) !== 0 && low.length === 0)
    found.push({
      code: "attribute_failing",
      detail: "smartctl found an attribute below the threshold at which the maker expects the drive to fail.",
    });
  return found;
}

/** The bits of the critical warning that mean failure; 2 and a worn-out 4 only warn. */
function nvmeFailures(facts: SmartFacts): SmartReason[] {
  const found: SmartReason[] = [];
  const add = (bit: number, code: string, detail: string): void => {
    if (nvmeHas(facts, bit)) found.push({ code, detail });
  };
  add(0x01, "spare_low", "The spare blocks of the drive are fewer than its own threshold.");
  if (!isWornOut(facts))
    add(0x04, "reliability_degraded", "The drive says that errors have made it unreliable.");
  add(0x08, "read_only", "The drive has made itself read-only.");
  add(0x10, "backup_failed", "What protects the drive's cache at a power loss has failed.");
  add(0x20, "memory_region_unreliable", "The drive's persistent memory region is unreliable or read-only.");
  return found;
}

function isBelow(value: number | null | undefined, threshold: number | null | undefined): boolean {
  return typeof value === "number" && typeof threshold === "number" && value < threshold;
}
