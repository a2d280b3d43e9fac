/** `foundry-agent run` as systemd has it: a real process, real signals, exit codes. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { writeConfig } from "../../support/agent/agent.ts";
import { type AgentChild, startChild } from "../../support/agent/child.ts";
import { ask } from "../../support/agent/unix-http.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";
import { type Sandbox, startSandbox } from "../../support/net/nodefoundry.ts";

const DONE = { code: 0, signal: null };
const FAILED = { code: 1, signal: null };

async function sandbox(): Promise<Sandbox> {
  const started = await startSandbox({ nodeRequestsAMinute: 100_000 });
  onTestFinished(() => started.close());
  return started;
}

/** A folder with a configuration that reports to `url` and registers with `key`. */
function house(url: string, key: string): { folder: string; config: string } {
  const folder = temporaryFolder();
  const keyFile = join(folder, "enrol.key");
  writeFileSync(keyFile, key, { mode: 0o600 });
  const config = writeConfig(folder, `[nodefoundry]\nurl = "${url}"\nenrol_key_file = "${keyFile}"\n`);
  return { folder, config };
}

const run = (config: string, ...more: string[]): AgentChild =>
  startChild(["run", "--config", config, ...more]);

test("a configuration that is not right: nothing is started, and all problems are named with their lines", async () => {
  const folder = temporaryFolder();
  const config = writeConfig(
    folder,
    '[network]\nprofile = "fast"\n[nodefoundry]\nurll = "http://127.0.0.1:1"\n',
  );
  const child = run(config);
  expect(await child.ended).toEqual(FAILED);
  expect(child.stderr()).toMatch(/config\.toml:\d+.*profile/);
  expect(child.stderr()).toMatch(/config\.toml:\d+.*urll/);
  expect(child.stderr()).toContain(`Next: foundry-agent config check --config ${config}\n`);
  expect(existsSync(join(folder, "state"))).toBe(false);
});

test("ps calls daemon and helper foundry-agent, with their command lines", async () => {
  const folder = temporaryFolder();
  const config = writeConfig(folder, "");
  const daemon = run(config);
  await daemon.said("ready");
  const socket = join(folder, "helper.sock");
  const helper = startChild([
    "helper",
    "--socket",
    socket,
    "--state",
    join(folder, "helper"),
    "--idle",
    "600",
  ]);
  await eventually(() => existsSync(socket));
  for (const { process: child } of [daemon, helper]) {
    expect(readFileSync(`/proc/${child.pid}/comm`, "utf8")).toBe("foundry-agent\n");
    expect(readFileSync(`/proc/${child.pid}/cmdline`, "utf8")).toMatch(/\0(?:run|helper)\0/);
    const listed = spawnSync("ps", ["-o", "comm=", "-p", String(child.pid)], { encoding: "utf8" });
    if (listed.error === undefined) expect(listed.stdout.trim()).toBe("foundry-agent");
  }
});

test("a configuration file that is not there", async () => {
  const child = run(join(temporaryFolder(), "nowhere.toml"));
  expect(await child.ended).toEqual(FAILED);
  expect(child.stderr()).toContain("nowhere.toml");
});

test("--once: registers, reports, says so and ends; the next one says what is news", async () => {
  const server = await sandbox();
  const { config } = house(server.url, server.keys.enrol);
  const first = run(config, "--once");
  expect(await first.ended).toEqual(DONE);
  expect(first.stdout()).toMatch(/^nodefoundry: accepted: \d+ sections \(.*system.*\)/m);
  const second = run(config, "--once");
  expect(await second.ended).toEqual(DONE);
  expect(second.stdout()).toMatch(/^nodefoundry: accepted: /m);
  expect(server.inspect().nodes).toHaveLength(1);
});

test("--once with a server that is not there, or refuses: exit 1, with the reason and the next step", async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  const dead = run(house(`http://127.0.0.1:${port}`, "nf_en_0123456789abcdef").config, "--once");
  expect(await dead.ended).toEqual(FAILED);
  expect(dead.stdout()).toMatch(/^nodefoundry: 127\.0\.0\.1:\d+ refuses connections\. Next: /m);
  const server = await sandbox();
  const refused = run(house(server.url, "nf_en_0123456789abcdef").config, "--once");
  expect(await refused.ended).toEqual(FAILED);
  expect(refused.stdout()).toMatch(/^nodefoundry: .+ Next: /m);
  expect(server.inspect().nodes).toHaveLength(0);
  expect(refused.stdout() + refused.stderr()).not.toContain("0123456789abcdef");
});

test("--once without a control API collects and is content", async () => {
  const child = run(writeConfig(temporaryFolder(), ""), "--once");
  expect(await child.ended).toEqual(DONE);
  expect(child.stdout()).toMatch(/collected \d+ sections; no control API is configured/);
});

test("SIGHUP reads the configuration again; a bad one is told and changes nothing", async () => {
  const folder = temporaryFolder();
  const config = writeConfig(folder, "");
  const child = run(config);
  await child.said("ready");
  child.process.kill("SIGHUP");
  await child.said("configuration read again");
  writeFileSync(config, "[agent]\nhardwear = true\n");
  child.process.kill("SIGHUP");
  await child.said(/^.*config\.toml:2.*hardwear/m);
  const status = join(folder, "run", "status.sock");
  const { json } = await ask(status, "/v1/status");
  expect(json.data.conditions).toContainEqual(expect.objectContaining({ code: "config_invalid" }));
  child.process.kill("SIGTERM");
  expect(await child.ended).toEqual(DONE);
});

test("SIGHUP while it is still starting does not end it", async () => {
  let early = false;
  // On a busy machine it may be ready before we have looked: then once more.
  for (let attempt = 0; attempt < 25 && !early; attempt++) {
    const child = run(writeConfig(temporaryFolder(), ""));
    await eventually(() => listensToHangUp(child.process.pid as number), { intervalMs: 1 });
    child.process.kill("SIGSTOP");
    await pause(20); // what it said until then is read by now
    early = !child.stderr().includes("ready");
    child.process.kill("SIGHUP");
    child.process.kill("SIGCONT");
    await child.said("configuration read again");
    child.process.kill("SIGTERM");
    expect(await child.ended).toEqual(DONE);
  }
  expect(early).toBe(true);
});

test("SIGTERM in a long poll: ends at once, exit 0, all on disk, no socket left", async () => {
  const server = await sandbox();
  const { folder, config } = house(server.url, server.keys.enrol);
  const child = run(config);
  await child.said("ready");
  const control = join(folder, "run", "control.sock");
  await ask(control, "/v1/sync", { method: "POST" });
  // What follows by itself after a round with news is a long poll of 50 s.
  const [node] = server.inspect().nodes;
  const sofar = node?.sync?.seq ?? 0;
  await eventually(() => (server.inspect().nodes[0]?.sync?.seq ?? 0) > sofar);
  child.process.kill("SIGTERM");
  expect(await child.ended).toEqual(DONE);
  expect(readdirSync(join(folder, "run"))).toEqual([]);
  const db = new DatabaseSync(join(folder, "state", "state.db"));
  // Written lazily while running; a stop that forgot them would send everything anew.
  expect(db.prepare("SELECT count(*) AS n FROM confirmed").get()).not.toEqual({ n: 0 });
  db.close();
});

/** Whether SIGHUP (1) is among the caught signals: proc(5), SigCgt. */
function listensToHangUp(pid: number): boolean {
  try {
    const mask = /^SigCgt:\s*([0-9a-f]+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "0";
    return (BigInt(`0x${mask}`) & 1n) === 1n;
  } catch {
    return false; // gone: what comes next says so
  }
}
