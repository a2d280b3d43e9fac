/** What can be wrong with the state, as a person reads it: stable code, one sentence, what to do next. */
import { AgentError, errorCode } from "../../model/errors.ts";
import type { Store } from "../types.ts";
import type { Failure } from "./database.ts";

type Problem = NonNullable<Store["problem"]>;

/** Found damaged at opening; a fresh state is in its place. */
export function corrupt(folder: string, movedTo: string): Problem {
  return {
    code: "state_corrupt",
    text: `The state in ${folder} was damaged and is kept as ${movedTo}; this node starts with an empty one, registers anew and executes nothing it was asked before.`,
    nextStep: `dmesg --level err,warn  # and foundry-agent drives: is the disk sound? ${movedTo} may be deleted when nobody needs it`,
  };
}

/** Found damaged by a read or write while running; nothing is kept on disk until a restart. */
export function corruptWhileRunning(folder: string, movedTo: string | null): Problem {
  const kept = movedTo === null ? "" : ` and is kept as ${movedTo}`;
  return {
    code: "state_corrupt",
    text: `The state in ${folder} turned out to be damaged${kept}; reporting goes on from memory, events not yet delivered may be lost, and commands are refused.`,
    nextStep:
      "dmesg --level err,warn  # and foundry-agent drives: is the disk sound? Then: systemctl restart foundry-agent",
  };
}

export function tooNew(folder: string): Problem {
  return {
    code: "state_too_new",
    text: `The state in ${folder} was written by a newer foundry-agent that this version can't follow; reporting goes on, commands are refused.`,
    nextStep: "foundry-agent version  # install the newer one again",
  };
}

/** There was no state to be had at start, and now there is one. */
export function appeared(folder: string): Problem {
  return {
    code: "state_appeared",
    text: `The state in ${folder} appeared after the agent had started without one (mounted late?); it is used from the next start on.`,
    nextStep: "systemctl restart foundry-agent",
  };
}

export function notWritable(folder: string, failure: Failure, cause: unknown): Problem {
  if (failure === "full")
    return {
      code: "state_full",
      text: `There is no space left for the state in ${folder}; events are kept in memory until there is.`,
      nextStep: `df -h ${folder}  # make room there`,
    };
  return {
    code: "state_not_writable",
    text: `The state in ${folder} can't be written (${reason(cause)}); events are kept in memory, remote commands are refused.`,
    nextStep: `findmnt -T ${folder}; ls -ld ${folder}  # mounted read-only? whose is it?`,
  };
}

/** For a journal write that was not done. */
export function refusal(code: string, problem: Problem | null, cause?: unknown): AgentError {
  return new AgentError(
    code,
    problem?.text ?? "the command journal can't be written, so commands are refused",
    problem?.nextStep ?? null,
    { cause },
  );
}

function reason(cause: unknown): string {
  const code = errorCode(cause);
  return code === "ERR_SQLITE_ERROR" && cause instanceof Error ? cause.message : code;
}
