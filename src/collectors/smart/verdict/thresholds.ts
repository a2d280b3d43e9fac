/**
 * Attributes of an ATA drive that are, or were, at the limit that their maker set, short of what predicts a failure.
 * Those of temperature are heat.ts's. Pure.
 */
import type { SmartAttribute, SmartFacts, SmartReason } from "../../../model/smart.ts";
import { isHeat } from "./heat.ts";

/** FFh is "always failing", for tests, and FEh is not valid (SFF-8035i); some drives have them by mistake (ticket 1396). */
export function hasNoThreshold({ thresh }: SmartAttribute): boolean {
  return thresh !== null && thresh >= 0xfe;
}

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
          detail: `Attribute ${row.id} ${row.name} is at or below its threshold, which tells of age and use.`,
        },
      ];
    return [];
  });
}
