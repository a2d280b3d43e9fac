/**
 * That this node was made anew because its state is another node's: kept with the identity, because whether
 * it is a copy or the same node on a new board only an operator knows, and may see it long after a restart.
 */
import type { ConditionDraft } from "../../model/condition.ts";
import { clause, plural } from "../../model/text/sentence.ts";
import { KEPT_VALUES_DAYS } from "../../store/set-aside.ts";

export interface Cloned {
  /** By what time the store knows what was set aside. */
  readonly at: number;
  /** A clause: how it was found. */
  readonly why: string;
  readonly unfinishedCommands: number;
}

/**
 * `identity_cloned`: a warning as long as nobody knows this node, an info once it has registered as a new one,
 * since then there is nothing to do unless that is wrong.
 */
export function clonedCondition(cloned: Cloned, registered: boolean): ConditionDraft {
  const { unfinishedCommands } = cloned;
  // May be a server's own sentence.
  const why = clause(cloned.why);
  if (registered)
    return {
      code: "identity_cloned",
      severity: "info",
      text: `This state was a copy of another node's (${why}), so this node has registered as a new one; what it was before is kept for ${KEPT_VALUES_DAYS} days.`,
      nextStep: "foundry-agent adopt  # only if it is the same node with new hardware; a copy needs nothing",
    };
  const commands =
    unfinishedCommands === 0
      ? " and token"
      : `, token and ${plural(unfinishedCommands, "unfinished command")}`;
  return {
    code: "identity_cloned",
    severity: "warning",
    text: `This state is a copy of another node's (${why}): its identity${commands} are set aside, nothing of it is carried out, and this node registers as a new one.`,
    nextStep: "foundry-agent adopt  # if it is the same node with new hardware",
  };
}

/** null for what is none, or was written by a version that has more to say. */
export function parseCloned(value: unknown): Cloned | null {
  if (value === null || typeof value !== "object") return null;
  const { at, why, unfinishedCommands } = value as Partial<Cloned>;
  if (typeof at !== "number" || typeof why !== "string") return null;
  return { at, why, unfinishedCommands: typeof unfinishedCommands === "number" ? unfinishedCommands : 0 };
}
