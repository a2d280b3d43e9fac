/**
 * "Next: …" as a line that can be typed here: as the program is called here, and to the daemon that was asked when
 * that is not the usual one.
 */
import { labelled } from "../../model/text/next-step.ts";
import { shellWord } from "../../model/text/shell-word.ts";
import { calledHere } from "./program-name.ts";

/** Sub-commands that ask no daemon. */
const ALONE = new Set(["run", "config", "sandbox", "version", "help"]);
/** "…" stands for what was typed, when it is to be typed again in another way. */
const SAME = "foundry-agent …";

/**
 * @param step a next step: a command line, which "  # words" may follow
 * @param socket what `--socket` named, if it was given
 * @returns with `--socket` where it asks a daemon and names none itself
 */
export function toSocket(step: string, socket: unknown): string {
  if (typeof socket !== "string") return step;
  const [, line = "", words = ""] = /^(.*?)(\s+#.*)?$/s.exec(step) ?? [];
  const [, asked = ""] = /^(?:sudo )?foundry-agent ([a-z-]+)[^;&|]*$/.exec(line) ?? [];
  if (asked === "" || ALONE.has(asked) || line.includes("--socket") || line.includes("--help")) return step;
  // Of both, in the folder, the one that will do is taken: status.sock alone would refuse what changes anything.
  const there = socket.replace(/\/status\.sock$/, "");
  return `${line} --socket ${shellWord(there)}${words}`;
}

/** The same as the program is called here. */
export function nextStepHere(step: string, socket: unknown): string {
  return calledHere(toSocket(step, socket));
}

/** "Next: …" as it can be typed here, or "To do: …" where it is no line to type. @param socket what `--socket` named */
export function nextLine(step: string, socket: unknown): string {
  return calledHere(labelled(toSocket(step, socket)));
}

/** With the command line that was typed in place of "foundry-agent …". @param argv what follows the program's name */
export function typedAgain(step: string, argv: readonly string[]): string {
  if (!step.includes(SAME)) return step;
  // A socket that the step names takes the place of the one that was named.
  const kept = step.includes(" --socket ")
    ? argv.filter((word, index) => !/^--socket(?:=|$)/.test(word) && argv[index - 1] !== "--socket")
    : argv;
  return step.replace(SAME, () => ["foundry-agent", ...kept.map(shellWord)].join(" "));
}
