/**
 * Every sub-command there is; only the one that is asked for is loaded. Apart from main.ts, so that man pages
 * and shell completion can be made from it without running the program.
 */
import type { CommandTable } from "./usage.ts";

/** In the order in which `foundry-agent --help` lists them. */
export const COMMANDS: CommandTable = {
  run: async () => (await import("./daemon/run.ts")).runCommand,
  status: async () => (await import("./show/status.ts")).statusCommand,
  report: async () => (await import("./show/report.ts")).reportCommand,
  drives: async () => (await import("./drives/drives.ts")).drivesCommand,
  "smart-test": async () => (await import("./drives/smart-test.ts")).smartTestCommand,
  network: async () => (await import("./show/network.ts")).networkCommand,
  osds: async () => (await import("./show/osds.ts")).osdsCommand,
  events: async () => (await import("./show/events.ts")).eventsCommand,
  why: async () => (await import("./show/why.ts")).whyCommand,
  commands: async () => (await import("./commands/list.ts")).commandsCommand,
  reboot: async () => (await import("./commands/reboot.ts")).rebootCommand,
  hold: async () => (await import("./commands/hold.ts")).holdCommand,
  release: async () => (await import("./commands/hold.ts")).releaseCommand,
  sync: async () => (await import("./node/sync.ts")).syncCommand,
  collect: async () => (await import("./daemon/collect.ts")).collectCommand,
  check: async () => (await import("./node/check.ts")).checkCommand,
  enroll: async () => (await import("./node/enroll.ts")).enrollCommand,
  adopt: async () => (await import("./node/adopt.ts")).adoptCommand,
  reset: async () => (await import("./node/reset.ts")).resetCommand,
  leave: async () => (await import("./node/leave.ts")).leaveCommand,
  reload: async () => (await import("./daemon/reload.ts")).reloadCommand,
  diagnostics: async () => (await import("./daemon/diagnostics.ts")).diagnosticsCommand,
  config: async () => {
    const [{ configCommand }, { allCollectors }] = await Promise.all([
      import("./daemon/config.ts"),
      import("../collectors/index.ts"),
    ]);
    return configCommand(allCollectors());
  },
  sandbox: async () => (await import("./daemon/sandbox.ts")).sandboxCommand,
  start: async () => (await import("./daemon/start.ts")).startCommand,
  helper: async () => (await import("./daemon/helper.ts")).helperCommand,
  version: async () => (await import("./daemon/version.ts")).versionCommand,
};
