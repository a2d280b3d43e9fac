/**
 * What the program declares about its own command line, for the pages and tables made from it: the sub-commands,
 * the words that may follow each (read out of its usage line, the only place where they stand), exit codes.
 */
import { COMMANDS } from "../../src/cli/commands.ts";
import { EXIT_MEANINGS } from "../../src/cli/output.ts";
import type { OptionDeclaration, SubCommand } from "../../src/cli/usage.ts";

/** As every sub-command has it, beside its own options. */
export const HELP_OPTION: OptionDeclaration = {
  type: "boolean",
  short: "h",
  help: "print this and end",
};

/** All, hidden ones too, in the order of the overview. */
export function allCommands(): Promise<SubCommand[]> {
  return Promise.all(Object.values(COMMANDS).map((load) => load()));
}

/** `0 ok`, `1 failed; of status: not well`, … as the overview names them. */
export function exitCodes(): [code: string, meaning: string][] {
  return EXIT_MEANINGS.map(([code, meaning]) => [String(code), meaning]);
}

/** A name in capitals stands for something; anything else is typed as it stands. */
export function isPlaceholder(word: string): boolean {
  return /^[A-Z]/.test(word);
}

/** What may stand at one place: `DEVICE`, `SERIAL`, `forget`. */
export interface Place {
  /** The words before it, `*` where a name stands. */
  readonly before: readonly string[];
  readonly words: readonly string[];
}

/**
 * The places for words after a sub-command, those reached by words typed as they stand first: of
 * `[DEVICE|SERIAL | forget SERIAL]` the first place (DEVICE, SERIAL, forget) and the one after `forget`.
 */
export function placesOf(command: Pick<SubCommand, "usage" | "options">): Place[] {
  const places = new Map<string, { before: string[]; words: Set<string> }>();
  for (const line of linesOf(command)) {
    let befores: string[][] = [[]];
    for (const alternatives of line) {
      for (const before of befores) {
        const place = places.get(before.join(" ")) ?? { before, words: new Set<string>() };
        for (const word of alternatives) place.words.add(word);
        places.set(before.join(" "), place);
      }
      const steps = new Set(alternatives.map((word) => (isPlaceholder(word) ? "*" : word)));
      befores = befores.flatMap((before) => [...steps].map((step) => [...before, step]));
    }
  }
  const stars = ({ before }: Place): number => before.filter((word) => word === "*").length;
  return [...places.values()]
    .map(({ before, words }) => ({ before, words: [...words] }))
    .sort((a, b) => stars(a) - stars(b));
}

/** What may follow an option: `PATH`, `-` and `FILE`; as the usage line has it, else as the option says. */
export function valuesOf({ usage, options }: Pick<SubCommand, "usage" | "options">, name: string): string[] {
  const option = options[name];
  if (option?.type !== "string") return [];
  const inUsage = new RegExp(`--${name} ([^\\s\\]]+)`).exec(usage)?.[1];
  return (inUsage ?? option.value ?? "VALUE").split("|");
}

/** Every way in which words may follow; each a list of places, each place a list of alternatives. */
function linesOf({ usage, options }: Pick<SubCommand, "usage" | "options">): string[][][] {
  const tokens = usage.replace(/[[\]]/g, " $& ").split(/\s+/).filter(Boolean);
  let at = 0;

  /** Up to the closing bracket: alternatives, each a list of places. */
  function group(): string[][][] {
    const done: string[][][] = [];
    let lines: string[][][] = [[]];
    for (; at < tokens.length && tokens[at] !== "]"; at++) {
      const token = tokens[at] as string;
      if (token === "|") {
        done.push(...lines);
        lines = [[]];
      } else if (token === "[") {
        at++;
        const inner = group().filter((line) => line.length > 0);
        if (inner.length > 0) lines = lines.flatMap((line) => inner.map((more) => [...line, ...more]));
      } else if (token.startsWith("-")) {
        if (options[token.replace(/^--/, "")]?.type === "string") at++;
      } else lines = lines.map((line) => [...line, token.replace(/(?:…|\.\.\.)$/, "").split("|")]);
    }
    return [...done, ...lines];
  }

  return group();
}
