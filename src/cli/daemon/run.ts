/** `foundry-agent run`: the daemon, as systemd starts it; with --once a single cycle for trying a configuration. */
import { resolve } from "node:path";
import { type Agent, startAgent } from "../../agent/agent.ts";
import { openLog, openLogTail } from "../../agent/log.ts";
import { logFormat } from "../../agent/log-format.ts";
import { allCollectors } from "../../collectors/index.ts";
import { type LoadedConfig, loadConfig, problemText } from "../../config/config.ts";
import { AgentError, errorText } from "../../model/errors.ts";
import { labelled } from "../../model/text/next-step.ts";
import { ended, plural } from "../../model/text/sentence.ts";
import { VERSION } from "../../model/version.ts";
import { hostMachine } from "../../system/machine.ts";
import { openNotify } from "../../system/notify.ts";
import { EXIT, type Io } from "../output.ts";
import { calledHere } from "../text/program-name.ts";
import type { SubCommand } from "../usage.ts";
import { checkCommandLine } from "./config.ts";

export const runCommand: SubCommand = {
  name: "run",
  summary: "run the daemon in the foreground",
  usage: "[--config FILE] [--once]",
  options: {
    config: { type: "string", value: "FILE", help: "this file and conf.d beside it" },
    once: { type: "boolean", help: "collect and report once, then end: 0 when every control API accepted" },
  },
  examples: ["foundry-agent run --config /etc/foundry-agent/config.toml", "foundry-agent run --once"],
  async run({ values }, io) {
    const load = configLoader(typeof values.config === "string" ? resolve(values.config) : undefined, io);
    const first = load();
    if (first.problems.length > 0) {
      for (const problem of first.problems) io.stderr(`${calledHere(problemText(problem))}\n`);
      throw new AgentError(
        "config_invalid",
        "the configuration is not right, so nothing was started",
        checkCommandLine(values.config),
      );
    }
    const hangUp = listenForHangUp();
    try {
      const agent = await start(load, first, io);
      try {
        return values.once === true ? await once(agent, io) : await untilStopped(agent, hangUp, io);
      } finally {
        await agent.stop();
      }
    } finally {
      hangUp.close();
    }
  },
};

function configLoader(file: string | undefined, io: Io): () => LoadedConfig {
  const uid = process.geteuid?.() ?? 0;
  const collectors = allCollectors();
  return () => loadConfig({ uid, env: io.env, collectors, ...(file === undefined ? {} : { file }) });
}

async function start(load: () => LoadedConfig, first: LoadedConfig, io: Io): Promise<Agent> {
  const tail = openLogTail();
  const log = openLog({ level: first.config.agent.logLevel, format: logFormat(io.env), tail });
  const agent = await startAgent({
    load,
    machine: hostMachine(),
    log,
    logTail: tail,
    notify: openNotify(io.env, { log }),
    version: VERSION,
    signal: io.signal,
  });
  log.info({ socket: agent.statusSocket, version: VERSION }, "ready");
  return agent;
}

async function once(agent: Agent, io: Io): Promise<number> {
  const apis = agent.view.status().controlApis;
  if (apis.length === 0) {
    io.stdout(
      `collected ${plural(Object.keys(agent.view.report().sections).length, "section")}; no control API is configured\n`,
    );
    return EXIT.ok;
  }
  const results = await agent.view.sync();
  for (const { name, text, nextStep } of results)
    io.stdout(`${name}: ${nextStep === null ? text : `${ended(text)} ${calledHere(labelled(nextStep))}`}\n`);
  return results.every(({ ok }) => ok) ? EXIT.ok : EXIT.failed;
}

interface HangUp {
  /** Called at each SIGHUP, and now when there was one already. */
  each(reload: () => void): void;
  close(): void;
}

/** From before the start: a SIGHUP that nobody listens to ends a process, and systemd may send it at once. */
function listenForHangUp(): HangUp {
  let asked = false;
  let told = (): void => {
    asked = true;
  };
  const heard = (): void => told();
  process.on("SIGHUP", heard);
  return {
    each(reload) {
      told = reload;
      if (asked) reload();
    },
    close: () => void process.off("SIGHUP", heard),
  };
}

/** SIGTERM and Ctrl-C (io.signal) end it; SIGHUP reads the configuration again. */
async function untilStopped(agent: Agent, hangUp: HangUp, io: Io): Promise<number> {
  hangUp.each(() => {
    agent.view.reload().then(
      ({ ok, problems }) => (ok ? undefined : io.stderr(`${problems.join("\n")}\n`)),
      (error: unknown) => io.stderr(`foundry-agent: reload failed: ${errorText(error)}\n`),
    );
  });
  await new Promise<void>((done) => {
    if (io.signal.aborted) done();
    else io.signal.addEventListener("abort", () => done(), { once: true });
  });
  return EXIT.ok;
}
