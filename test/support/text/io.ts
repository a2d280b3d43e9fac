/** An Io that keeps what a sub-command prints. */
import type { Io } from "../../../src/cli/output.ts";
import { runCommandLine, type SubCommand } from "../../../src/cli/usage.ts";

export interface Printed {
  code: number;
  stdout: string;
  stderr: string;
}

/** Run one command line: `["config", "check"]`. */
export async function runCli(
  commands: readonly SubCommand[],
  argv: readonly string[],
  given: Partial<Io> = {},
): Promise<Printed> {
  let stdout = "";
  let stderr = "";
  const io: Io = {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    isTty: false,
    env: {},
    color: false,
    now: () => 1_760_000_000_000,
    signal: new AbortController().signal,
    ...given,
  };
  const code = await runCommandLine(
    Object.fromEntries(commands.map((command) => [command.name, async () => command])),
    argv,
    io,
  );
  return { code, stdout, stderr };
}

/** Stdout as a terminal of this width. */
export function terminal(columns: number): Partial<Io> {
  return { isTty: true, env: { COLUMNS: String(columns) } };
}
