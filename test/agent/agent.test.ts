import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { allCollectors } from "../../src/collectors/index.ts";
import { testAgent, writeConfig } from "../support/agent/agent.ts";
import { eventually } from "../support/eventually.ts";
import { loadTree, temporaryFolder, treeMachine } from "../support/machine/tree.ts";
import { startSandbox } from "../support/net/nodefoundry.ts";

const NAMES = allCollectors()
  .map((collector) => collector.name)
  .sort();

async function sandbox(options: Parameters<typeof startSandbox>[0] = {}) {
  const started = await startSandbox(options);
  onTestFinished(() => started.close());
  return started;
}
const pointedAt = (url: string): string => `[nodefoundry]\nurl = "${url}"\n`;

async function call(
  url: string,
  key: string,
  path: string,
  body?: unknown,
): Promise<{ data: Record<string, unknown> }> {
  const answer = await fetch(url + path, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (await answer.json()) as { data: Record<string, unknown> };
}

test("the main job: enrol, report every section, then only what is news", async () => {
  const server = await sandbox();
  const agent = await testAgent({ toml: pointedAt(server.url) });
  const { nodeId, mode } = await agent.view.enroll("nodefoundry", server.keys.test, {});
  expect(mode).toBe("test");
  const sections = server.inspect().reports[nodeId]?.sections ?? {};
  expect(Object.keys(sections).sort()).toEqual(NAMES);
  const [again] = await agent.view.sync();
  expect(again).toMatchObject({ ok: true, text: expect.stringContaining("no section had news") });
  expect(agent.view.status()).toMatchObject({
    nodeId,
    mode: "test",
    localOnly: false,
    controlApis: [{ failures: 0, breaker: "closed" }],
  });
});

test("an open long poll delivers a command at once, with no round being due", async () => {
  const server = await sandbox();
  const agent = await testAgent({ toml: pointedAt(server.url) });
  const { nodeId } = await agent.view.enroll("nodefoundry", server.keys.test, {});
  // After the round that had everything to say one long poll follows by itself.
  const before = agent.view.status().controlApis[0]?.requestsThisMonth ?? 0;
  await eventually(() => (server.inspect().requests.nodes[nodeId] ?? 0) > before - 1);
  await call(server.url, server.keys.test, `/v1/nodes/${nodeId}/reboot`, {});
  await eventually(() => agent.view.commands(10).length === 1);
});

test("a server that is away: a condition, healthy all the same, and every event arrives afterwards", async () => {
  const server = await sandbox();
  const agent = await testAgent({ toml: pointedAt(server.url) });
  const { nodeId } = await agent.view.enroll("nodefoundry", server.keys.test, {});
  const fault = server.faults.set({ kind: "503" });
  await agent.view.sync();
  await agent.view.sync();
  expect(agent.view.status().conditions).toMatchObject([
    { code: "reporting_failed", subject: "nodefoundry", severity: "warning" },
  ]);
  expect(agent.view.healthy().ok).toBe(true);
  server.faults.clear(fault);
  await agent.view.sync();
  await agent.view.sync();
  expect(agent.view.status().conditions).toEqual([]);
  const types = (server.inspect().events[nodeId] ?? []).map((event) => event.type);
  expect(types).toEqual(["condition.raised", "condition.cleared"]);
  expect(agent.view.status().controlApis[0]?.pendingEvents).toBe(0);
});

test("an excluded field leaves this host in no report", async () => {
  const server = await sandbox();
  const agent = await testAgent({
    toml: `[report]\nexclude = ["system.hostname", "network"]\n${pointedAt(server.url)}`,
  });
  const { nodeId } = await agent.view.enroll("nodefoundry", server.keys.test, {});
  const sections = server.inspect().reports[nodeId]?.sections as Record<
    string,
    { state: string; data: Record<string, unknown> | null }
  >;
  expect("hostname" in (sections.system?.data ?? {})).toBe(false);
  expect(sections.network).toMatchObject({ state: "absent", data: null });
  expect(agent.view.preview("nodefoundry")).not.toContain('"default_routes"');
});

test("without a control API the agent is healthy and says so", async () => {
  const agent = await testAgent();
  expect(agent.view.status()).toMatchObject({ localOnly: true, nodeId: null, conditions: [] });
  expect(Object.keys(agent.view.report().sections).sort()).toEqual(NAMES);
  await expect(agent.view.sync("nodefoundry")).rejects.toMatchObject({ code: "no_such_api" });
});

test("a bad new configuration changes nothing but raises a condition; a good one takes effect without a restart", async () => {
  const agent = await testAgent();
  writeFileSync(agent.configFile, "[agent]\nhardwear = true\n");
  await eventually(() =>
    agent.view.status().conditions.some((condition) => condition.code === "config_invalid"),
  );
  expect(agent.view.collectors().length).toBe(NAMES.length);
  writeConfig(agent.folder, "[collectors.memory]\nenabled = false");
  await eventually(() => agent.view.collectors().length === NAMES.length - 1);
  await eventually(() => agent.view.status().conditions.length === 0);
  expect(agent.view.report().sections.memory).toBeUndefined();
});

test("a second agent on the same state is refused, and the first goes on", async () => {
  const agent = await testAgent();
  await expect(testAgent({ folder: agent.folder })).rejects.toMatchObject({ code: "state_locked" });
  expect(agent.view.healthy().ok).toBe(true);
});

test("after a restart the node is the same one, and nothing is sent twice", async () => {
  const server = await sandbox();
  const first = await testAgent({ toml: pointedAt(server.url) });
  const { nodeId } = await first.view.enroll("nodefoundry", server.keys.test, {});
  await first.stop();
  const second = await testAgent({ toml: pointedAt(server.url), folder: first.folder });
  const [round] = await second.view.sync();
  expect(round?.ok).toBe(true);
  expect(second.view.status().nodeId).toBe(nodeId);
  expect(server.inspect().nodes).toHaveLength(1);
});

test("state copied to other hardware is set aside and the node registers anew", async () => {
  const server = await sandbox();
  const here = treeMachine(loadTree("ceph-node"));
  const first = await testAgent({ toml: pointedAt(server.url), machine: here });
  const { nodeId } = await first.view.enroll("nodefoundry", server.keys.test, {});
  await first.stop();
  const copy = temporaryFolder();
  cpSync(join(first.folder, "state"), join(copy, "state"), { recursive: true });
  const second = await testAgent({
    toml: pointedAt(server.url),
    machine: treeMachine(loadTree("pi4")),
    folder: copy,
  });
  expect(second.view.status().conditions.map((condition) => condition.code)).toContain("identity_cloned");
  expect(second.view.status().nodeId).toBeNull();
  const anew = await second.view.enroll("nodefoundry", server.keys.test, {});
  expect(anew.nodeId).not.toBe(nodeId);
});

test("no key or token is in any log line, report, preview or event", async () => {
  const server = await sandbox();
  const agent = await testAgent({ toml: pointedAt(server.url) });
  await agent.view.enroll("nodefoundry", server.keys.live, {});
  await agent.view.sync();
  const all = JSON.stringify([
    agent.lines,
    agent.view.report(),
    agent.view.status(),
    agent.view.preview("nodefoundry"),
    agent.view.eventsSince("", 1000),
  ]);
  expect(all).not.toMatch(/nf_(?:sk|nt|en)_[a-z]*_?[A-Za-z0-9]{8}/);
});
