/** Bad input at the level of the whole agent: each has a condition or an error with a next step, and nothing is lost. */
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test, vi } from "vitest";
import { type Sandbox, type SandboxOptions, startSandbox } from "../../src/sandbox/sandbox.ts";
import { hostMachine } from "../../src/system/machine.ts";
import { type TestAgent, testAgent, writeConfig } from "../support/agent.ts";
import { startChild } from "../support/child.ts";
import { handClock } from "../support/store.ts";
import { certificate, certificatePath } from "../support/tls.ts";
import { temporaryFolder } from "../support/tree.ts";
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
  (server.inspect().events[nodeId] ?? []).map(({ type, data }) => `${type} ${data["code"] ?? ""}`);

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
  expect(told.filter(({ data }) => data["code"] === "clock_wrong").map(({ type }) => type)).toEqual([
    "condition.raised",
    "condition.raised",
    "condition.cleared",
    "condition.cleared",
  ]);
  // Not half a century, as the wall clock has it.
  for (const { type, data } of told) if (type === "condition.cleared") expect(data["held_s"]).toBe(30);
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

test.skipIf(!ROOT || !canMount())("a full disk (a tmpfs; only root can mount one)", async () => {
  const folder = temporaryFolder();
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", folder]);
  onTestFinished(() => void execFileSync("umount", ["-l", folder]));
  const clock = handClock(Date.now());
  const server = await sandbox();
  const agent = await testAgent({ folder, toml: pointedAt(server.url), machine: hostMachine({ clock }) });
  const { nodeId } = await agent.view.enroll("nodefoundry", server.keys.test, {});
  const ballast = join(folder, "ballast");
  fill(ballast);
  const outage = server.faults.set({ kind: "503" });
  const config = readFileSync(agent.configFile, "utf8");
  const elsewhere = join(temporaryFolder(), "config.toml");
  void elsewhere;
  // Every round of this is two events; the disk takes none of them for long.
  let raised = 0;
  for (; raised < 500 && !codes(agent).includes("state_full"); raised++) {
    server.faults.clear(outage);
    await toggle(agent, server);
  }
  expect(condition(agent, "state_full")).toMatchObject({ nextStep: `free some space: df -h ${folder}/state` });
  expectAlive(agent);
  expect(config).toContain("state_dir");
  rmSync(ballast);
  clock.forward(60_000);
  await agent.view.collect("system");
  await twice(agent);
  expect(codes(agent)).toEqual([]);
  expect(agent.view.status().controlApis[0]?.pendingEvents).toBe(0);
  const known = agent.view.eventsSince("", 5_000).map(({ id }) => id);
  const arrived = (server.inspect().events[nodeId] ?? []).map(({ id }) => id);
  expect(known.filter((id) => !arrived.includes(id))).toEqual([]);
});
