/** Whether a server confirms the report that it was sent; one that confirms another is a condition, and no more. */
import type { ControlContext } from "../../control-api.ts";
import type { Sequence } from "./sequence.ts";

/** Too low a number is told from the third in a row on: one that is lost is no news. */
const LOW_TO_TELL = 3;

/**
 * Raise or clear `report_count_wrong` by what an answer to report `sent` confirms.
 * @param said.before reports in a row that were not confirmed, without this one
 * @returns whether it confirms what was sent
 */
export function judgeAck(
  { conditions }: ControlContext,
  sequence: Sequence,
  { api, sent, acknowledged, before }: { api: string; sent: number; acknowledged: number; before: number },
): boolean {
  if (acknowledged === sent) {
    conditions.clear("report_count_wrong", api);
    return true;
  }
  const beyond = acknowledged > sent;
  if (!beyond && before + 1 < LOW_TO_TELL) return false;
  const followed = beyond && sequence.follow(acknowledged);
  const why = !beyond
    ? "so it is not known whether it was kept"
    : followed
      ? "so it has one from a state of this node that is lost, or from a copy; counting goes on behind it"
      : "which no node has ever come to; counting goes on as before";
  conditions.raise({
    code: "report_count_wrong",
    subject: api,
    severity: "warning",
    text: `NodeFoundry confirms report ${acknowledged} where ${sent} was sent, ${why}. Until it confirms what is sent, each report is sent whole.`,
    nextStep: "foundry-agent enroll  # begins to count anew; if this comes back, tell who runs the server",
  });
  return false;
}
