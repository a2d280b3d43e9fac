/**
 * Lines in files of root that are bounded: one of 128 KiB and the one before it. Each kind has its own two, so that
 * however much is written of one, nothing of another is lost.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { AgentError, errorCode } from "../../model/errors.ts";
import { shellWord } from "../../model/text/shell-word.ts";

export const MAX_FILE_BYTES = 128 * 1024;

/** The older half of what is kept. */
export function olderFile(path: string): string {
  return `${path}.1`;
}

/**
 * One line at the end of the file, whose folder is made where it is missing.
 * @param durable on disk when it returns
 * @throws AgentError `record_unusable`
 */
export function appendLine(path: string, line: string, durable: boolean): void {
  const bytes = Buffer.from(`${line}\n`);
  try {
    makeFolder(dirname(path));
    let fd = open(path);
    try {
      if (fstatSync(fd).size + bytes.length > MAX_FILE_BYTES) {
        closeSync(fd);
        fd = -1;
        renameSync(path, olderFile(path));
        fd = open(path);
      }
      for (let rest = bytes; rest.length > 0; ) rest = rest.subarray(writeSync(fd, rest));
      if (durable) {
        fsyncSync(fd);
        syncFolder(dirname(path));
      }
    } finally {
      if (fd !== -1) closeSync(fd);
    }
  } catch (error) {
    const folder = shellWord(dirname(path));
    throw new AgentError(
      "record_unusable",
      `${path} can't be written (${errorCode(error)}), so nothing that changes anything is done`,
      `df ${folder}; ls -ld ${folder}`,
      { cause: error },
    );
  }
}

function makeFolder(folder: string): void {
  if (mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined) syncFolder(dirname(folder));
}

function open(path: string): number {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  return openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
}

function syncFolder(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
