/**
 * A condition is a thing that is wrong (or worth knowing) and lasts: raised once, cleared once, never
 * repeated per retry. Every failure a user can see is one of these.
 */
export type Severity = "info" | "warning" | "error";

export interface ConditionDraft {
  /** Stable, snake_case; one condition at a time per code and subject. */
  readonly code: string;
  /** What it is about when there can be several at once: a drive's device name, a control API's name. */
  readonly subject?: string;
  readonly severity: Severity;
  /** One sentence. */
  readonly text: string;
  /** What to type or do next, or null when nothing needs doing. */
  readonly nextStep: string | null;
}

export interface Condition extends ConditionDraft {
  /** Wall clock, milliseconds since the epoch. */
  readonly since: number;
}

/** Identity of a condition: its code and, where given, its subject. */
export function conditionKey(condition: Pick<ConditionDraft, "code" | "subject">): string {
  return condition.subject === undefined ? condition.code : `${condition.code}(${condition.subject})`;
}
