/**
 * Why there is nobody to do what only root may. It travels as a code, also over the sockets as the code of a section's
 * reason, so that each place says it in its own words: a section "needs …", a call "this needs …".
 */
import { clause } from "./sentence.ts";

const NEEDS = {
  needs_helper: "needs the helper",
  needs_helper_or_root: "needs the helper, or root with hardware = true in the configuration",
  needs_installed_helper: "needs the helper, which runs beside the installed service",
} as const;

export type Need = keyof typeof NEEDS;

/** What there is nobody for here, and what to type to have somebody. */
export interface Unmet {
  readonly need: Need;
  readonly nextStep: string;
}

/** Without a subject: "needs the helper". */
export function needText(need: Need): string {
  return NEEDS[need];
}

/** A section's reason within another sentence. @param subject of a need, which has none of its own: "it" */
export function reasonClause({ code, text }: { code: string; text: string }, subject: string): string {
  return Object.hasOwn(NEEDS, code) ? `${subject} ${NEEDS[code as Need]}` : clause(text);
}
