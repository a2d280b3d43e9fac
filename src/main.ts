/** The executable's entry: argv → one sub-command. */

import { configCommand } from "./cli/config.ts";
import { processIo } from "./cli/output.ts";
import { runCommand } from "./cli/run.ts";
import { sandboxCommand } from "./cli/sandbox.ts";
import { startCommand } from "./cli/start.ts";
import { runCommandLine, type SubCommand } from "./cli/usage.ts";
import { versionCommand } from "./cli/version.ts";
import { allCollectors } from "./collectors/index.ts";

/** In the order in which `foundry-agent --help` lists them. */
const COMMANDS: readonly SubCommand[] = [
  runCommand,
  configCommand(allCollectors()),
  sandboxCommand,
  startCommand,
  versionCommand,
];

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());

if (!process.versions.node.startsWith("26.")) {
  process.stderr.write(
    `foundry-agent: needs Node 26, this is ${process.versions.node}. Next: npm start, which brings its own\n`,
  );
  process.exitCode = 1;
} else {
  void runCommandLine(COMMANDS, process.argv.slice(2), processIo(stop.signal)).then((code) => {
    process.exitCode = code;
  });
}
