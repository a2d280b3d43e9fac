/** Bad input at the level of the whole agent: each has a condition or an error with a next step, and nothing is lost. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test, vi } from "vitest";
import { type Sandbox, type SandboxOptions, startSandbox } from "../../src/sandbox/sandbox.ts";
import { hostMachine } from "../../src/system/machine.ts";
import { type TestAgent, testAgent, writeConfig } from "../support/agent.ts";
import { startChild } from "../support/child.ts";
import { handClock } from "../support/store.ts";
import { certificate, certificatePath } from "../support/tls.ts";
import { loadTree, temporaryFolder, treeMachine } from "../support/tree.ts";
import { ask } from "../support/unix-http.ts";

const ROOT = process.getuid?.() === 0;
const NOBODY = 65534;
const patient = { timeout: 15_000, interval: 20 };

async function sandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const started = await startSandbox({ nodeRequestsAMinute: 100_000, ...options });
  onTestFinished(() => started.close());
  return started;
}

/** A file with the enrolment key as it should be. */
function keyFile(server: { keys: { enrol: string } }): string {
  const file = join(temporaryFolder(), "enrol.key");
  writeFileSync(file, server.keys.enrol, { mode: 0o600 });
  return file;
}

function pointedAt(url: string, more: Record<string, string> = {}): string {
  const lines = Object.entries({ url, ...more }).map(([key, value]) => `${key} = "${value}"`);
  return `[nodefoundry]\n${lines.join("\n")}\n`;
}

/** A port nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const codes = (agent: TestAgent): string[] => agent.view.status().conditions.map(({ code }) => code);
const condition = (agent: TestAgent, code: string) =>
  agent.view.status().conditions.find((one) => one.code === code);
const eventTypes = (server: Sandbox, nodeId: string) =>
  (server.inspect().events[nodeId] ?? []).map(({ type, data }) => `${type} ${data.code ?? ""}`);

/** Still collecting, still answering: whatever else is wrong. */
function expectAlive(agent: TestAgent): void {
  expect(agent.view.healthy()).toEqual({ ok: true, reason: null });
  expect(Object.keys(agent.view.report().sections)).toContain("system");
}

async function twice(agent: TestAgent): Promise<void> {
  await agent.view.sync();
  await agent.view.sync();
}

test("a clock in 1970: clock_wrong, no certificate is taken on trust, and all is told when the clock is right", async () => {
  const clock = handClock(86_400_000);
  const port = await freePort();
  const listen = `127.0.0.1:${port}`;
  const early = await startSandbox({ listen, tls: certificate("not-yet-valid") });
  onTestFinished(() => early.close());
  const agent = await testAgent({
    machine: hostMachine({ clock }),
    toml: pointedAt(early.url, { ca_file: certificatePath("ca"), enrol_key_file: keyFile(early) }),
  });
  expect(condition(agent, "clock_wrong")).toMatchObject({
    text: expect.stringContaining("1970"),
    nextStep: expect.stringContaining("timedatectl"),
  });
  await twice(agent);
  expect(early.inspect().requestCount).toBe(0);
  expect(condition(agent, "reporting_failed")?.text).toContain("not valid yet");
  const tls = agent.view.status().conditions.filter(({ code }) => code === "clock_wrong");
  expect(tls.map(({ subject }) => subject).sort()).toEqual(["nodefoundry", undefined]);
  expectAlive(agent);

  // The clock is set and the certificate begins to be valid.
  await early.close();
  const later = await sandbox({ listen, tls: certificate("server"), keys: early.keys });
  clock.set(Date.now());
  clock.forward(30_000);
  await agent.view.collect("system");
  await twice(agent);
  expect(codes(agent).filter((code) => code !== "clock_unsynchronised")).toEqual([]);
  const nodeId = agent.view.status().nodeId ?? "";
  const told = later.inspect().events[nodeId] ?? [];
  expect(told.filter(({ data }) => data.code === "clock_wrong").map(({ type }) => type)).toEqual([
    "condition.raised",
    "condition.raised",
    "condition.cleared",
    "condition.cleared",
  ]);
  // Not half a century, as the wall clock has it.
  for (const { type, data } of told) if (type === "condition.cleared") expect(data.held_s).toBe(30);
});

