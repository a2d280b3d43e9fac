/** `foundry-agent start`, the first thing anybody does, as a real process; and that it never touches the machine. */
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type AgentChild, type ChildOptions, startChild } from "../../support/agent/child.ts";
import { ask } from "../../support/agent/unix-http.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";

const BOOT_ID = "/proc/sys/kernel/random/boot_id";

function start(
  args: readonly string[],
  env: ChildOptions["env"] = {},
): { child: AgentChild; folder: string } {
  const folder = temporaryFolder();
  return { child: startChild(["start", ...args], { env: { TMPDIR: folder, ...env } }), folder };
}

test("--once: registered, every section shown, accepted, exit 0, nothing left behind", async () => {
  const { child, folder } = start(["--once"]);
  expect(await child.ended).toEqual({ code: 0, signal: null });
  const out = child.stdout();
  expect(out).toMatch(/registered as node_\w+ \(test key: nothing is ever done to this machine\)/);
  for (const name of ["cpu", "drives", "local", "memory", "network", "system"])
    expect(out).toMatch(new RegExp(`^ *${name} +(ok|absent|failed|stale)`, "m"));
  expect(out).toMatch(/The sandbox accepted the report \(.*sent in \d+ requests\)\./);
  expect(child.stderr()).not.toContain("    at ");
  expect(readdirSync(folder)).toEqual([]);
});

test("a reboot asked of it goes through the whole machine and nothing happens to the machine, whoever runs it; Ctrl-C leaves nothing", async () => {
  const calls = join(temporaryFolder(), "calls");
  const programs = fakePrograms(calls);
  const before = readFileSync(BOOT_ID, "utf8");
  const { child, folder } = start([], { PATH: programs });
  await child.said("Running until Ctrl-C");
  const out = child.stdout();
  const [, key, url, nodeId] = /Bearer (\S+)"[\s\S]*? (http:\S+)\/v1\/nodes\/(\S+)\/reboot/.exec(out) ?? [];
  const api = async (path: string, body?: string) => {
    const answer = await fetch(`${url}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body }),
    });
    return ((await answer.json()) as { data: Record<string, string> }).data;
  };
  const asked = await api(`/v1/nodes/${nodeId}/reboot`, '{"method":"graceful","drain_osds":false}');
  await child.said(new RegExp(`command\\.state +reboot ${asked.command_id} succeeded.*nothing was touched`));
  await eventually(async () => (await api(`/v1/operations/${asked.operation_id}`)).status === "succeeded");
  expect(childrenOf(child.process.pid as number)).toEqual([]);
  expect(existsSync(calls)).toBe(false);
  expect(readFileSync(BOOT_ID, "utf8")).toBe(before);
  // What it prints to be typed next is true.
  const [, socket = ""] = /--unix-socket (\S+) http/.exec(out) ?? [];
  expect((await ask(socket, "/v1/report")).json.data.sections.system.state).toBe("ok");
  child.process.kill("SIGINT");
  expect(await child.ended).toEqual({ code: 0, signal: null });
  expect(existsSync(calls)).toBe(false);
  expect(readdirSync(folder)).toEqual([]);
});

test("a terminal that is closed leaves no folder behind", async () => {
  const { child, folder } = start([]);
  await child.said("Running until Ctrl-C");
  expect(readdirSync(folder)).not.toEqual([]);
  child.process.kill("SIGHUP");
  expect(await child.ended).toEqual({ code: 0, signal: null });
  expect(readdirSync(folder)).toEqual([]);
});

/** A folder with programs that only write down that they were called; the child finds no others. */
function fakePrograms(calls: string): string {
  const folder = temporaryFolder();
  for (const name of [
    "systemctl",
    "reboot",
    "shutdown",
    "poweroff",
    "halt",
    "init",
    "telinit",
    "sudo",
    "sh",
  ]) {
    writeFileSync(join(folder, name), `#!/bin/sh\necho "${name} $*" >> '${calls}'\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

/** proc(5), /proc/PID/task/TID/children; a kernel without it tells nothing, and the fakes are what is left. */
function childrenOf(pid: number): string[] {
  const file = `/proc/${pid}/task/${pid}/children`;
  return existsSync(file)
    ? readFileSync(file, "utf8")
        .split(" ")
        .filter((word) => word.trim() !== "")
    : [];
}
