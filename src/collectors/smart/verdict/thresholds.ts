/**
 * Attributes of an ATA drive that are, or were, at the limit that their maker set, short of what predicts a failure.
 * Those of temperature are heat.ts's. Pure.
 */
import { type AttributeKind, kindOf } from "../../../helper/smart/attributes/kinds.ts";
import type { SmartAttribute, SmartFacts, SmartReason } from "../../../model/smart.ts";
import { isHeat } from "./heat.ts";

/** FFh is "always failing", for tests, and FEh is not valid (SFF-8035i); some drives have them by mistake (ticket 1396). */
export function hasNoThreshold({ thresh }: SmartAttribute): boolean {
  return thresh !== null && thresh >= 0xfe;
}

/** Kinds that neither age nor use alone brings to their limit. */
const TELLS_OF_FAULTS: readonly (AttributeKind | null)[] = [
  "reallocated",
  "reallocation_events",
  "bad_blocks",
  "pending",
  "uncorrectable",
  "reported_uncorrectable",
  "end_to_end",
  "command_timeouts",
  "crc",
  "link_errors",
  "program_fails",
  "erase_fails",
  "spin_retries",
  "read_errors",
  "write_errors",
  "capacitor",
];

/** At its limit now, where that tells of age, or some time ago. */
export function thresholds(facts: SmartFacts): SmartReason[] {
  return facts.attributes.flatMap((row): SmartReason[] => {
    if (isHeat(row) || hasNoThreshold(row)) return [];
    if (row.when_failed === "past")
      return [
        {
          code: "attribute_failed_before",
          params: { attribute: row.id },
          detail: `Attribute ${row.id} ${row.name} was at or below its threshold some time and is above it now.`,
        },
      ];
    if (row.when_failed === "now" && row.prefail !== true)
      return [
        {
          code: "attribute_old_age",
          params: { attribute: row.id },
          detail: `Attribute ${row.id} ${row.name} is at or below its threshold, which ${TELLS_OF_FAULTS.includes(kindOf(row)) ? "its maker does not count as a failure to come" : "tells of age and use"}.`,
        },
      ];
    return [];
  });
}
