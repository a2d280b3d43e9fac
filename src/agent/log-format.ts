/** Which form of the log fits where it goes: without pino, which the helper never loads. */
import { fstatSync } from "node:fs";
import type { LogFormat } from "../model/text/log-line.ts";

/**
 * Which form fits where `fd` leads. JOURNAL_STREAM is inherited by everything a service starts, so it
 * counts only when it names the very file that `fd` is (systemd.exec(5)).
 */
export function logFormat(env: NodeJS.ProcessEnv, fd = 2): LogFormat {
  const { JOURNAL_STREAM: stream } = env;
  try {
    const found = fstatSync(fd, { bigint: true });
    if (stream === `${found.dev}:${found.ino}`) return "journal";
    // node:tty costs 1.5 MB: a service, whose log is no device, never loads it.
    if (found.isCharacterDevice() && process.getBuiltinModule("node:tty").isatty(fd)) return "terminal";
  } catch {
    // A closed stderr is neither.
  }
  return "json";
}
