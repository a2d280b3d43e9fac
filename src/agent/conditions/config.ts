/** What a configuration that was read again has to say for itself. */

import { join } from "node:path";
import { type Config, type LoadedConfig, problemSentence, SYSTEM_FOLDER } from "../../config/config.ts";
import type { ConditionDraft } from "../../model/condition.ts";
import { ownFile } from "../../model/text/own-file.ts";
import { shellWord } from "../../model/text/shell-word.ts";

/**
 * `config_invalid` when the new one can't be used, `restart_needed` when a part of it waits for a restart.
 * @param atStart what the parts were opened with that a reload leaves as they are
 */
export function configConditions(loaded: LoadedConfig, atStart: Config): ConditionDraft[] {
  const [first] = loaded.problems;
  if (first === undefined) return restartNeeded(atStart, loaded.config);
  const more = loaded.problems.length > 1 ? ` (and ${loaded.problems.length - 1} more)` : "";
  const text = `The configuration is not right, so the one before is kept: ${problemSentence(first)}${more}`;
  return [{ code: "config_invalid", severity: "error", text, nextStep: checkCommand(loaded.config) }];
}

/** The line that looks at a daemon's own configuration: started with --config it is not where the command would look. */
function checkCommand({ file }: Pick<Config, "file">): string {
  const usual = file === join(SYSTEM_FOLDER, "config.toml");
  return `foundry-agent config check${usual ? "" : ` --config ${shellWord(file)}`}`;
}

/** What to type where hardware is not to be touched, and is wanted to be. */
export function hardwareStep(config: Pick<Config, "file">): string {
  return `write hardware = true below [agent] in ${ownFile(config.file)}`;
}

function restartNeeded(before: Config, now: Config): ConditionDraft[] {
  const names = [
    ...(before.agent.stateDir === now.agent.stateDir ? [] : ["agent.state_dir"]),
    ...(before.agent.runDir === now.agent.runDir ? [] : ["agent.run_dir"]),
    ...(before.memory.housekeeping === now.memory.housekeeping ? [] : ["memory.housekeeping"]),
  ];
  if (names.length === 0) return [];
  const text = `A new ${names.join(", ")} takes effect with the next start only.`;
  return [{ code: "restart_needed", severity: "warning", text, nextStep: "systemctl restart foundry-agent" }];
}
