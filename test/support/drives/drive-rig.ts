/** A whole agent with a fake smartctl and ledctl, and a real helper behind its own socket where one is wanted. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { drivesCommand } from "../../../src/cli/drives/drives.ts";
import { smartTestCommand } from "../../../src/cli/drives/smart-test.ts";
import { hostClock } from "../../../src/system/clock.ts";
import { type TestAgent, testAgent } from "../agent/agent.ts";
import { ask } from "../agent/unix-http.ts";
import { type HelperHouse, helperHouse, testHelper } from "../helper/helper.ts";
import { temporaryFolder, treeMachine } from "../machine/tree.ts";
import { runCli } from "../text/io.ts";
import { type FakeDrives, fakeDrives } from "./fake-drives.ts";
import { healthyTree, speakingDrives } from "./healthy-drives.ts";

export interface DriveRig {
  readonly agent: TestAgent;
  readonly drives: FakeDrives;
  readonly house: HelperHouse;
  /** Command lines of ledctl. */
  lights(): string[];
  post(path: string, body: object): Promise<[status: number, json: Record<string, Record<string, unknown>>]>;
  cli(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }>;
}

const BOOT = { "/proc/uptime": "1000.00 1.00", "/proc/sys/kernel/random/boot_id": "b1" };

export interface DriveRigOptions {
  /** Somebody listens on helper.sock; true without it. */
  readonly helper?: boolean;
  /** As the configuration says; true without it. */
  readonly hardware?: boolean;
  /** The agent runs as root; false without it. */
  readonly root?: boolean;
  readonly toml?: string;
}

export async function driveRig({
  helper = true,
  hardware = true,
  root = false,
  toml = "",
}: DriveRigOptions = {}): Promise<DriveRig> {
  const folder = temporaryFolder();
  const house = { ...helperHouse(), socket: join(folder, "run", "helper.sock") };
  const drives = fakeDrives();
  speakingDrives(drives);
  const programs = (process.env.PATH ?? "").split(":")[0] as string;
  writeFileSync(join(programs, "ledctl"), `#!/bin/sh\necho "$*" >> "$0.log"\n`);
  chmodSync(join(programs, "ledctl"), 0o755);
  const tree = healthyTree();
  const machine = {
    ...treeMachine({ ...tree, files: { ...tree.files, ...BOOT } }, hostClock()),
    uid: root ? 0 : 1_000,
  };
  mkdirSync(join(folder, "run"));
  if (helper) await testHelper(house, { files: machine.files });
  mkdirSync(join(folder, "conf.d"));
  writeFileSync(join(folder, "conf.d", "own.toml"), `[agent]\nhardware = ${hardware}\n`, { mode: 0o600 });
  const agent = await testAgent({ folder, machine, toml });
  return {
    agent,
    drives,
    house,
    lights() {
      const log = join(programs, "ledctl.log");
      return existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
    },
    async post(path, body) {
      const answer = await ask(agent.controlSocket, path, { method: "POST", body: JSON.stringify(body) });
      return [answer.status, answer.json];
    },
    cli: async (...argv) =>
      await runCli([drivesCommand, smartTestCommand], [...argv, "--socket", agent.controlSocket], {
        now: Date.now,
      }),
  };
}
