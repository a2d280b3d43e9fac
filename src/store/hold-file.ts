/**
 * The hold as a file of its own beside the state, for root and the agent's user: it outlives a state.db that is lost,
 * damaged or brought back from a backup, and a person can read it when the agent can't. What is there and can't be
 * read as a hold counts as one: somebody wanted nothing to happen.
 */
import { closeSync, constants, fsyncSync, lstatSync, openSync, readSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import * as v from "valibot";
import type { HoldPort } from "../commands/executor/ports.ts";
import { writeDurable } from "../helper/policy/durable-file.ts";
import { AgentError, errorCode } from "../model/errors.ts";
import { shellWord } from "../model/text/shell-word.ts";

export const HOLD_FILE = "hold.json";
/** A reason is a sentence; what is longer was not written by this program. */
const MAX_BYTES = 16 * 1024;

/** Made when there is a file to read, which is seldom. */
function holdText() {
  const time = v.pipe(
    v.string(),
    v.maxLength(40),
    v.transform((text) => Date.parse(text)),
    v.number(),
    v.finite(),
  );
  return v.object({ reason: v.string(), by: v.string(), since: time, until: v.nullable(time) });
}

/** @param folder of the state, made when the state is opened */
export function openHoldFile(folder: string): HoldPort {
  const path = join(folder, HOLD_FILE);

  return {
    read() {
      let changedAt = 0;
      try {
        changedAt = lstatSync(path).mtimeMs;
        return { hold: v.parse(holdText(), JSON.parse(readSmall(path))), unreadable: null };
      } catch (error) {
        const code = errorCode(error);
        // Without a folder nobody can have held anything in it.
        if (code === "ENOENT" && changedAt === 0) return { hold: null, unreadable: null };
        const reason = "what was said of it can't be read";
        const hold = { reason, by: "somebody", since: changedAt, until: null };
        return { hold, unreadable: `${path} ${whatIsWrong(error)}` };
      }
    },
    write({ reason, by, since, until }) {
      const iso = (at: number): string => new Date(at).toISOString();
      const text = { reason, by, since: iso(since), until: until === null ? null : iso(until) };
      try {
        writeDurable(path, `${JSON.stringify(text, null, 2)}\n`);
      } catch (error) {
        const why = error instanceof Error ? errorCode(error.cause) : "unknown";
        throw new AgentError("hold_not_durable", `${path} can't be written (${why})`, look(folder));
      }
    },
    remove() {
      try {
        if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) unlinkSync(path);
        syncFolder(dirname(path));
      } catch (error) {
        // Where the folder is not there, neither is the file.
        if (errorCode(error) === "ENOENT") return;
        throw new AgentError(
          "hold_not_released",
          `${path} can't be removed (${errorCode(error)})`,
          look(folder),
        );
      }
    },
  };
}

/** What a file says that is one and small; no link is followed and nothing is waited for. */
function readSmall(path: string): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const bytes = Buffer.alloc(MAX_BYTES + 1);
    let length = 0;
    for (let got = -1; got !== 0 && length < bytes.length; length += got)
      got = readSync(fd, bytes, length, bytes.length - length, null);
    if (length > MAX_BYTES) throw new AgentError("too_big", `more than ${MAX_BYTES} bytes`);
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, length));
  } finally {
    closeSync(fd);
  }
}

function whatIsWrong(error: unknown): string {
  if (error instanceof AgentError) return `has ${error.message}`;
  if (error instanceof SyntaxError || error instanceof TypeError || error instanceof v.ValiError)
    return "does not say who holds what";
  return `can't be read (${errorCode(error)})`;
}

function syncFolder(folder: string): void {
  const fd = openSync(folder, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function look(folder: string): string {
  return `df ${shellWord(folder)}; ls -ld ${shellWord(folder)}`;
}
