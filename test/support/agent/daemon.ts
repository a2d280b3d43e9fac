import { Readable } from "node:stream";
import { holdCommand, releaseCommand } from "../../../src/cli/commands/hold.ts";
import { commandsCommandWith } from "../../../src/cli/commands/list.ts";
import { rebootCommandWith } from "../../../src/cli/commands/reboot.ts";
import { collectCommand } from "../../../src/cli/daemon/collect.ts";
import { diagnosticsCommandWith } from "../../../src/cli/daemon/diagnostics.ts";
import { reloadCommand } from "../../../src/cli/daemon/reload.ts";
import { drivesCommand } from "../../../src/cli/drives/drives.ts";
import { smartTestCommand } from "../../../src/cli/drives/smart-test.ts";
import { adoptCommand } from "../../../src/cli/node/adopt.ts";
import { checkCommand } from "../../../src/cli/node/check.ts";
import { enrollCommandWith } from "../../../src/cli/node/enroll.ts";
import { leaveCommandWith } from "../../../src/cli/node/leave.ts";
import { resetCommandWith } from "../../../src/cli/node/reset.ts";
import { syncCommand } from "../../../src/cli/node/sync.ts";
import type { Io } from "../../../src/cli/output.ts";
import type { Input } from "../../../src/cli/prompt.ts";
import { eventsCommand } from "../../../src/cli/show/events.ts";
import { networkCommand } from "../../../src/cli/show/network.ts";
import { reportCommand } from "../../../src/cli/show/report.ts";
import { statusCommand } from "../../../src/cli/show/status.ts";
import { whyCommand } from "../../../src/cli/show/why.ts";
import type { Sandbox } from "../../../src/sandbox/sandbox.ts";
import type { AgentView } from "../../../src/sockets/agent-view.ts";
import { layTree, loadTree, mergeTrees, type Tree, treeMachine } from "../machine/tree.ts";
import { type HandClock, handClock } from "../store/store.ts";
import { type Printed, runCli } from "../text/io.ts";
import { type TestAgent, testAgent } from "./agent.ts";
import { NOW } from "./pretend.ts";
import { pointedAt, sandbox } from "./server.ts";
import { startServer } from "./unix-http.ts";
import { NOW as MADE_UP_NOW, type TestView, testView } from "./view.ts";

const READING = [
  statusCommand,
  reportCommand,
  drivesCommand,
  smartTestCommand,
  networkCommand,
  eventsCommand,
  syncCommand,
  collectCommand,
  checkCommand,
  diagnosticsCommandWith(async () => undefined),
  whyCommand,
  adoptCommand,
  reloadCommand,
  holdCommand,
  releaseCommand,
];

type Run = (
  argv: readonly string[],
  given?: { input?: Input; io?: Partial<Io>; socket?: string },
) => Promise<Printed>;

export interface Daemon {
  agent: TestAgent;
  /** What the sockets ask; a test may lay something over it (pretend.ts). */
  view: AgentView;
  clock: HandClock;
  /** Run a command line against its control.sock. */
  run: Run;
  statusSocket: string;
  controlSocket: string;
  /** Of the tree: what is changed there is found by the next look. */
  root: string;
  /** Where it reports to when it is `registered`. */
  server: Sandbox;
}

export interface DaemonOptions {
  /** Name of a fixture tree; what is more in it. */
  readonly tree?: string;
  readonly more?: Partial<Tree>;
  /** TOML after the [agent] section. */
  readonly toml?: string;
  readonly hardware?: boolean;
  /** State and configuration of an earlier one. */
  readonly folder?: string;
  /** With a sandbox of its own, and this key of it; "none": it is pointed there and not registered. */
  readonly registered?: "test" | "live" | "none";
}

/** A real agent on a fixture tree, and every sub-command that asks one. 12 s ago it looked at everything. */
export async function daemon(options: DaemonOptions = {}): Promise<Daemon> {
  const { tree = "ceph-node", more = {}, toml = "", registered, ...rest } = options;
  const clock = handClock(NOW - 12_000);
  const whole = mergeTrees([loadTree(tree), { files: {}, now: NOW, ...more }]);
  const root = layTree(whole);
  const machine = treeMachine(whole, clock, root);
  const server = await sandbox({ now: clock.now });
  const pointed = registered === undefined ? "" : pointedAt(server.url);
  const agent = await testAgent({ machine, toml: `${pointed}${toml}`, ...rest });
  const { view, statusSocket, controlSocket } = agent;
  if (registered === "test" || registered === "live")
    await view.enroll("nodefoundry", server.keys[registered], {});
  clock.forward(12_000);
  const run = runner(controlSocket, clock.now);
  return { agent, view, clock, statusSocket, controlSocket, root, run, server };
}

function runner(control: string, now: () => number): Run {
  return (argv, { input = piped(""), io = {}, socket = control } = {}) => {
    const asking = [enrollCommandWith, resetCommandWith, leaveCommandWith, commandsCommandWith].map(
      (command) => command(() => input),
    );
    const reboot = rebootCommandWith({
      input: () => input,
      run: () => Promise.reject(new Error("a program was started")),
      uid: () => 0,
      pollMs: 5,
    });
    return runCli([...READING, ...asking, reboot], [...argv, "--socket", socket], { now, ...io });
  };
}

export interface MadeUpDaemon {
  view: TestView;
  run: Run;
  statusSocket: string;
  end(): Promise<void>;
}

/** @param node name of a fixture tree, or what the daemon is to know */
export async function madeUpDaemon(node: string | TestView = "ceph-node"): Promise<MadeUpDaemon> {
  const view = typeof node === "string" ? await testView(node) : node;
  const server = await startServer({ view });
  return {
    view,
    statusSocket: server.statusSocket,
    end: () => server.close(),
    run: runner(server.controlSocket, () => MADE_UP_NOW),
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
