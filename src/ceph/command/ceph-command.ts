/**
 * The `ceph` program, the one way this agent talks to a cluster: an environment of its own (a site's CEPH_ARGS would
 * override our key), every time-out Ceph has and a hard one beside them (with its manager away many calls never end),
 * one call at a time (each is a Python process of 50 MB), and an answer that is JSON of the shape expected or an error.
 */
import * as v from "valibot";
import { AgentError } from "../../model/errors.ts";
import { type ProgramResult, type RunProgram, runProgram } from "../../system/program.ts";
import { type CephAccess, cephFailure } from "./failure.ts";

/** Seconds until the first monitor must have answered, and until a call must have ended. */
const CONNECT_S = 5;
const CALL_S = 10;
/** Its own time-outs come first; Python's start on a busy Pi takes seconds. */
const HARD_MS = 25_000;
/** An OSD map is about 1 KB an OSD: some thousands of them. */
const MAX_OUTPUT_BYTES = 8 * 1024 * 1024;

export interface CephCommand {
  /**
   * The answer to a call that only reads.
   * @param words of the call: `["osd", "dump"]`
   * @throws AgentError `program_missing`, those of `cephFailure`, `ceph_answer` (no JSON, or another shape)
   */
  ask<T>(words: readonly string[], schema: v.GenericSchema<unknown, T>, signal?: AbortSignal): Promise<T>;
}

export function cephCommand(access: CephAccess, run: RunProgram = runProgram): CephCommand {
  let tail: Promise<unknown> = Promise.resolve();

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = tail.then(work);
    tail = turn.catch(() => undefined);
    return turn;
  }

  async function call(words: readonly string[], signal?: AbortSignal): Promise<ProgramResult> {
    const { conf, name, keyring } = access;
    return await run(
      [
        "ceph",
        ...["--conf", conf, "--name", name, "--keyring", keyring],
        ...["--connect-timeout", String(CONNECT_S), "--rados_mon_op_timeout", String(CALL_S)],
        ...["--format", "json", ...words],
      ],
      { timeoutMs: HARD_MS, maxOutputBytes: MAX_OUTPUT_BYTES, ...(signal === undefined ? {} : { signal }) },
    );
  }

  return {
    ask: (words, schema, signal) =>
      inTurn(async () => {
        const result = await call(words, signal);
        if (result.ended !== "exited" || result.status !== 0) throw cephFailure(access, words, result);
        return parseAnswer(words, result.stdout, schema);
      }),
  };
}

/** What stands behind the empty line that the program prints first. Pure. @throws AgentError `ceph_answer` */
export function parseAnswer<T>(
  words: readonly string[],
  text: string,
  schema: v.GenericSchema<unknown, T>,
): T {
  const parsed = v.safeParse(schema, fromJson(text));
  if (parsed.success) return parsed.output;
  const at = v.getDotPath(parsed.issues[0]);
  throw new AgentError(
    "ceph_answer",
    `the answer to ceph ${words.join(" ")} has another shape than expected${at === null ? "" : ` (at ${at})`}`,
    "ceph --version",
  );
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What Ceph divides by nothing (an OSD without a size) it prints as nan, which is no JSON.
    return withoutNan(text);
  }
}

function withoutNan(text: string): unknown {
  try {
    return JSON.parse(text.replace(/([:[,]\s*)-?(?:nan|inf(?:inity)?)(?=\s*[,}\]])/gi, "$1null"));
  } catch {
    return undefined;
  }
}
