/**
 * The sandbox's memory on disk: one JSON file, replaced by rename so that it is never half-written, mode
 * 0600 because the keys are in it.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import * as v from "valibot";
import { AgentError } from "../model/errors.ts";

const key = (prefix: string) => v.pipe(v.string(), v.startsWith(prefix));

const StateFile = v.object({
  version: v.literal(1),
  keys: v.object({
    live: key("nf_sk_live_"),
    test: key("nf_sk_test_"),
    readOnly: key("nf_sk_ro_"),
    enrol: key("nf_en_"),
  }),
  /** API name → its snapshot. */
  apis: v.record(v.string(), v.unknown()),
});
export type StateFile = v.InferOutput<typeof StateFile>;

/** @returns null when there is none yet. @throws AgentError `state_file_unreadable` */
export function readStateFile(path: string): StateFile | null {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw unreadable(path, error);
  }
  try {
    return v.parse(StateFile, JSON.parse(text));
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Whole or not at all. */
export function writeStateFile(path: string, state: StateFile): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(state)}\n`, { mode: 0o600, flush: true });
  renameSync(temporary, path);
}

function unreadable(path: string, cause: unknown): AgentError {
  const why = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
  return new AgentError(
    "state_file_unreadable",
    `${path} is not a state file of the sandbox: ${why}.`,
    `rm ${path}`,
    {
      cause,
    },
  );
}
