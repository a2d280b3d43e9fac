/** The executable's entry: argv → one sub-command. */
import { adoptCommand } from "./cli/adopt.ts";
import { checkCommand } from "./cli/check.ts";
import { collectCommand } from "./cli/collect.ts";
import { configCommand } from "./cli/config.ts";
import { drivesCommand } from "./cli/drives.ts";
import { enrollCommand } from "./cli/enroll.ts";
import { eventsCommand } from "./cli/events.ts";
import { leaveCommand } from "./cli/leave.ts";
import { networkCommand } from "./cli/network.ts";
import { processIo } from "./cli/output.ts";
import { reloadCommand } from "./cli/reload.ts";
import { reportCommand } from "./cli/report.ts";
import { resetCommand } from "./cli/reset.ts";
import { runCommand } from "./cli/run.ts";
import { sandboxCommand } from "./cli/sandbox.ts";
import { startCommand } from "./cli/start.ts";
import { statusCommand } from "./cli/status.ts";
import { syncCommand } from "./cli/sync.ts";
import { runCommandLine, type SubCommand } from "./cli/usage.ts";
import { versionCommand } from "./cli/version.ts";
import { whyCommand } from "./cli/why.ts";
import { allCollectors } from "./collectors/index.ts";
import { endProcess } from "./system/end-process.ts";

/** In the order in which `foundry-agent --help` lists them. */
const COMMANDS: readonly SubCommand[] = [
  runCommand,
  statusCommand,
  reportCommand,
  drivesCommand,
  networkCommand,
  eventsCommand,
  whyCommand,
  syncCommand,
  collectCommand,
  checkCommand,
  enrollCommand,
  adoptCommand,
  resetCommand,
  leaveCommand,
  reloadCommand,
  configCommand(allCollectors()),
  sandboxCommand,
  startCommand,
  versionCommand,
];

const stop = new AbortController();
/** A terminal, `timeout` and npm each pass the same signal on: only one that comes later means "at once". */
const SAME_MS = 1_000;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  let askedAt: number | null = null;
  process.on(signal, () => {
    askedAt ??= performance.now();
    stop.abort();
    if (performance.now() - askedAt < SAME_MS) return;
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

if (!process.versions.node.startsWith("26.")) {
  process.stderr.write(
    `foundry-agent: needs Node 26, this is ${process.versions.node}. Next: npm start, which brings its own\n`,
  );
  process.exitCode = 1;
} else {
  void runCommandLine(COMMANDS, process.argv.slice(2), processIo(stop.signal)).then((code) => {
    endProcess(code);
  });
}
