/** What is wrong, for `why`: the conditions, and what fails and is no condition yet, since one lost run is no event. */
import { conditionKey } from "../../model/condition.ts";
import type { Section } from "../../model/report.ts";
import { clause } from "../../model/text/sentence.ts";
import type { AgentView } from "../agent-view.ts";
import { rfc3339 } from "../wire/rfc3339.ts";
import type { ConditionWire } from "../wire/schemas.ts";
import { conditionWire, reasonWire } from "../wire/wire.ts";

/** Reasons that a condition of the helper's own stands for. */
const OF_OTHERS = /^helper_/;

/** Worst first; those that are none yet behind the warnings. */
export function everythingWrong(view: AgentView): ConditionWire[] {
  const status = view.status();
  const conditions = status.conditions.map(conditionWire);
  const ranAt = new Map(status.collectors.map(({ name, lastRunAt }) => [name, lastRunAt]));
  const told = new Set(conditions.map(({ id }) => id));
  const young = Object.values(view.report().sections)
    .flatMap((section) => failing(section, ranAt.get(section.name) ?? null) ?? [])
    .filter(({ id }) => !told.has(id));
  const notes = conditions.findIndex(({ severity }) => severity === "info");
  const at = notes === -1 ? conditions.length : notes;
  return [...conditions.slice(0, at), ...young, ...conditions.slice(at)];
}

/** As the condition that a second failure in a row will raise; null where it does not fail. */
function failing({ name, state, reason }: Section, ranAt: number | null): ConditionWire | null {
  const why = reasonWire(reason);
  if ((state !== "failed" && state !== "stale") || why === null || OF_OTHERS.test(why.code)) return null;
  const code = "collector_failed";
  return {
    id: conditionKey({ code, subject: name }),
    code,
    subject: name,
    severity: "warning",
    text: `The section ${name} could not be collected the last time: ${clause(why.text)}.`,
    next_step: why.next_step ?? `foundry-agent collect ${name}`,
    since: rfc3339(ranAt),
  };
}
