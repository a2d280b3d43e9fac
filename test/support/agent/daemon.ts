import { Readable } from "node:stream";
import { holdCommand, releaseCommand } from "../../../src/cli/commands/hold.ts";
import { commandsCommandWith } from "../../../src/cli/commands/list.ts";
import { rebootCommandWith } from "../../../src/cli/commands/reboot.ts";
import { collectCommand } from "../../../src/cli/daemon/collect.ts";
import { diagnosticsCommandWith } from "../../../src/cli/daemon/diagnostics.ts";
import { reloadCommand } from "../../../src/cli/daemon/reload.ts";
import { drivesCommand } from "../../../src/cli/drives/drives.ts";
import { smartTestCommand } from "../../../src/cli/drives/smart-test.ts";
import { adoptCommandWith } from "../../../src/cli/node/adopt.ts";
import { checkCommand } from "../../../src/cli/node/check.ts";
import { enrollCommandWith } from "../../../src/cli/node/enroll.ts";
import { leaveCommandWith } from "../../../src/cli/node/leave.ts";
import { resetCommandWith } from "../../../src/cli/node/reset.ts";
import { syncCommand } from "../../../src/cli/node/sync.ts";
import type { Io } from "../../../src/cli/output.ts";
import type { Input } from "../../../src/cli/prompt.ts";
import { eventsCommand } from "../../../src/cli/show/events.ts";
import { networkCommand } from "../../../src/cli/show/network.ts";
import { osdsCommand } from "../../../src/cli/show/osds.ts";
import { reportCommand } from "../../../src/cli/show/report.ts";
import { statusCommand } from "../../../src/cli/show/status.ts";
import { whyCommand } from "../../../src/cli/show/why.ts";
import { type Printed, runCli } from "../text/io.ts";
import { type TreeAgent, type TreeAgentOptions, treeAgent } from "./tree-agent.ts";

const READING = [
  statusCommand,
  reportCommand,
  drivesCommand,
  smartTestCommand,
  networkCommand,
  osdsCommand,
  eventsCommand,
  syncCommand,
  collectCommand,
  checkCommand,
  diagnosticsCommandWith(async () => undefined),
  whyCommand,
  reloadCommand,
  holdCommand,
  releaseCommand,
];

type Run = (
  argv: readonly string[],
  given?: { input?: Input; io?: Partial<Io>; socket?: string },
) => Promise<Printed>;

export interface Daemon extends TreeAgent {
  /** Run a command line against its control.sock. */
  run: Run;
}

/** A real agent on a fixture tree, and every sub-command that asks one. */
export async function daemon(options: TreeAgentOptions = {}): Promise<Daemon> {
  const known = await treeAgent(options);
  return { ...known, run: runner(known.controlSocket, known.clock.now) };
}

function runner(control: string, now: () => number): Run {
  return (argv, { input = piped(""), io = {}, socket = control } = {}) => {
    const asking = [
      adoptCommandWith,
      enrollCommandWith,
      resetCommandWith,
      leaveCommandWith,
      commandsCommandWith,
    ].map((command) => command(() => input));
    const reboot = rebootCommandWith({
      input: () => input,
      run: () => Promise.reject(new Error("a program was started")),
      uid: () => 0,
      pollMs: 5,
    });
    return runCli([...READING, ...asking, reboot], [...argv, "--socket", socket], { now, ...io });
  };
}

/** Stdin as a pipe with this in it. */
export function piped(text: string): Input {
  return Readable.from(text === "" ? [] : [text]);
}

/** Stdin as a terminal on which this is typed; `raw` is whether echoing was off while it was. */
export function typed(...chunks: string[]): Input & { raw: boolean[] } {
  const input = new Readable({
    read() {
      raw.push(isRaw);
      this.push(chunks.shift() ?? null);
    },
  });
  const raw: boolean[] = [];
  let isRaw = false;
  return Object.assign(input, {
    isTTY: true,
    raw,
    setRawMode(on: boolean) {
      isRaw = on;
    },
  });
}
