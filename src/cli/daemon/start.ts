/**
 * `npm start`: the agent on this machine's real collectors against a control plane of its own, for a first
 * look. It always enrols with a test key, so nothing it is asked to do touches hardware, whoever starts it.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Agent, startAgent } from "../../agent/agent.ts";
import { openLog } from "../../agent/log.ts";
import { logFormat } from "../../agent/log-format.ts";
import { allCollectors } from "../../collectors/index.ts";
import { loadConfig } from "../../config/config.ts";
import { plural } from "../../model/text/sentence.ts";
import { VERSION } from "../../model/version.ts";
import type { MountedApi } from "../../sandbox/mounted-api.ts";
import { startSandbox } from "../../sandbox/sandbox.ts";
import { eventWire } from "../../sockets/wire/wire.ts";
import { hostMachine } from "../../system/machine.ts";
import { openNotify } from "../../system/notify.ts";
import { EXIT, type Io } from "../output.ts";
import { eventLine } from "../show/events.ts";
import { duration, memorySize } from "../text/format.ts";
import { programHere } from "../text/program-name.ts";
import { table } from "../text/table.ts";
import type { SubCommand } from "../usage.ts";

export const startCommand: SubCommand = {
  name: "start",
  summary: "try it out: collect on this machine and report to an embedded sandbox",
  usage: "[--once]",
  options: {
    once: { type: "boolean", help: "one whole cycle, then end: 0 when the sandbox accepted the report" },
  },
  examples: ["npm start", "npm start -- --once"],
  hidden: true,
  async run({ values }, given) {
    // A terminal that is closed ends it as Ctrl-C does: nothing is left behind.
    const hungUp = new AbortController();
    process.once("SIGHUP", () => hungUp.abort());
    const io: Io = { ...given, signal: AbortSignal.any([given.signal, hungUp.signal]) };
    const folder = mkdtempSync(join(tmpdir(), "foundry-agent-"));
    const sandbox = await startSandbox();
    // Whichever control API comes first: what is shown is the agent.
    const [api] = sandbox.apis as [MountedApi];
    const shown = api.demonstration(sandbox.url);
    try {
      const agent = await startIn(folder, [`[${api.name}]`, ...shown.config], io);
      try {
        const { nodeId } = await agent.view.enroll(api.name, shown.key, {});
        const accepted = tell(agent, nodeId, sandbox.url, io);
        if (values.once === true) return accepted ? EXIT.ok : EXIT.failed;
        nextSteps(agent, shown.calls(nodeId), io);
        await follow(agent, io);
        return EXIT.ok;
      } finally {
        await agent.stop();
      }
    } finally {
      await sandbox.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function startIn(folder: string, api: readonly string[], io: Io): Promise<Agent> {
  const file = join(folder, "config.toml");
  const text = [
    "[agent]",
    "hardware = false",
    `state_dir = ${JSON.stringify(join(folder, "state"))}`,
    `run_dir = ${JSON.stringify(folder)}`,
    'log_level = "error"',
    ...api,
    // Nobody is to wait a minute for a reboot that is none; what this host's own policy says is for its own agent.
    "[commands]",
    "grace_s = 5",
    "splay_s = 0",
    "uptime_guard_s = 0",
    `policy_file = ${JSON.stringify(join(folder, "policy.toml"))}`,
  ];
  writeFileSync(file, `${text.join("\n")}\n`, { mode: 0o600 });
  const uid = process.geteuid?.() ?? 0;
  const load = () => loadConfig({ uid, env: io.env, collectors: allCollectors(), file });
  const log = openLog({ level: "error", format: logFormat(io.env) });
  return await startAgent({ load, machine: hostMachine(), log, notify: openNotify({}), version: VERSION });
}

/** What it registered as and what it sent. @returns whether the sandbox took the report */
function tell(agent: Agent, nodeId: string, url: string, io: Io): boolean {
  const status = agent.view.status();
  const api = status.controlApis[0];
  const accepted = api !== undefined && api.lastSyncAt !== null && api.lastError === null;
  io.stdout(`foundry-agent ${VERSION} on ${status.hostname}\n`);
  io.stdout(`registered as ${nodeId} (test key: nothing is ever done to this machine) at ${url}\n\n`);
  const glances = new Map(allCollectors().map(({ name, glance }) => [name, glance]));
  const rows = Object.values(agent.view.report().sections).map((section) => [
    section.name,
    section.state,
    section.data === null ? null : memorySize(JSON.stringify(section.data).length),
    section.durationMs === null ? null : duration(section.durationMs),
    section.reason?.text ??
      (section.data === null ? "Nothing was read yet." : (glances.get(section.name)?.(section.data) ?? null)),
  ]);
  io.stdout(`${table(["section", "state", "size", "took", "what"], rows)}\n`);
  const traffic =
    api === undefined
      ? ""
      : ` (${memorySize(api.sentBytesThisMonth)} sent in ${plural(api.requestsThisMonth, "request")})`;
  io.stdout(
    accepted
      ? `The sandbox accepted the report${traffic}.\n`
      : `The sandbox did not accept the report: ${api?.lastError?.text ?? "no answer"}.\n`,
  );
  return accepted;
}

function nextSteps(agent: Agent, calls: readonly string[], io: Io): void {
  io.stdout(`
status socket: ${agent.statusSocket}

In another terminal:
  ${programHere()} status --socket ${agent.controlSocket}
  ${programHere()} drives --socket ${agent.controlSocket}
  ${programHere()} reboot --test --socket ${agent.controlSocket}
  curl --unix-socket ${agent.statusSocket} http://localhost/v1/report
${calls.map((line) => `  ${line}\n`).join("")}
Running until Ctrl-C; what happens is shown here, in UTC.
`);
}

async function follow(agent: Agent, io: Io): Promise<void> {
  const stop = agent.view.onEvent((event) => io.stdout(eventLine(eventWire(event), io)));
  await new Promise<void>((done) => {
    if (io.signal.aborted) done();
    else io.signal.addEventListener("abort", () => done(), { once: true });
  });
  stop();
}
