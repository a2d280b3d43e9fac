/** What a shell can offer at each place of a command line, from what the program declares. */
import type { SubCommand } from "../../../src/cli/usage.ts";
import { allCollectors } from "../../../src/collectors/index.ts";
import { COMMAND_TYPES } from "../../../src/commands/index.ts";
import { CONTROL_APIS } from "../../../src/control/index.ts";
import { isPlaceholder, placesOf, valuesOf } from "../declared.ts";

/** What can be offered at a place: words, and what the shell finds out itself. */
export interface Offer {
  readonly words: readonly string[];
  readonly finds: readonly Find[];
}

/** Names of network interfaces and block devices are folders in /sys: listing them takes no process. */
export type Find = "file" | "folder" | "interface" | "device";

/**
 * Prints the members of RAID arrays, of which the kernel shows nothing and only the agent knows. It takes a process, so
 * it is for when no device of /sys fits what was typed.
 */
export const MEMBERS =
  "foundry-agent drives --json 2>/dev/null | " +
  `sed -nE 's/^ *"name": "([a-z0-9]+(_[0-9]+)?_(megaraid|cciss|aacraid|3ware|areca|hpt|sssraid)_[0-9_]+)",?$/\\1/p'`;

/** A sub-command as the shells need it. */
export interface Completed {
  readonly command: SubCommand;
  readonly places: readonly { readonly before: readonly string[]; readonly offer: Offer }[];
  /** Of the options that take a value. */
  readonly values: Readonly<Record<string, Offer>>;
}

const NOTHING: Offer = { words: [], finds: [] };

/** What the names in usage lines stand for; "why ID" is the ID of `why` only. */
function meanings(): Readonly<Record<string, Offer>> {
  const sections = { words: allCollectors().map(({ name }) => name), finds: [] };
  const find = (what: Find): Offer => ({ words: [], finds: [what] });
  return {
    SECTION: sections,
    NAME: sections,
    "why ID": sections,
    API: { words: CONTROL_APIS.map(({ name }) => name), finds: [] },
    INTERFACE: find("interface"),
    DEVICE: find("device"),
    FILE: find("file"),
    PATH: find("file"),
    FOLDER: find("folder"),
    // Only the agent knows these, and it is not asked.
    "ADDRESS:PORT": NOTHING,
    DURATION: NOTHING,
    ID: NOTHING,
    SECONDS: NOTHING,
    REASON: NOTHING,
    SERIAL: NOTHING,
    TEMPLATE: NOTHING,
    TIME: NOTHING,
    "NAME=VALUE": NOTHING,
    TEXT: NOTHING,
    TYPE: { words: COMMAND_TYPES.map(({ type }) => type), finds: [] },
  };
}

/** @throws Error for a name that nobody has said the meaning of */
export function completed(commands: readonly SubCommand[]): Completed[] {
  const known = meanings();
  const offer = (command: SubCommand, words: readonly string[]): Offer => {
    const offers = words.map((word): Offer => {
      if (!isPlaceholder(word)) return { words: [word], finds: [] };
      const found = known[`${command.name} ${word}`] ?? known[word];
      if (found === undefined)
        throw new Error(
          `the usage line of ${command.name} names ${word}: say in scripts/docs/completion/offers.ts, meanings(), what it stands for`,
        );
      return found;
    });
    const all = <T>(lists: readonly (readonly T[])[]): T[] => [...new Set(lists.flat())];
    return { words: all(offers.map((one) => one.words)), finds: all(offers.map((one) => one.finds)) };
  };
  return commands.map((command) => ({
    command,
    places: placesOf(command).map(({ before, words }) => ({ before, offer: offer(command, words) })),
    values: Object.fromEntries(
      Object.entries(command.options)
        .filter(([, { type }]) => type === "string")
        .map(([name]) => [name, offer(command, valuesOf(command, name))]),
    ),
  }));
}
