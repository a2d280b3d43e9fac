/** The node as it is before the torture, and how it is led back to rest and looked at afterwards. */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandState, isFinal } from "../../../src/model/command.ts";
import { type LabNode, STATE } from "../commands/node.ts";
import { until } from "../nspawn.ts";
import type { Scene } from "./deeds.ts";

const UNITS = ["foundry-agent.service", "foundry-agent-helper.service"];
const POLICY = `[commands]
remote = "on"
[allow]
local = ["reboot", "collect"]
nodefoundry = ["reboot", "collect"]
[limits.reboot]
minutes_apart = 0
a_day = 1000
`;
interface Listed {
  readonly id: string;
  readonly state: CommandState;
}

const PATIENCE_MS = 240_000;

export async function prepare(node: LabNode): Promise<void> {
  const { system } = node;
  node.policy(POLICY);
  for (const unit of UNITS) {
    const folder = join(system.root, "etc/systemd/system", `${unit}.d`);
    mkdirSync(folder, { recursive: true });
    // Its 5 and 10 seconds would be most of the time.
    writeFileSync(join(folder, "torture.conf"), "[Service]\nRestartSec=200ms\n");
  }
  // The journal of all boots, for what it says in the end.
  await system.ok("mkdir", "-p", "/var/log/journal");
  await system.ok("journalctl", "--flush");
  await system.ok("systemctl", "daemon-reload");
}

/**
 * No more faults, and everything that is open comes to its end.
 * @returns how often it was booted on the way, and what its journal has of its commands
 * @throws Error when it does not come to rest, or looks as it must not
 */
export async function calm({ node }: Scene): Promise<{ boots: number; journal: Listed[] }> {
  const { system } = node;
  let boots = 0;
  let left = "";
  let journal: Listed[] = [];
  node.faults.clear();
  const isCalm = async (): Promise<true | null> => {
    if (system.isDown()) {
      await system.again();
      boots++;
    }
    await system.run("foundry-agent", "release");
    await system.run("foundry-agent", "sync");
    const [asked, listed] = [await json("status"), await json("commands")];
    if (system.isDown() || asked === null || listed === null) {
      left = "the agent does not answer";
      return null;
    }
    const pending = (asked as { control_apis: { pending_events: number }[] }).control_apis[0]?.pending_events;
    journal = listed as Listed[];
    const here = journal.filter(({ state }) => !isFinal(state));
    const there = node.openCommands();
    left = `${pending} events to be told, open here: ${JSON.stringify(here)}, there: ${there.join(", ")}`;
    return pending === 0 && here.length === 0 && there.length === 0 ? true : null;
  };
  async function json(word: string): Promise<unknown> {
    const { status, stdout } = await system.run("foundry-agent", word, "--json");
    // `status` ends with 1 where something is wrong, and says it all the same.
    return status !== 0 && !stdout.startsWith("{") ? null : JSON.parse(stdout);
  }
  await until("everything is done and told", isCalm, PATIENCE_MS).catch((error: Error) => {
    throw new Error(`${error.message}: ${left}`);
  });

  const said = await system.ok("journalctl", "-q", "-o", "cat", "--no-pager", "-u", "foundry-agent*");
  const mistakes = said
    .split("\n")
    .filter((line) => /mistake of|TypeError|oom-kill|core-dump|state_lost/.test(line));
  if (mistakes.length > 0) throw new Error(`the journal has ${mistakes.slice(0, 5).join("\n")}`);
  const aside = readdirSync(join(system.root, STATE)).filter((name) => name.includes("corrupt"));
  if (aside.length > 0) throw new Error(`a state was set aside: ${aside.join(", ")}`);
  return { boots, journal };
}
