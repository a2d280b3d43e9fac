/** The executable's entry: argv → one sub-command, of which only the one that is asked for is loaded. */
import { processIo } from "./cli/output.ts";
import { type CommandTable, runCommandLine } from "./cli/usage.ts";
import { monotonic } from "./system/clock.ts";
import { endProcess } from "./system/end-process.ts";

/** In the order in which `foundry-agent --help` lists them. */
const COMMANDS: CommandTable = {
  run: async () => (await import("./cli/run.ts")).runCommand,
  status: async () => (await import("./cli/status.ts")).statusCommand,
  report: async () => (await import("./cli/report.ts")).reportCommand,
  drives: async () => (await import("./cli/drives.ts")).drivesCommand,
  network: async () => (await import("./cli/network.ts")).networkCommand,
  events: async () => (await import("./cli/events.ts")).eventsCommand,
  why: async () => (await import("./cli/why.ts")).whyCommand,
  sync: async () => (await import("./cli/sync.ts")).syncCommand,
  collect: async () => (await import("./cli/collect.ts")).collectCommand,
  check: async () => (await import("./cli/check.ts")).checkCommand,
  enroll: async () => (await import("./cli/enroll.ts")).enrollCommand,
  adopt: async () => (await import("./cli/adopt.ts")).adoptCommand,
  reset: async () => (await import("./cli/reset.ts")).resetCommand,
  leave: async () => (await import("./cli/leave.ts")).leaveCommand,
  reload: async () => (await import("./cli/reload.ts")).reloadCommand,
  config: async () => {
    const [{ configCommand }, { allCollectors }] = await Promise.all([
      import("./cli/config.ts"),
      import("./collectors/index.ts"),
    ]);
    return configCommand(allCollectors());
  },
  sandbox: async () => (await import("./cli/sandbox.ts")).sandboxCommand,
  start: async () => (await import("./cli/start.ts")).startCommand,
  version: async () => (await import("./cli/version.ts")).versionCommand,
};

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
    `foundry-agent: needs Node 26, this is ${process.versions.node}. Next: npm start, which brings its own\n`,
  );
  process.exitCode = 1;
} else {
  void runCommandLine(COMMANDS, process.argv.slice(2), processIo(stop.signal)).then((code) => {
    endProcess(code);
  });
}