test("a clock that fell back to 1970 between two starts: events stay in order and arrive", async () => {
  const server = await sandbox();
  const toml = pointedAt(server.url);
  const first = await testAgent({ toml });
  const { nodeId } = await first.view.enroll("nodefoundry", server.keys.test, {});
  writeFileSync(first.configFile, "[agent]\nhardwear = true\n");
  await first.view.reload();
  const before = first.view.eventsSince("", 100).map(({ id }) => id);
  await first.stop();
  const second = await testAgent({
    folder: first.folder,
    toml,
    machine: hostMachine({ clock: handClock(86_400_000) }),
  });
  await second.view.sync();
  const [newest] = second.view.eventsSince(before.at(-1) ?? "", 100);
  expect(newest).toMatchObject({ type: "condition.raised", data: { code: "clock_wrong" } });
  await second.view.sync();
  expect(eventTypes(server, nodeId)).toContain("condition.raised config_invalid");
  expect(eventTypes(server, nodeId)).toContain("condition.raised clock_wrong");
});

test("a server whose clock is far from ours", async () => {
  let ahead = 3 * 3_600_000;
  const server = await sandbox({ now: () => Date.now() + ahead });
  const agent = await testAgent({ toml: pointedAt(server.url) });
  await agent.view.enroll("nodefoundry", server.keys.test, {});
  expect(condition(agent, "clock_wrong")).toMatchObject({
    subject: "nodefoundry",
    text: expect.stringContaining("behind"),
    nextStep: "timedatectl",
  });
  ahead = 0;
  await agent.view.sync();
  expect(codes(agent)).not.toContain("clock_wrong");
});

test("no network: connections refused, then everything is told", async () => {
  const port = await freePort();
  const keys = { enrol: "nf_en_0123456789abcdef" };
  const agent = await testAgent({
    toml: pointedAt(`http://127.0.0.1:${port}`, { enrol_key_file: keyFile({ keys }) }),
  });
  await twice(agent);
  expect(condition(agent, "reporting_failed")).toMatchObject({
    subject: "nodefoundry",
    text: expect.stringContaining("refuses connections"),
    nextStep: expect.stringContaining("firewall"),
  });
  expect(agent.view.status().controlApis).toMatchObject([
    { breaker: "open", lastError: { code: "connect_refused" }, pendingEvents: expect.any(Number) },
  ]);
  expectAlive(agent);
  const server = await sandbox({ listen: `127.0.0.1:${port}`, keys });
  await twice(agent);
  expect(codes(agent)).not.toContain("reporting_failed");
  const nodeId = agent.view.status().nodeId ?? "";
  expect(eventTypes(server, nodeId)).toEqual(
    expect.arrayContaining(["condition.raised reporting_failed", "condition.cleared reporting_failed"]),
  );
});

test("no network: a name that can't be looked up", async () => {
  const keys = { enrol: "nf_en_0123456789abcdef" };
  const agent = await testAgent({
    toml: pointedAt("https://api.foundry.invalid", { enrol_key_file: keyFile({ keys }) }),
  });
  await twice(agent);
  expect(condition(agent, "reporting_failed")).toMatchObject({
    text: expect.stringContaining("api.foundry.invalid"),
    nextStep: "getent ahosts api.foundry.invalid",
  });
  expectAlive(agent);
});

test("a control API that answers HTML, half an object, or 5 MB", async () => {
  const server = await sandbox();
  const agent = await testAgent({ toml: pointedAt(server.url) });
  const { nodeId } = await agent.view.enroll("nodefoundry", server.keys.test, {});
  for (const kind of ["html", "broken_json", "large"] as const) {
    const fault = server.faults.set({ kind });
    await twice(agent);
    expect([kind, condition(agent, "reporting_failed")]).toMatchObject([
      kind,
      { text: expect.stringContaining("127.0.0.1"), nextStep: expect.stringContaining("check the URL") },
    ]);
    expectAlive(agent);
    server.faults.clear(fault);
    await twice(agent);
    expect(codes(agent)).toEqual([]);
  }
  expect(eventTypes(server, nodeId)).toHaveLength(6);
  expect(agent.view.status().controlApis[0]?.pendingEvents).toBe(0);
});

