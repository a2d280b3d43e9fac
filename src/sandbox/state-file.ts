/**
 * The sandbox's memory on disk: one JSON file, replaced by rename so that it is never half-written, mode
 * 0600 because the keys are in it.
 */
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import * as v from "valibot";
import { AgentError, errorCode } from "../model/errors.ts";
import { systemWords } from "../model/text/system-words.ts";
import type { SandboxApi } from "./mounted-api.ts";

const StateFile = v.object({
  version: v.literal(1),
  keys: v.record(v.string(), v.string()),
  /** API name → its snapshot. */
  apis: v.record(v.string(), v.unknown()),
});
export type StateFile = v.InferOutput<typeof StateFile>;

/** A state with everything that is known of an account is far below this. */
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * @param apis whose keys it must have, where it holds a state of theirs
 * @returns null when there is none yet, in a folder that is there: none is made, for the path may be mistyped
 * @throws AgentError `state_file_unreadable`
 */
export function readStateFile(
  path: string,
  apis: readonly Pick<SandboxApi, "name" | "keys">[],
): StateFile | null {
  let text: string;
  try {
    // Before it is opened: a FIFO in its place would block, a device may never end.
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) {
      if (isFolder(dirname(path))) return null;
      throw noFolder(path);
    }
    if (!found.isFile() || found.size > MAX_BYTES) throw notOurs(path);
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof AgentError) throw error;
    if (errorCode(error) === "ENOTDIR") throw noFolder(path);
    throw unusable(`${path} can't be read: ${systemWords(error)}.`, ANOTHER, error);
  }
  try {
    const state = v.parse(StateFile, JSON.parse(text));
    // One that was added since has nothing in an older file.
    const wrong = apis
      .filter(({ name }) => Object.hasOwn(state.apis, name))
      .flatMap(({ keys }) => Object.entries(keys))
      .some(([name, prefix]) => !state.keys[name]?.startsWith(prefix));
    if (!wrong && Object.keys(state.apis).length > 0) return state;
  } catch {
    // Without the parser's words as cause: they quote the content, and it may be anybody's.
  }
  throw notOurs(path);
}

/** Whole or not at all. @throws AgentError `state_file_unwritable` */
export function writeStateFile(path: string, state: StateFile): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, `${JSON.stringify(state)}\n`, { mode: 0o600, flush: true });
    renameSync(temporary, path);
  } catch (error) {
    if (existsSync(temporary)) rmSync(temporary);
    const text = `The state file ${path} can't be written: ${systemWords(error)}.`;
    throw new AgentError("state_file_unwritable", text, ANOTHER, { cause: error });
  }
}

/** The state of an API in it can't be loaded: it may still be somebody's, so nobody is told to delete it. */
export function notUnderstood(path: string, api: string, cause: unknown): AgentError {
  return unusable(`${path} holds a state of ${api} that this version does not understand.`, ANOTHER, cause);
}

const ANOTHER = "foundry-agent sandbox --state sandbox-2.json  # one that is not there yet";
const IN_A_FOLDER = "foundry-agent sandbox --state sandbox.json  # in a folder that is there";

function noFolder(path: string): AgentError {
  return unusable(`There is no folder ${dirname(path)} to keep a state file in.`, IN_A_FOLDER);
}

function notOurs(path: string): AgentError {
  return unusable(`${path} is not a state file of the sandbox.`, ANOTHER);
}

function unusable(text: string, nextStep: string, cause?: unknown): AgentError {
  return new AgentError("state_file_unreadable", text, nextStep, cause === undefined ? {} : { cause });
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
