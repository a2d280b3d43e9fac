/** A state, a disk or a folder that is not as it should be: a condition or an error with a next step, and nothing lost. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { quietMachine, testAgent, writeConfig } from "../support/agent/agent.ts";
import { startChild } from "../support/agent/child.ts";
import {
  codes,
  condition,
  eventTypes,
  expectAlive,
  keyFile,
  pointedAt,
  reboot,
  sandbox,
  twice,
} from "../support/agent/server.ts";
import { ask } from "../support/agent/unix-http.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/machine/tree.ts";
import { handClock } from "../support/store/store.ts";

const ROOT = process.getuid?.() === 0;
const NOBODY = 65534;

test.skipIf(!canMount())("a full disk (a tmpfs; only root can mount one)", async () => {
  const folder = temporaryFolder();
  const state = join(folder, "state");
  mkdirSync(state, { mode: 0o700 });
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=3m,mode=0700", "tmpfs", state]);
  onTestFinished(() => void execFileSync("umount", ["-l", state]));
  const clock = handClock(Date.now());
  const server = await sandbox();
  const agent = await testAgent({ folder, toml: pointedAt(server.url), machine: quietMachine(clock) });
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
    nextStep: `df -h ${state}  # make room there`,
  });
  expectAlive(agent);
  // The reserve was given back for the journal; a hold finds not a byte.
  fillUp(`${ballast}-2`);
  const hold = { reason: "fan", by: "ada", until: null };
  expect(() => agent.view.hold(hold)).toThrow(expect.objectContaining({ code: "hold_not_durable" }));
  expect(agent.view.status().hold).toMatchObject({ reason: "fan" });
  expect(agent.view.release("ada")).toMatchObject({ reason: "fan" });
  expect(agent.view.release("ada")).toBeNull();
  rmSync(`${ballast}-2`);
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
    expect(json.data.conditions).toContainEqual(
      expect.objectContaining({
        code: expect.stringMatching(/^state_(full|not_writable)$/),
        next_step: expect.stringContaining(folder),
      }),
    );
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
  await eventually(async () => {
    await ask(control, "/v1/sync", { method: "POST" });
    return server.inspect().commands[0]?.state === "refused";
  });
  const { json } = await ask(control, "/v1/status");
  expect(json.data.node_id).toBe(nodeId);
  expect(json.data.conditions).toContainEqual(
    expect.objectContaining({
      code: "state_not_writable",
      next_step: expect.stringContaining(`ls -ld ${state}`),
    }),
  );
  expect(server.inspect().commands[0]).toMatchObject({ id: asked, history: [{ state: "refused" }] });
  const held = await ask(control, "/v1/hold", { method: "POST", body: '{"reason":"fan"}' });
  expect(held.json.error).toMatchObject({
    code: "hold_not_durable",
    message: expect.stringMatching(/EACCES|EROFS/),
  });
  expect((await ask(control, "/v1/status")).json.data.hold).toMatchObject({ reason: "fan" });
  const released = await ask(control, "/v1/release", { method: "POST" });
  expect(released.json.data.released).toMatchObject({ reason: "fan" });
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
  expect(condition(second, "state_too_new")).toMatchObject({
    nextStep: "foundry-agent version  # install the newer one again",
  });
  await eventually(async () => {
    await second.view.sync();
    return server.inspect().commands[0]?.state === "refused";
  });
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
  expect(child.stderr()).toContain("or name a folder of your own: run_dir =");
  await expect(testAgent({ folder })).rejects.toMatchObject({ code: "run_folder" });
  rmSync(join(folder, "run"));
  expectAlive(await testAgent({ folder }));
});

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
