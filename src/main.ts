/** The executable's entry: argv → one sub-command, of which only the one that is asked for is loaded. */
import { writeFileSync } from "node:fs";
import { COMMANDS } from "./cli/commands.ts";
import { processIo } from "./cli/output.ts";
import { runCommandLine } from "./cli/usage.ts";
import { tokenPrefixes } from "./control/index.ts";
import { hideTokens } from "./model/text/scrub.ts";
import { monotonic } from "./system/clock.ts";
import { endProcess } from "./system/libc/end-process.ts";

try {
  // What ps, top and pgrep show: Node calls its first thread node-MainThread. The command line stays as it is.
  writeFileSync("/proc/self/comm", "foundry-agent");
} catch {
  // Without /proc it is a name less.
}

// Before anything is printed or logged. The list is loaded with the first text that may hold one.
hideTokens(() => tokenPrefixes());

const stop = new AbortController();
/** A terminal, `timeout` and npm each pass the same signal on: only one that comes later means "at once". */
const SAME_MS = 1_000;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  let askedAt: number | null = null;
  process.on(signal, () => {
    askedAt ??= monotonic();
    stop.abort();
    if (monotonic() - askedAt < SAME_MS) return;
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

if (!process.versions.node.startsWith("26.")) {
  process.stderr.write(
    `foundry-agent: needs Node 26, this is ${process.versions.node}. Next: npm start  # brings its own\n`,
  );
  process.exitCode = 1;
} else {
  void runCommandLine(COMMANDS, process.argv.slice(2), processIo(stop.signal)).then((code) => {
    endProcess(code);
  });
}
