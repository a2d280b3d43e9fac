/** Whose node this is, as an operator changes it: leave, adopt, reset, and what is under way meanwhile. */
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type TestAgent, testAgent } from "../../support/agent/agent.ts";
import { startTap } from "../../support/control/tap.ts";
import { eventually } from "../../support/eventually.ts";
import { loadTree, temporaryFolder, treeMachine } from "../../support/machine/tree.ts";
import { AGENT_API, startSandbox } from "../../support/net/nodefoundry.ts";

async function rig() {
  const server = await startSandbox({ nodeRequestsAMinute: 100_000 });
  onTestFinished(() => server.close());
  const enrolKey = join(temporaryFolder(), "enrol.key");
  writeFileSync(enrolKey, server.keys.enrol, { mode: 0o600 });
  const toml = `[nodefoundry]\nurl = "${server.url}"\n`;
  return { server, toml, withKey: `${toml}enrol_key_file = "${enrolKey}"\n` };
}

const codes = (agent: TestAgent): string[] => agent.view.status().conditions.map(({ code }) => code);
const api = (agent: TestAgent) => agent.view.status().controlApis[0];

test("who left stays away, whatever key lies about, and says how to come back", async () => {
  const { server, withKey } = await rig();
  const agent = await testAgent({ toml: withKey });
  expect(await agent.view.sync()).toMatchObject([{ ok: true }]);
  const nodeId = agent.view.status().nodeId;
  await agent.view.leave("nodefoundry");
  const [round] = await agent.view.sync();
  expect(round).toMatchObject({ ok: false, text: expect.stringContaining("left") });
  expect(api(agent)).toMatchObject({ enrolled: false, nodeId: null });
  await eventually(() => codes(agent).includes("left"));
  expect(agent.view.status().conditions[0]?.nextStep).toContain("foundry-agent enroll");

  await agent.stop();
  const again = await testAgent({ toml: withKey, folder: agent.folder });
  expect(await again.view.sync()).toMatchObject([{ ok: false }]);
  expect(codes(again)).toContain("left");
  expect(await again.view.enroll("nodefoundry", server.keys.enrol, {})).toMatchObject({ nodeId });
  expect(await again.view.sync()).toMatchObject([{ ok: true }]);
  expect(codes(again)).toEqual([]);
  expect(server.inspect().nodes).toHaveLength(1);
});

test("what is wrong with reporting is over for who left", async () => {
  const { server, toml } = await rig();
  const agent = await testAgent({ toml });
  await agent.view.enroll("nodefoundry", server.keys.test, {});
  server.faults.set({ kind: "503" });
  await agent.view.sync();
  await agent.view.sync();
  expect(codes(agent)).toEqual(["reporting_failed"]);
  await agent.view.leave("nodefoundry");
  await agent.view.sync();
  expect(codes(agent)).toEqual(["left"]);
  expect(api(agent)?.lastError).toBeNull();
});

test("a new mainboard: adopted, the node reports as itself at once, and registers as itself later", async () => {
  const { server, toml } = await rig();
  const first = await testAgent({ toml, machine: treeMachine(loadTree("ceph-node")) });
  const { nodeId } = await first.view.enroll("nodefoundry", server.keys.test, {});
  await first.stop();
  const folder = temporaryFolder();
  cpSync(join(first.folder, "state"), join(folder, "state"), { recursive: true });
  const board = treeMachine(loadTree("pi4"));
  const second = await testAgent({ toml, folder, machine: board });
  await second.view.sync();
  await second.view.sync();
  expect(codes(second)).toContain("identity_cloned");
  expect(second.view.status().nodeId).toBeNull();

  await second.view.adopt(false);
  expect(second.view.status().nodeId).toBe(nodeId);
  // Without waiting for the back-off of a node that had nobody to report to.
  await eventually(() => api(second)?.lastSyncAt !== null);
  expect(codes(second).filter((code) => /identity|clon|enrol/.test(code))).toEqual([]);
  // Its token lost one day, it must not take itself for a copy.
  expect(await second.view.enroll("nodefoundry", server.keys.test, {})).toMatchObject({ nodeId });
  expect(codes(second)).not.toContain("identity_cloned");
});

