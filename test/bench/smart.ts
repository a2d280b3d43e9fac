/**
 * One SMART round over 36 drives, as a storage node has them: the agent, the helper it wakes, and what is left
 * of both afterwards. smartctl is a stand-in that prints a captured drive's output, so its own time, which is
 * the drives' and not ours, is left out.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Bench, megabytes, milliseconds, type Part, type Row } from "./bench-types.ts";
import { startAgent } from "./daemons.ts";
import { cpuMsOf, type Memory, median, memoryOf, wait } from "./figures.ts";

const DRIVES = 36;
const CAPTURE = fileURLToPath(
  new URL("../fixtures/smart/vm-lab-replay/replay-healthy.json", import.meta.url),
);
/** Until the next collections, after which the housekeeping takes back what is left over. */
const REST_MS = 90_000;
/** systemd's helper ends after 10 s and is started anew; this one has to be there for the round after the rest. */
const IDLE_S = 150;

interface SmartData {
  readonly drives: readonly { readonly state: string }[];
}

/** A folder with a `smartctl` that knows 36 drives. */
function fakeSmartctl(folder: string): string {
  const names = Array.from({ length: DRIVES }, (_, index) => `/dev/sd${letters(index)}`);
  const capture = JSON.parse(readFileSync(CAPTURE, "utf8"));
  for (const [index, name] of names.entries()) {
    const wwn = { naa: 5, oui: 3152, id: index + 1 };
    const json = { ...capture, serial_number: `BENCH${index}`, wwn };
    writeFileSync(join(folder, `${name.slice(5)}.json`), JSON.stringify(json));
  }
  const devices = names.map((name) => ({ name, type: "sat", protocol: "ATA" }));
  writeFileSync(join(folder, "scan.json"), JSON.stringify({ smartctl: { version: [7, 3] }, devices }));
  const script = `#!/bin/sh\ncase "$1" in --scan*) exec cat "${folder}/scan.json";; esac\nexec cat "${folder}/\${7#/dev/}.json"\n`;
  writeFileSync(join(folder, "smartctl"), script);
  chmodSync(join(folder, "smartctl"), 0o755);
  return folder;
}

function letters(index: number): string {
  const last = String.fromCharCode(97 + (index % 26));
  return index < 26 ? last : letters(Math.floor(index / 26) - 1) + last;
}

/** The middle of half a minute: clean pages come and go with every look at the process. */
async function atRest(pid: number): Promise<Memory> {
  const samples: Memory[] = [];
  for (let second = 0; second < 30; second++) {
    await wait(1_000);
    samples.push(memoryOf(pid));
  }
  const middle = (key: keyof Memory): number => median(samples.map((sample) => sample[key]));
  return { rssKb: middle("rssKb"), pssKb: middle("pssKb"), privateDirtyKb: middle("privateDirtyKb") };
}

function startHelper(bench: Bench, folder: string, programs: string): ChildProcess {
  const [program = "", ...args] = bench.agent;
  const own = [
    "--socket",
    join(folder, "helper.sock"),
    "--state",
    join(folder, "helper"),
    "--idle",
    `${IDLE_S}`,
  ];
  const child = spawn(program, [...args, "helper", ...own, "--policy", join(folder, "policy.toml")], {
    stdio: "ignore",
    env: { PATH: `${programs}:${process.env.PATH ?? ""}` },
  });
  if (child.pid !== undefined) bench.started.add(child.pid);
  return child;
}

export const smart: Part = {
  name: "smart",
  async run(bench: Bench): Promise<Row[]> {
    const folder = mkdtempSync(join(tmpdir(), "foundry-bench-"));
    const programs = fakeSmartctl(mkdtempSync(join(tmpdir(), "foundry-bench-smart-")));
    const helper = startHelper(bench, folder, programs);
    try {
      while (!existsSync(join(folder, "helper.sock"))) await wait(5);
      await using agent = await startAgent(bench, "", [], folder);
      const answered = async (): Promise<number> => {
        const { data } = (await agent.control("GET", "/v1/report/smart")) as { data: SmartData | null };
        return data?.drives.filter(({ state }) => state === "answered").length ?? 0;
      };
      while ((await answered()) < DRIVES) await wait(50);
      await wait(REST_MS);
      const memory = await atRest(agent.pid);
      const before = {
        agent: cpuMsOf(agent.pid),
        helper: cpuMsOf(helper.pid ?? 0),
        memory,
      };
      const from = performance.now();
      await agent.control("POST", "/v1/collect?name=smart");
      const wallMs = performance.now() - from;
      const agentMs = cpuMsOf(agent.pid) - before.agent;
      const helperMs = cpuMsOf(helper.pid ?? 0) - before.helper;
      await Promise.race([once(helper, "exit"), wait(2 * IDLE_S * 1000)]);
      const after = await atRest(agent.pid);
      const row = (what: string, ours: string): Row => ({
        what: `36 drives: ${what}`,
        ours,
        peer: "",
        target: "",
      });
      return [
        row("a SMART round, start to last answer", milliseconds(wallMs)),
        row("  CPU of the agent", milliseconds(agentMs)),
        row("  CPU of the helper, without smartctl's own", milliseconds(helperMs)),
        row(
          "RSS at rest, before and after",
          `${megabytes(before.memory.rssKb)}, ${megabytes(after.rssKb)} (dirty ${megabytes(before.memory.privateDirtyKb)}, ${megabytes(after.privateDirtyKb)})`,
        ),
        row("the helper afterwards", helper.exitCode === null ? "still there" : "gone"),
      ];
    } finally {
      helper.kill("SIGTERM");
      if (helper.pid !== undefined) bench.started.delete(helper.pid);
      rmSync(folder, { recursive: true, force: true });
      rmSync(programs, { recursive: true, force: true });
    }
  },
};
