/**
 * A clock that can't be right, told without asking anybody: a Raspberry Pi without a battery starts in 1970
 * or where it was switched off. How far it is from a server's clock is told by the control APIs.
 */
import type { ConditionDraft } from "../../model/condition.ts";
import { EARLIEST_TIME } from "../../system/clock.ts";

/** @param now wall clock, milliseconds since the epoch @returns `clock_wrong`, or nothing */
export function clockConditions(now: number): ConditionDraft[] {
  if (now >= EARLIEST_TIME) return [];
  const year = new Date(now).getUTCFullYear();
  return [
    {
      code: "clock_wrong",
      severity: "warning",
      text: `This clock says it is ${year}, so certificates can't be checked and times in reports are wrong.`,
      nextStep: "timedatectl  # a board without a battery needs a time server it can reach",
    },
  ];
}
