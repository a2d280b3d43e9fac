/**
 * What could not be learned of a drive. Where there is nothing to judge by it is not known how it fares; where a
 * part is missing (a log that could not be read, a verdict of its own) the rest is judged and the gap is said. Pure.
 */
import type { SmartFacts, SmartReason } from "../../../model/smart.ts";
import { uncorrectedOf } from "./counts.ts";

const EXIT_USAGE = 1;
const EXIT_OPEN = 2;

/** The drive's own verdict, or counters of its health. */
function isJudgeable(facts: SmartFacts): boolean {
  // With SMART switched off an ATA or SCSI drive can't have said that it is well.
  const isOff = facts.protocol !== "NVMe" && facts.smart_enabled === false;
  return (facts.passed !== null && !isOff) || hasCounters(facts);
}

function hasCounters({ attributes, nvme, scsi, ...facts }: SmartFacts): boolean {
  if (attributes.some(({ raw, value }) => raw !== null || value !== null)) return true;
  if (nvme !== null && nvme.critical_warning !== null) return true;
  return (
    scsi !== null &&
    (scsi.grown_defects !== null || uncorrectedOf({ ...facts, attributes, nvme, scsi }) !== null)
  );
}

/** Why nothing is known; empty where something is. */
export function unknowns(facts: SmartFacts): SmartReason[] {
  const exit = facts.exit_status ?? 0;
  const { errors, said } = errorsOf(facts);
  const refused = errors.some((text) => /permission denied|operation not permitted/i.test(text));
  const usable = isJudgeable(facts) && (exit & (EXIT_USAGE | EXIT_OPEN)) === 0;
  if (usable) return [];
  if (refused) return [{ code: "no_permission", detail: `smartctl may not open the drive${said}.` }];
  // An option this smartctl does not have is a fault of ours, not of the drive's type.
  if (errors.some((text) => /unrecognized option/i.test(text)))
    return [{ code: "smartctl_error", detail: `smartctl reports an error${said}.` }];
  if ((exit & EXIT_USAGE) !== 0)
    return [{ code: "type_unknown", detail: `smartctl does not know how to talk to the drive${said}.` }];
  if ((exit & EXIT_OPEN) !== 0)
    return [{ code: "open_failed", detail: `The drive could not be opened${said}.` }];
  if (errors.length > 0) return [{ code: "smartctl_error", detail: `smartctl reports an error${said}.` }];
  if (facts.smart_available === false)
    return [{ code: "unsupported", detail: "The drive, or what it is attached to, gives no SMART data." }];
  if (facts.smart_enabled === false)
    return [{ code: "smart_disabled", detail: "SMART is switched off in the drive." }];
  return [{ code: "no_verdict", detail: "The drive gives no verdict about itself." }];
}

/** An ATA drive without its own verdict, whose attributes can't be held against thresholds either: it is not called well. */
export function isUnknownInPart({ protocol, passed, attributes }: SmartFacts): boolean {
  return protocol === "ATA" && passed === null && attributes.every(({ thresh }) => thresh === null);
}

/** What is missing beside what could be judged; it takes no verdict and no warning away. */
export function gaps(facts: SmartFacts): SmartReason[] {
  if (!isJudgeable(facts)) return [];
  const found: SmartReason[] = [];
  const { errors } = errorsOf(facts);
  if (errors.length > 0)
    found.push({
      code: "log_unreadable",
      detail: `A part of what the drive tells could not be read: ${errors.join("; ")}.`,
    });
  const isOff = facts.smart_enabled === false || facts.smart_available === false;
  if (facts.protocol === "SCSI" && isOff)
    found.push({
      code: "log_unreadable",
      detail:
        "The drive does not warn by itself (SMART is not switched on in it), so its counters alone are judged.",
    });
  else if (facts.smart_enabled === false)
    found.push({
      code: "smart_disabled",
      detail: "SMART is switched off in the drive, so its counters may be old.",
    });
  else if (facts.passed === null && facts.nvme === null)
    found.push({
      code: "no_own_verdict",
      detail: "The drive gives no verdict about itself, so its counters alone are judged.",
    });
  if (facts.wear_problem !== null) found.push({ code: "wear_unclear", detail: facts.wear_problem });
  return found;
}

function errorsOf(facts: SmartFacts): { errors: string[]; said: string } {
  const errors = facts.messages
    .filter(({ severity }) => severity === "error")
    .map(({ text }) => text.replace(/[.\s]+$/, ""));
  return { errors, said: errors.length === 0 ? "" : `: ${errors.join("; ")}` };
}
