/**
 * Checks of the host's own: programs that root has put into one folder, run before a reboot and after it. They run as
 * this process does, without any right of their own and within its sandbox (docs/adr/0016): what only root may know is
 * for a unit of theirs to find out, whose verdict a check reads.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Item } from "../../../commands/after-boot/picture.ts";
import { refuseUntrusted } from "../../../helper/policy/trusted-file.ts";
import type { ConditionDraft } from "../../../model/condition.ts";
import { AgentError, errorCode } from "../../../model/errors.ts";
import { printable, scrubSecrets } from "../../../model/text/scrub.ts";
import { sentence } from "../../../model/text/sentence.ts";
import { shellWord } from "../../../model/text/shell-word.ts";
import { type ProgramResult, type RunProgram, runProgram } from "../../../system/program.ts";

/** More than these, in the order of their names, are not run. */
export const MAX_CHECKS = 16;
const AT_ONCE = 4;
const MAX_OUTPUT_BYTES = 4 * 1024;
const MAX_SAID = 200;
/** As run-parts(8) reads names, with dots; what package managers leave beside a changed file is none. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/;
const LEFT_BEHIND = /\.(?:dpkg-[a-z]+|rpm(?:new|save|orig)|bak|swp)$/;

export interface CheckOptions {
  readonly folder: string;
  /** Whose files are run beside root's: 0 but in tests. */
  readonly owner: number;
  readonly timeoutMs: number;
  readonly run?: RunProgram;
}

export interface FoundChecks {
  /** Name → the program itself, links followed. */
  readonly checks: ReadonlyMap<string, string>;
  /** Each one that is there and is not run. */
  readonly problems: readonly ConditionDraft[];
}

/** Those that may be run. No folder: none. Never throws. */
export function findChecks({ folder, owner }: Pick<CheckOptions, "folder" | "owner">): FoundChecks {
  const checks = new Map<string, string>();
  const problems: ConditionDraft[] = [];
  const names = namesIn(folder, problems);
  for (const name of names.slice(0, MAX_CHECKS)) {
    try {
      checks.set(name, refuseUntrusted(join(folder, name), owner));
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      problems.push(notRun(name, error.message, error.nextStep));
    }
  }
  const [more] = names.slice(MAX_CHECKS);
  if (more !== undefined)
    problems.push(
      notRun(
        more,
        `${folder} has ${names.length} checks, at most ${MAX_CHECKS} are run`,
        `ls ${shellWord(folder)}`,
      ),
    );
  return { checks, problems };
}

/**
 * Run these, a few at once. What has not ended when the signal fires is `unknown`.
 * @param wanted names; null: all that are found
 */
export async function runChecks(
  { checks }: FoundChecks,
  wanted: ReadonlySet<string> | null,
  { timeoutMs, run = runProgram }: CheckOptions,
  signal: AbortSignal,
): Promise<Item[]> {
  const waiting = [...checks].filter(([name]) => wanted?.has(name) ?? true);
  const items: Item[] = [];
  async function work(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [name, path] = next;
      items.push({ kind: "check", id: name, name, ...(await verdict(path, timeoutMs, run, signal)) });
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return items.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function verdict(
  path: string,
  timeoutMs: number,
  run: RunProgram,
  signal: AbortSignal,
): Promise<Pick<Item, "is" | "said">> {
  try {
    const result = await run([path], { timeoutMs, maxOutputBytes: MAX_OUTPUT_BYTES, signal });
    if (result.ended === "aborted") return { is: "unknown" };
    return result.ended === "exited" && result.status === 0
      ? { is: "works" }
      : { is: "fails", said: why(result, timeoutMs) };
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    return { is: "fails", said: error.message };
  }
}

function why({ ended, status, stdout, stderr }: ProgramResult, timeoutMs: number): string {
  if (ended === "timed_out") return `it was not done in ${Math.round(timeoutMs / 1_000)} s and was ended`;
  if (ended === "too_much_output") return `it printed more than ${MAX_OUTPUT_BYTES} bytes and was ended`;
  if (ended === "killed") return "it was ended by a signal";
  const line = `${stdout}\n${stderr}`.split("\n").find((one) => one.trim() !== "");
  return line === undefined
    ? `it ended with ${status} and said nothing`
    : scrubSecrets(printable(line.trim())).slice(0, MAX_SAID);
}

function namesIn(folder: string, problems: ConditionDraft[]): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => NAME.test(name) && !LEFT_BEHIND.test(name))
      .sort();
  } catch (error) {
    if (errorCode(error) !== "ENOENT")
      problems.push(
        notRun("all", `${folder} can't be read (${errorCode(error)})`, `ls -ld ${shellWord(folder)}`),
      );
    return [];
  }
}

function notRun(name: string, why: string, nextStep: string | null): ConditionDraft {
  return {
    code: "check_not_run",
    subject: name,
    severity: "warning",
    text: `${sentence(why)} It is not run before and after a reboot.`,
    nextStep,
  };
}