test.skipIf(!canMount())("a full disk (a tmpfs; only root can mount one)", async () => {
  const folder = temporaryFolder();
  const state = join(folder, "state");
  mkdirSync(state, { mode: 0o700 });
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=3m,mode=0700", "tmpfs", state]);
  onTestFinished(() => void execFileSync("umount", ["-l", state]));
  const clock = handClock(Date.now());
  const server = await sandbox();
  const agent = await testAgent({ folder, toml: pointedAt(server.url), machine: hostMachine({ clock }) });
  const { nodeId } = await agent.view.enroll("nodefoundry", server.keys.test, {});
  const ballast = join(state, "ballast");
  fillUp(ballast);
  server.faults.set({ kind: "503" });
  // Each of these is an event, and none of them can be told now.
  for (let n = 0; n < 200 && !codes(agent).includes("state_full"); n++) {
    writeFileSync(agent.configFile, "[agent]\nhardwear = true\n");
    await agent.view.reload();
    writeConfig(folder, pointedAt(server.url));
    await agent.view.reload();
  }
  expect(condition(agent, "state_full")).toMatchObject({
    text: expect.stringContaining("kept in memory"),
    nextStep: `free some space: df -h ${state}`,
  });
  expectAlive(agent);
  const known = agent.view.eventsSince("", 5_000).map(({ id }) => id);
  rmSync(ballast);
  server.faults.clear();
  clock.forward(60_000);
  await agent.view.collect("system");
  await twice(agent);
  expect(codes(agent)).toEqual([]);
  expect(agent.view.status().controlApis[0]?.pendingEvents).toBe(0);
  const arrived = (server.inspect().events[nodeId] ?? []).map(({ id }) => id);
  expect(known.filter((id) => !arrived.includes(id))).toEqual([]);
});

test.skipIf(!hasPrlimit())(
  "a disk that takes no more (files may not grow): the daemon goes on and tells",
  async () => {
    const server = await sandbox();
    const folder = temporaryFolder();
    const toml = pointedAt(server.url, { enrol_key_file: keyFile(server) });
    const config = writeConfig(folder, toml);
    const child = startChild(["run", "--config", config], { wrapper: ["prlimit", "--fsize=4096"] });
    await child.said("ready");
    const control = join(folder, "run", "control.sock");
    await ask(control, "/v1/sync", { method: "POST" });
    const { json } = await ask(control, "/v1/status");
    expect(json.data.conditions).toMatchObject([
      {
        code: expect.stringMatching(/^state_(full|not_writable)$/),
        next_step: expect.stringContaining(folder),
      },
    ]);
    expect(json.data.node_id).toBe(server.inspect().nodes[0]?.id);
    child.process.kill("SIGTERM");
    expect(await child.ended).toEqual({ code: 0, signal: null });
  },
);

test("a state folder that may not be written: reported to all the same, commands refused, nothing forgotten", async () => {
  const server = await sandbox();
  const toml = pointedAt(server.url);
  const first = await testAgent({ toml });
  const { nodeId } = await first.view.enroll("nodefoundry", server.keys.test, {});
  await first.stop();
  const state = join(first.folder, "state");
  if (ROOT) execFileSync("chown", ["-R", `${NOBODY}:${NOBODY}`, first.folder]);
  for (const file of ["state.db", "lock.db", "reserve"].map((name) => join(state, name)))
    if (existsSync(file)) chmodSync(file, 0o400);
  chmodSync(state, 0o500);
  onTestFinished(() => chmodSync(state, 0o700));
  const child = startChild(["run", "--config", first.configFile], { nobody: ROOT });
  await child.said("ready");
  const control = join(first.folder, "run", "control.sock");
  const asked = await reboot(server, nodeId);
  await vi.waitUntil(async () => {
    await ask(control, "/v1/sync", { method: "POST" });
    return server.inspect().commands[0]?.state === "refused";
  }, patient);
  const { json } = await ask(control, "/v1/status");
  expect(json.data.node_id).toBe(nodeId);
  expect(json.data.conditions).toContainEqual(
    expect.objectContaining({
      code: "state_not_writable",
      next_step: expect.stringContaining(`ls -ld ${state}`),
    }),
  );
  expect(server.inspect().commands[0]).toMatchObject({ id: asked, history: [{ state: "refused" }] });
  expect((await ask(control, "/healthz")).status).toBe(200);
  child.process.kill("SIGTERM");
  expect(await child.ended).toEqual({ code: 0, signal: null });
});