test("reset while a round is under way: its answer is for somebody this node is no more", async () => {
  const { server } = await rig();
  const tap = await startTap(() => server.url, AGENT_API);
  const agent = await testAgent({ toml: `[nodefoundry]\nurl = "${tap.url}"\n` });
  const { nodeId } = await agent.view.enroll("nodefoundry", server.keys.test, {});
  const asked = await fetch(`${server.url}/v1/nodes/${nodeId}/reboot`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.keys.test}`, "content-type": "application/json" },
    body: "{}",
  });
  expect(asked.ok).toBe(true);
  server.faults.set({ kind: "slow", path: "/v1/nodes/*/sync", delay_ms: 700, count: 1 });
  const requests = tap.seen.length;
  const slow = agent.view.sync();
  await eventually(() => tap.seen.length > requests);
  await agent.view.resetIdentity();
  expect(await slow).toMatchObject([{ ok: false }]);
  expect(agent.view.commands(10)).toEqual([]);
  expect(agent.view.status().nodeId).toBeNull();
  await eventually(() => codes(agent).includes("enrol_key_needed"));
});

test("a token goes to the server that gave it, whatever URL is configured later", async () => {
  const one = await rig();
  const first = await testAgent({ toml: one.toml });
  const { nodeId } = await first.view.enroll("nodefoundry", one.server.keys.test, {});
  await first.stop();

  const other = await rig();
  const moved = await testAgent({ toml: other.toml, folder: first.folder });
  expect(await moved.view.sync()).toMatchObject([{ ok: false }]);
  expect(api(moved)).toMatchObject({ enrolled: false, nodeId: null });
  expect(Object.values(other.server.inspect().requests.nodes)).toEqual([]);
  await moved.stop();

  const back = await testAgent({ toml: one.toml, folder: first.folder });
  expect(await back.view.sync()).toMatchObject([{ ok: true }]);
  expect(back.view.status().nodeId).toBe(nodeId);
});

test("agent.name is what the node is called, in status and where it registers", async () => {
  const server = await startSandbox();
  onTestFinished(() => server.close());
  const folder = temporaryFolder();
  const agent = await testAgent({
    folder,
    name: "rack4-node07",
    toml: `[nodefoundry]\nurl = "${server.url}"\n`,
  });
  await agent.view.enroll("nodefoundry", server.keys.test, {});
  expect(agent.view.status().hostname).toBe("rack4-node07");
  expect(server.inspect().nodes.map(({ hostname }) => hostname)).toEqual(["rack4-node07"]);
});

/** A reboot of the sandbox's that waits, for somebody holds this node. */
async function withWaitingReboot() {
  const { server, toml } = await rig();
  const agent = await testAgent({ toml });
  const { nodeId } = await agent.view.enroll("nodefoundry", server.keys.test, {});
  agent.view.hold({ reason: "replacing a fan", by: "root", until: null });
  await fetch(`${server.url}/v1/nodes/${nodeId}/reboot`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.keys.test}`, "content-type": "application/json" },
    body: "{}",
  });
  await agent.view.sync();
  const waiting = (): string[] => agent.view.status().waitingCommands.map(({ asked }) => asked.id);
  await eventually(() => waiting().length === 1);
  return { agent, waiting, id: waiting()[0] as string };
}

test("what a control API asked for and has not been done is cancelled when this node leaves it", async () => {
  const { agent, waiting, id } = await withWaitingReboot();
  await agent.view.leave("nodefoundry");
  expect(waiting()).toEqual([]);
  expect(agent.view.commandRecord(id)?.progress).toMatchObject({
    state: "cancelled",
    why: { text: "Cancelled by this node, which left nodefoundry." },
  });
});

test("after a reset nothing waits any more, for what did is set aside", async () => {
  const { agent, waiting, id } = await withWaitingReboot();
  await agent.view.resetIdentity();
  expect(waiting()).toEqual([]);
  expect(agent.view.commandRecord(id)).toBeNull();
});
