/** A whole agent in this process, on real sockets and a real state folder. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type Agent, startAgent } from "../../../src/agent/agent.ts";
import { allCollectors } from "../../../src/collectors/index.ts";
import { loadConfig } from "../../../src/config/config.ts";
import { type Clock, hostClock } from "../../../src/system/clock.ts";
import type { Machine } from "../../../src/system/machine.ts";
import { openNotify } from "../../../src/system/notify.ts";
import { loadTree, temporaryFolder, treeMachine } from "../machine/tree.ts";
import { type Recorded, recordedLog } from "../text/log.ts";

export interface TestAgent extends Agent {
  readonly folder: string;
  readonly configFile: string;
  readonly lines: Recorded["lines"];
}

export interface TestAgentOptions {
  /** TOML after the [agent] section. */
  readonly toml?: string;
  /** A virtual machine with nothing wrong when left out. */
  readonly machine?: Machine;
  /** State and configuration of an earlier one. */
  readonly folder?: string;
  readonly signal?: AbortSignal;
  readonly hardware?: boolean;
  readonly name?: string;
  /** As long as what is absent may still come; 0 when left out: it is told at once. */
  readonly settleMs?: number;
}

/** config.toml of an agent whose state and sockets are in `folder`. */
export function writeConfig(folder: string, toml: string, own = "hardware = false"): string {
  const file = join(folder, "config.toml");
  mkdirSync(folder, { recursive: true });
  const text = `[agent]\n${own}\nstate_dir = "${folder}/state"\nrun_dir = "${folder}/run"\n[memory]\nhousekeeping = false\n${toml}\n`;
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

/** With no condition of its own: what this host has to complain about is no business of a test. */
export function quietMachine(clock: Clock = hostClock()): Machine {
  return treeMachine(loadTree("vm"), clock);
}

export async function testAgent(options: TestAgentOptions = {}): Promise<TestAgent> {
  const folder = options.folder ?? temporaryFolder();
  const own = [
    `hardware = ${options.hardware ?? false}`,
    ...(options.name === undefined ? [] : [`name = "${options.name}"`]),
  ];
  const configFile = writeConfig(folder, options.toml ?? "", own.join("\n"));
  const { log, lines } = recordedLog();
  const load = () => loadConfig({ uid: 0, env: {}, file: configFile, collectors: allCollectors() });
  const agent = await startAgent({
    load,
    machine: options.machine ?? quietMachine(),
    log,
    notify: openNotify({}),
    version: "0.0.0-test",
    settleMs: options.settleMs ?? 0,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  let stopped: Promise<void> | null = null;
  const stop = (): Promise<void> => {
    stopped ??= agent.stop();
    return stopped;
  };
  onTestFinished(stop);
  return { ...agent, stop, folder, configFile, lines };
}
