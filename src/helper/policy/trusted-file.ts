/**
 * Files the helper believes: only those that nobody but their owner (root) can have written. Judged on what was
 * opened, not on the name, and the folders above it count too: who may rename in one of them decides what is
 * found under the name.
 */

import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  realpathSync,
  type Stats,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { AgentError, errorCode } from "../../model/errors.ts";
import { shellWord } from "../../model/text/shell-word.ts";

const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

/**
 * Text of a file that only `owner` (and root) can have written; null when there is none.
 * @throws AgentError `file_not_trusted` (with the line that mends it), `file_unreadable`
 */
export function readTrusted(path: string, owner: number, maxBytes: number): string | null {
  let fd: number;
  try {
    // O_NONBLOCK: a FIFO in its place must be refused and not waited for.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return null;
    throw unreadable(path, `can't be opened (${errorCode(error)})`, error);
  }
  try {
    const found = fstatSync(fd);
    if (!found.isFile()) throw unreadable(path, "is no regular file");
    refuseForeign(path, found, owner, "0644");
    refuseForeignFolders(path, owner);
    if (found.size > maxBytes)
      throw unreadable(path, `has ${found.size} bytes, at most ${maxBytes} are read`);
    const buffer = Buffer.alloc(maxBytes + 1);
    let length = 0;
    for (let got = -1; got !== 0 && length < buffer.length; length += got)
      got = readSync(fd, buffer, length, buffer.length - length, null);
    if (length > maxBytes) throw unreadable(path, "grew while it was read");
    return new TextDecoder("utf-8", { fatal: true }).decode(buffer.subarray(0, length));
  } catch (error) {
    if (error instanceof AgentError) throw error;
    if (error instanceof TypeError) throw unreadable(path, "is no text in UTF-8", error);
    throw unreadable(path, `can't be read (${errorCode(error)})`, error);
  } finally {
    closeSync(fd);
  }
}

/**
 * The program behind a path, links followed, if only `owner` (and root) can have written it or put it there: also no
 * folder above it, nor above a link to it, is anybody else's.
 * @throws AgentError `file_not_trusted` (with the line that mends it), `file_unreadable`
 */
export function refuseUntrusted(path: string, owner: number): string {
  try {
    const real = realpathSync(path);
    const found = statSync(real);
    if (!found.isFile()) throw unreadable(path, "is no regular file");
    refuseForeign(path, found, owner, "0755");
    refuseForeignFolders(real, owner);
    refuseFolders(realpathSync(dirname(path)), owner);
    accessSync(real, constants.X_OK);
    return real;
  } catch (error) {
    if (error instanceof AgentError) throw error;
    if (errorCode(error) !== "EACCES") throw unreadable(path, `can't be read (${errorCode(error)})`, error);
    throw new AgentError("file_not_trusted", `${path} may not be run`, `chmod 0755 ${shellWord(path)}`, {
      cause: error,
    });
  }
}

/**
 * All folders from the file (links followed) up to the root.
 * @throws AgentError `file_not_trusted`
 */
function refuseForeignFolders(path: string, owner: number): void {
  refuseFolders(dirname(realpathSync(path)), owner);
}

function refuseFolders(from: string, owner: number): void {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = lstatSync(folder);
    // In a sticky folder (/tmp) nobody can rename what is not his.
    if ((found.mode & STICKY) === 0 || (found.uid !== 0 && found.uid !== owner))
      refuseForeign(folder, found, owner, "0755");
    if (folder === "/") return;
  }
}

function refuseForeign(path: string, { uid, mode }: Stats, owner: number, right: string): void {
  const word = shellWord(path);
  const mend = `chown ${owner === 0 ? "root:root" : owner} ${word} && chmod ${right} ${word}`;
  if (uid !== 0 && uid !== owner)
    throw new AgentError("file_not_trusted", `${path} belongs to uid ${uid} and not to root`, mend);
  if ((mode & OTHERS_WRITE) !== 0)
    throw new AgentError("file_not_trusted", `${path} can be changed by others than its owner`, mend);
}

function unreadable(path: string, what: string, cause?: unknown): AgentError {
  return new AgentError("file_unreadable", `${path} ${what}`, `ls -lL ${shellWord(path)}`, { cause });
}
