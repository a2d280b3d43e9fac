/**
 * packaging/completion/foundry-agent.bash and packaging/completion/_foundry-agent (zsh), made from what the program
 * declares.
 *
 * Static tables and no call of the program: a key press must not wait for a process to start.
 */

import { allCommands } from "../declared.ts";
import { bashCompletion } from "./bash.ts";
import { completed } from "./offers.ts";
import { zshCompletion } from "./zsh.ts";

/** File name in packaging/completion → text. */
export async function completionFiles(): Promise<Readonly<Record<string, string>>> {
  const all = completed(await allCommands());
  return { "foundry-agent.bash": bashCompletion(all), "_foundry-agent": zshCompletion(all) };
}
