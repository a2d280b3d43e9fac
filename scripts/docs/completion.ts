/**
 * Writes packaging/completion/foundry-agent.bash and packaging/completion/_foundry-agent (zsh) from what the
 * program declares: `node scripts/docs/completion.ts`. A test holds the two files to it.
 *
 * Static tables and no call of the program: a key press must not wait for a process to start.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { bashCompletion } from "./completion-bash.ts";
import { completed } from "./completion-offers.ts";
import { zshCompletion } from "./completion-zsh.ts";
import { allCommands } from "./declared.ts";

/** File name → content. */
export async function completionFiles(): Promise<Readonly<Record<string, string>>> {
  const all = completed(await allCommands());
  return { "foundry-agent.bash": bashCompletion(all), "_foundry-agent": zshCompletion(all) };
}

if (import.meta.main) {
  const folder = new URL("../../packaging/completion/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(await completionFiles()))
    writeFileSync(new URL(name, folder), text);
}
