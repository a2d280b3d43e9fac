/** What the parts of the drives' conditions share. */
import type { Severity } from "../../../model/condition.ts";

/** Tells a condition; one with the same code and subject replaces it. */
export type Add = (code: string, subject: string, severity: Severity, text: string, nextStep: string) => void;

/** "2025-10-09T08:00:00.000Z" as people say it: "2025-10-09 08:00 UTC". */
export function readable(time: string): string {
  return time.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d(?:\.\d+)?Z$/, "$1 $2 UTC");
}
