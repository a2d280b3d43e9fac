/**
 * packaging/man/foundry-agent.1, foundry-agent.8 and foundry-agent-config.5, made from what the program declares.
 *
 * A page's date is the day on which something in it last changed, so making it again makes the same bytes.
 */
import { readFileSync } from "node:fs";
import manifest from "../../package.json" with { type: "json" };
import type { SubCommand } from "../../src/cli/usage.ts";
import { allCollectors } from "../../src/collectors/index.ts";
import { allCommands } from "./declared.ts";
import { commandsPage, daemonPage } from "./man-commands.ts";
import { configPage } from "./man-config.ts";
import type { PageHead } from "./roff.ts";

const FOLDER = new URL("../../packaging/man/", import.meta.url);
const ABOUT = `${manifest.description.charAt(0).toLowerCase()}${manifest.description.slice(1)}`;

const PAGES: Readonly<Record<string, (head: PageHead, commands: readonly SubCommand[]) => string>> = {
  "foundry-agent.1": (head, commands) => commandsPage(head, ABOUT, commands),
  "foundry-agent.8": (head, commands) => daemonPage(head, commands),
  "foundry-agent-config.5": (head) => configPage(head, allCollectors()),
};

/**
 * File name in packaging/man → text.
 * @param today YYYY-MM-DD, for pages that changed
 * @param committed the page that there is, "" for none
 */
export async function manPages(
  today: string,
  committed: (name: string) => string,
): Promise<Readonly<Record<string, string>>> {
  const commands = await allCommands();
  const { version } = manifest;
  return Object.fromEntries(
    Object.entries(PAGES).map(([file, make]) => {
      const dot = file.lastIndexOf(".");
      const head = { name: file.slice(0, dot), chapter: Number(file.slice(dot + 1)), version };
      const old = committed(file);
      const [date] = /\d{4}-\d\d-\d\d/.exec(/^\.TH .*$/m.exec(old)?.[0] ?? "") ?? [today];
      const same = make({ ...head, date }, commands);
      return [file, same === old ? old : make({ ...head, date: today }, commands)];
    }),
  );
}

/** The page in packaging/man, or "". */
export function committedPage(name: string): string {
  try {
    return readFileSync(new URL(name, FOLDER), "utf8");
  } catch {
    return ""; // it is about to be made
  }
}
