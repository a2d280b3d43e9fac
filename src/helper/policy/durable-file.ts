/** Files that must survive a power cut: the helper's record of what it did, the lights it switched on. */

import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { AgentError, errorCode } from "../../model/errors.ts";
import { shellWord } from "../../model/text/shell-word.ts";

/**
 * Replace a file so that after a power cut it holds all of the old or all of the new.
 * @throws AgentError `record_unusable`
 */
export function writeDurable(path: string, text: string): void {
  const fresh = `${path}.new`;
  try {
    rmSync(fresh, { force: true });
    const fd = openSync(fresh, "wx", 0o600);
    try {
      for (let rest = Buffer.from(text); rest.length > 0; ) rest = rest.subarray(writeSync(fd, rest));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(fresh, path);
    const folder = openSync(dirname(path), "r");
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch (error) {
    throw new AgentError(
      "record_unusable",
      `${path} can't be written (${errorCode(error)}), so nothing that changes anything is done`,
      `df ${shellWord(dirname(path))}; ls -ld ${shellWord(dirname(path))}`,
      { cause: error },
    );
  }
}
