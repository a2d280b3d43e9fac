/**
 * Every sub-command there is; only the one that is asked for is loaded. Apart from main.ts, so that man pages
 * and shell completion can be made from it without running the program.
 */
import type { CommandTable } from "./usage.ts";

/** In the order in which `foundry-agent --help` lists them. */
export const COMMANDS: CommandTable = {
  run: async () => (await import("./run.ts")).runCommand,
  status: async () => (await import("./status.ts")).statusCommand,
  report: async () => (await import("./report.ts")).reportCommand,
  drives: async () => (await import("./drives.ts")).drivesCommand,
  "smart-test": async () => (await import("./smart-test.ts")).smartTestCommand,
  network: async () => (await import("./network.ts")).networkCommand,
  events: async () => (await import("./events.ts")).eventsCommand,
  why: async () => (await import("./why.ts")).whyCommand,
  commands: async () => (await import("./commands-list.ts")).commandsCommand,
  reboot: async () => (await import("./reboot.ts")).rebootCommand,
  hold: async () => (await import("./hold.ts")).holdCommand,
  release: async () => (await import("./hold.ts")).releaseCommand,
  sync: async () => (await import("./sync.ts")).syncCommand,
  collect: async () => (await import("./collect.ts")).collectCommand,
  check: async () => (await import("./check.ts")).checkCommand,
  enroll: async () => (await import("./enroll.ts")).enrollCommand,
  adopt: async () => (await import("./adopt.ts")).adoptCommand,
  reset: async () => (await import("./reset.ts")).resetCommand,
  leave: async () => (await import("./leave.ts")).leaveCommand,
  reload: async () => (await import("./reload.ts")).reloadCommand,
  diagnostics: async () => (await import("./diagnostics.ts")).diagnosticsCommand,
  config: async () => {
    const [{ configCommand }, { allCollectors }] = await Promise.all([
      import("./config.ts"),
      import("../collectors/index.ts"),
    ]);
    return configCommand(allCollectors());
  },
  sandbox: async () => (await import("./sandbox.ts")).sandboxCommand,
  start: async () => (await import("./start.ts")).startCommand,
  helper: async () => (await import("./helper.ts")).helperCommand,
  version: async () => (await import("./version.ts")).versionCommand,
};
