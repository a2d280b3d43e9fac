/** The bits with which an NVMe drive warns (NVMe Base Specification, SMART / Health Information log). Pure. */
import type { SmartFacts } from "../../../model/smart.ts";

/** Whether the critical warning has a bit. */
export function nvmeHas(facts: SmartFacts, bit: number): boolean {
  return ((facts.nvme?.critical_warning ?? 0) & bit) !== 0;
}

/** "Reliability degraded" for no other reason than that the rated endurance is used up. */
export function isWornOut(facts: SmartFacts): boolean {
  const { nvme } = facts;
  if (nvme === null || !nvmeHas(facts, 0x04)) return false;
  const { available_spare_percent: spare, spare_threshold_percent: threshold } = nvme;
  return (
    (nvme.percentage_used ?? 0) >= 100 &&
    spare !== null &&
    threshold !== null &&
    spare >= threshold &&
    nvme.media_errors === 0
  );
}
