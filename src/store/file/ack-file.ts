/**
 * What is known and accepted of drives, as a file of its own beside the state, for root and the agent's user: it
 * outlives a state.db that is lost or put back from a backup. A damaged entry costs only itself, and what can't be
 * read at all is no acceptance: then the drives warn again, and the file is put aside when the next one is written.
 */
import { closeSync, constants, lstatSync, openSync, readSync, renameSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import type { Ack } from "../../collectors/smart/acks/acks.ts";
import type { AckFile } from "../../collectors/smart/acks/book.ts";
import { writeDurable } from "../../helper/policy/durable-file.ts";
import { AgentError, errorCode } from "../../model/errors.ts";
import { shellWord } from "../../model/text/shell-word.ts";

export const ACK_FILE = "drive-acks.json";
const MAX_BYTES = 2 * 1024 * 1024;
const MAX_ACKS = 1_000;
const MAX_REASONS = 64;

/** Made when there is a file to read, which is seldom. */
function ackSchema() {
  const text = (most: number) => v.pipe(v.string(), v.maxLength(most));
  const number = v.nullable(v.pipe(v.number(), v.finite()));
  return v.object({
    drive: v.pipe(text(512), v.minLength(1)),
    by: text(128),
    at: text(40),
    note: v.nullable(text(1_000)),
    reasons: v.pipe(
      v.array(v.object({ code: text(64), attribute: number, value: number })),
      v.maxLength(MAX_REASONS),
    ),
  });
}

/** @param folder of the state, made when the state is opened */
export function openAckFile(folder: string): AckFile {
  const path = join(folder, ACK_FILE);
  let unreadable = false;

  return {
    read() {
      try {
        const { drives } = v.parse(v.object({ drives: v.array(v.unknown()) }), JSON.parse(readSmall(path)));
        const schema = ackSchema();
        const acks = drives.slice(0, MAX_ACKS).flatMap((entry): Ack[] => {
          const parsed = v.safeParse(schema, entry);
          return parsed.success ? [parsed.output] : [];
        });
        const lost = drives.length - acks.length;
        unreadable = lost > 0;
        return {
          acks,
          problem: lost === 0 ? null : `${path} has entries that can't be read (${lost} of ${drives.length})`,
        };
      } catch (error) {
        if (errorCode(error) === "ENOENT") return { acks: [], problem: null };
        unreadable = true;
        return { acks: [], problem: `${path} ${whatIsWrong(error)}` };
      }
    },
    write(acks) {
      try {
        if (unreadable && lstatSync(path, { throwIfNoEntry: false }) !== undefined)
          renameSync(path, `${path}.damaged`);
        unreadable = false;
        writeDurable(path, `${JSON.stringify({ drives: acks }, null, 2)}\n`);
      } catch (error) {
        const code = errorCode(error instanceof AgentError ? error.cause : error);
        throw new AgentError(
          "ack_not_durable",
          `${path} can't be written (${code}), so nothing has changed`,
          `df ${shellWord(folder)}; ls -ld ${shellWord(folder)}`,
        );
      }
    },
  };
}

/** What a file says that is one and not too large; no link is followed and nothing is waited for. */
function readSmall(path: string): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const bytes: Buffer[] = [];
    let length = 0;
    for (;;) {
      const part = Buffer.alloc(64 * 1024);
      const got = readSync(fd, part, 0, part.length, null);
      if (got === 0) break;
      length += got;
      if (length > MAX_BYTES) throw new AgentError("too_big", `more than ${MAX_BYTES} bytes`);
      bytes.push(part.subarray(0, got));
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(bytes));
  } finally {
    closeSync(fd);
  }
}

function whatIsWrong(error: unknown): string {
  if (error instanceof AgentError) return `has ${error.message}`;
  if (error instanceof SyntaxError || error instanceof TypeError || error instanceof v.ValiError)
    return "does not say what is accepted";
  return `can't be read (${errorCode(error)})`;
}