test("a damaged state.db: kept aside, a fresh one in its place, the same node again", async () => {
  const server = await sandbox();
  const toml = pointedAt(server.url, { enrol_key_file: keyFile(server) });
  const first = await testAgent({ toml });
  await twice(first);
  const { nodeId } = first.view.status();
  await first.stop();
  writeFileSync(join(first.folder, "state", "state.db"), "not a database at all, by any means\n".repeat(500));
  const second = await testAgent({ toml, folder: first.folder });
  expect(condition(second, "state_corrupt")).toMatchObject({
    severity: "error",
    text: expect.stringMatching(/is kept as .*state\.db\.corrupt-/),
    nextStep: expect.stringContaining("dmesg"),
  });
  expectAlive(second);
  await twice(second);
  expect(second.view.status().nodeId).toBe(nodeId);
  expect(server.inspect().nodes).toHaveLength(1);
  expect(eventTypes(server, nodeId ?? "")).toContain("condition.raised state_corrupt");
});

test("a state.db of a newer version: reporting goes on as the same node, commands are refused", async () => {
  const server = await sandbox();
  const toml = pointedAt(server.url);
  const first = await testAgent({ toml });
  const { nodeId } = await first.view.enroll("nodefoundry", server.keys.test, {});
  await first.stop();
  const file = join(first.folder, "state", "state.db");
  const db = new DatabaseSync(file);
  db.exec("PRAGMA user_version = 999; UPDATE meta SET value = '999' WHERE key = 'compatible_with'");
  db.close();
  await reboot(server, nodeId);
  const second = await testAgent({ toml, folder: first.folder });
  expect(condition(second, "state_too_new")).toMatchObject({ nextStep: "install the newer version again" });
  await vi.waitUntil(async () => {
    await second.view.sync();
    return server.inspect().commands[0]?.state === "refused";
  }, patient);
  expect(server.inspect().commands[0]?.history).toMatchObject([{ state: "refused" }]);
  expect(second.view.status().nodeId).toBe(nodeId);
  expectAlive(second);
  await second.stop();
  const after = new DatabaseSync(file);
  expect(after.prepare("PRAGMA user_version").get()).toEqual({ user_version: 999 });
  after.close();
});

test("a second agent on the same state is refused with a sentence, and the first goes on", async () => {
  const agent = await testAgent();
  const second = startChild(["run", "--config", agent.configFile]);
  expect(await second.ended).toEqual({ code: 1, signal: null });
  expect(second.stderr()).toMatch(/^foundry-agent: .*state.*Next: /m);
  expect(second.stderr()).not.toContain("    at ");
  expectAlive(agent);
});

test("an enrolment key that everybody may read is not used, and the line to type is given", async () => {
  const server = await sandbox();
  const key = keyFile(server);
  chmodSync(key, 0o644);
  const agent = await testAgent({ toml: pointedAt(server.url, { enrol_key_file: key }) });
  await twice(agent);
  expect(condition(agent, "reporting_failed")).toMatchObject({
    text: expect.stringContaining(`every user of this host can reach ${key}`),
    nextStep: expect.stringMatching(new RegExp(`^chown \\S+ ${key} && chmod 06[04]0 ${key}$`)),
  });
  expect(server.inspect().requestCount).toBe(0);
  chmodSync(key, 0o600);
  await twice(agent);
  expect(agent.view.status()).toMatchObject({ nodeId: expect.any(String), conditions: [] });
});

test("a state folder that can't be made: everything from memory, and said so", async () => {
  const server = await sandbox();
  const folder = temporaryFolder();
  // A file where its folder should be: no right and no capability helps here.
  writeFileSync(join(folder, "state"), "in the way");
  const agent = await testAgent({
    folder,
    toml: pointedAt(server.url, { enrol_key_file: keyFile(server) }),
  });
  expect(condition(agent, "state_not_writable")).toMatchObject({
    severity: "error",
    nextStep: expect.stringContaining(`${folder}/state`),
  });
  await twice(agent);
  expect(agent.view.status().nodeId).toBe(server.inspect().nodes[0]?.id);
  expectAlive(agent);
  expect(readFileSync(join(folder, "state"), "utf8")).toBe("in the way");
});

test("a run folder that can't be made ends the start with a sentence, and the state is free again", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "run"), "in the way");
  const child = startChild(["run", "--config", writeConfig(folder, "")]);
  expect(await child.ended).toEqual({ code: 1, signal: null });
  expect(child.stderr()).toContain(`${folder}/run`);
  expect(child.stderr()).toContain("Next: set agent.run_dir to a folder of your own");
  await expect(testAgent({ folder })).rejects.toMatchObject({ code: "run_folder" });
  rmSync(join(folder, "run"));
  expectAlive(await testAgent({ folder }));
});

