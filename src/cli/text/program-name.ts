/**
 * How this program is called where it runs: by its name where that is installed, else by what can be typed instead.
 * The only place that decides it; every line that people are to type passes `calledHere` on its way to them.
 */
import { realpathSync } from "node:fs";
import { basename, join } from "node:path";
import { shellWord } from "../../model/text/shell-word.ts";

export const PROGRAM = "foundry-agent";
/** Where a line may name the program: at its beginning, after sudo, another command or the words before it. */
const NAMED = /(?<=^ *|sudo |then |[|;&:(] ?|# |`)foundry-agent(?= (?:[a-z]|--|SUB-COMMAND))/gm;

/**
 * @param env FOUNDRY_AGENT_CALLED is set by whoever starts the program in its own way (scripts/agent.mjs)
 * @param executable of this process
 * @returns `foundry-agent`, `npm run -s agent --`, or the path of an executable that is not in PATH
 */
export function programHere(env = process.env, executable = process.execPath): string {
  const { FOUNDRY_AGENT_CALLED: called, PATH: path = "" } = env;
  if (called !== undefined && called !== "") return called;
  // Node with a script of ours: a test, or a place that nobody has a name for.
  if (!basename(executable).startsWith(PROGRAM)) return PROGRAM;
  const own = realpath(executable);
  const found = ["/usr/bin", ...path.split(":")].some(
    (folder) => folder.startsWith("/") && realpath(join(folder, PROGRAM)) === own,
  );
  return found ? PROGRAM : shellWord(executable);
}

/** A command line, or words with some in them, as it can be typed here. */
export function calledHere(text: string, program = programHere()): string {
  return program === PROGRAM ? text : text.replace(NAMED, () => program);
}

function realpath(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null; // not there
  }
}
