/**
 * foundry-agent's `run` as user nobody when root starts it, for whom no mode of a file counts. Only after
 * every module is loaded: the checkout may lie where nobody else may read.
 */

import { runCommand } from "../../../src/cli/daemon/run.ts";
import { processIo } from "../../../src/cli/output.ts";
import { runCommandLine } from "../../../src/cli/usage.ts";

const NOBODY = 65534;
if (process.getuid?.() === 0) {
  await import("chokidar"); // loaded late by the daemon
  process.setgroups?.([]);
  process.setgid?.(NOBODY);
  process.setuid?.(NOBODY);
}
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
process.exitCode = await runCommandLine(
  { run: async () => runCommand },
  process.argv.slice(2),
  processIo(stop.signal),
);