test("an address for metrics that is taken costs the metrics, not the daemon, also at a reload", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void taken.close());
  const { port } = taken.address() as AddressInfo;
  const toml = `[metrics]\nlisten = "127.0.0.1:${port}"\n`;
  const agent = await testAgent({ toml });
  expect(condition(agent, "metrics_listen")).toMatchObject({
    nextStep: expect.stringContaining("metrics.listen"),
  });
  expectAlive(agent);
  writeConfig(agent.folder, "");
  expect(await agent.view.reload()).toEqual({ ok: true, problems: [] });
  expect(codes(agent)).toEqual([]);
  writeConfig(agent.folder, toml);
  expect(await agent.view.reload()).toEqual({ ok: true, problems: [] });
  expect(codes(agent)).toEqual(["metrics_listen"]);
  expectAlive(agent);
});

test("many reloads and rounds at once come one after another", async () => {
  const server = await sandbox();
  const agent = await testAgent({ toml: pointedAt(server.url) });
  await agent.view.enroll("nodefoundry", server.keys.test, {});
  const reloads = await Promise.all([agent.view.reload(), agent.view.reload(), agent.view.reload()]);
  expect(reloads.map(({ ok }) => ok)).toEqual([true, true, true]);
  const rounds = await Promise.all([agent.view.sync(), agent.view.sync(), agent.view.sync()]);
  expect(rounds.flat().map(({ ok, text }) => [ok, text])).toEqual([
    [true, expect.stringContaining("accepted")],
    [true, expect.stringContaining("accepted")],
    [true, expect.stringContaining("accepted")],
  ]);
  expectAlive(agent);
});

test("a collector that fails costs its section and a condition, and all else goes on", async () => {
  let broken = true;
  const pi = treeMachine(loadTree("pi4"));
  const addresses = (): null => {
    if (broken) throw new TypeError("the kernel said something new");
    return null;
  };
  const agent = await testAgent({ machine: { ...pi, addresses } });
  expect(agent.view.report().sections.network).toMatchObject({ state: "failed", data: null });
  expect(codes(agent)).not.toContain("collector_failed");
  await agent.view.collect("network");
  expect(condition(agent, "collector_failed")).toMatchObject({
    subject: "network",
    text: expect.stringContaining("the kernel said something new"),
    nextStep: "foundry-agent collect network",
  });
  expectAlive(agent);
  broken = false;
  await agent.view.collect("network");
  expect(codes(agent)).not.toContain("collector_failed");
  expect(agent.view.report().sections.network?.state).toBe("ok");
});

test("what a reload switches off leaves no condition behind", async () => {
  const port = await freePort();
  const keys = { enrol: "nf_en_0123456789abcdef" };
  const agent = await testAgent({
    toml: pointedAt(`http://127.0.0.1:${port}`, { enrol_key_file: keyFile({ keys }) }),
  });
  await twice(agent);
  expect(codes(agent)).toEqual(["reporting_failed"]);
  writeConfig(agent.folder, "");
  await agent.view.reload();
  expect(codes(agent)).toEqual([]);
});

test("folders that only a restart moves are said to wait for one", async () => {
  const agent = await testAgent();
  const text = readFileSync(agent.configFile, "utf8");
  writeFileSync(agent.configFile, text.replace("/state", "/elsewhere"), { mode: 0o600 });
  await agent.view.reload();
  expect(condition(agent, "restart_needed")).toMatchObject({
    text: expect.stringContaining("agent.state_dir"),
  });
  writeFileSync(agent.configFile, text, { mode: 0o600 });
  await agent.view.reload();
  expect(codes(agent)).toEqual([]);
});

/** @returns the command's id */
async function reboot(server: Sandbox, nodeId: string): Promise<string> {
  const answer = await fetch(`${server.url}/v1/nodes/${nodeId}/reboot`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.keys.test}`, "content-type": "application/json" },
    body: "{}",
  });
  return ((await answer.json()) as { data: { command_id: string } }).data.command_id;
}

function fillUp(file: string): void {
  try {
    for (;;) writeFileSync(file, Buffer.alloc(4096, 1), { flag: "a" });
  } catch (full) {
    expect(full).toMatchObject({ code: "ENOSPC" });
  }
}

function hasPrlimit(): boolean {
  try {
    execFileSync("prlimit", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function canMount(): boolean {
  if (!ROOT) return false;
  const folder = mkdtempSync(join(tmpdir(), "foundry-mount-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], { stdio: "ignore" });
    execFileSync("umount", [folder]);
    return true;
  } catch {
    return false; // a container without CAP_SYS_ADMIN
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
