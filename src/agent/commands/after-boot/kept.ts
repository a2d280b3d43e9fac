/** What a reboot has left broken, as it is kept over restarts and as it is said. Pure. */
import { type Regression, STANDINGS } from "../../../commands/after-boot/picture.ts";
import { conditionText } from "../../../commands/after-boot/words.ts";
import type { ConditionDraft } from "../../../model/condition.ts";
import { AgentError } from "../../../model/errors.ts";

export interface Kept {
  readonly commandId: string;
  readonly regressed: readonly Regression[];
}

export function conditionOf({ commandId, regressed }: Kept): ConditionDraft {
  return {
    code: "worse_after_reboot",
    severity: "warning",
    text: conditionText(commandId, regressed),
    nextStep: `foundry-agent commands ${commandId}  # if it is to stay so: foundry-agent commands ack ${commandId}`,
  };
}

/** @param kept what is missed, of another reboot than was named; null: nothing */
export function nothingToAccept(kept: Kept | null): AgentError {
  return kept === null
    ? new AgentError("nothing_to_ack", "nothing is missed since a reboot", "foundry-agent status")
    : new AgentError(
        "nothing_to_ack",
        `what is missed since a reboot is missed since ${kept.commandId}`,
        `foundry-agent commands ack ${kept.commandId}`,
      );
}

/** Of a value that may be another version's; null: nothing that can be used. */
export function keptOf(text: string | null): Kept | null {
  if (text === null) return null;
  try {
    const { commandId, regressed } = JSON.parse(text) as Partial<Kept>;
    if (typeof commandId !== "string" || !Array.isArray(regressed)) return null;
    const known = regressed.filter(({ kind }) => Object.hasOwn(STANDINGS, kind));
    return known.length === 0 ? null : { commandId, regressed: known };
  } catch {
    return null;
  }
}
