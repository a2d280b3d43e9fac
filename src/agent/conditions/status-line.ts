/** One line on how the agent is, for `systemctl status`. */
import type { Executor } from "../../commands/executor/types.ts";
import type { ConditionDraft } from "../../model/condition.ts";
import type { Store } from "../../store/types.ts";
import { commandLine } from "../commands/open.ts";
import type { Configured } from "../configured.ts";
import type { Health } from "./health.ts";

/** A command under way or waiting, else the worst that is wrong, else what it does. */
export function statusLine(health: Health, running: Configured, commands: Executor): string {
  const command = commandLine(commands);
  if (command !== null) return command;
  const worst = health.list()[0];
  if (worst !== undefined && worst.severity !== "info") return worst.text;
  const apis = running.loops.map((loop) => loop.api.name);
  return apis.length === 0 ? "collecting, local only" : `reporting to ${apis.join(", ")}`;
}

/** What is wrong with the state, as a condition. */
export function problemOf(store: Store): ConditionDraft[] {
  return store.problem === null ? [] : [{ severity: "error", ...store.problem }];
}
