/** Whoever this node is to its server now, the server hears of every condition that holds, and once. */
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type TestAgent, testAgent } from "../../support/agent/agent.ts";
import { keyFile, pointedAt, sandbox } from "../../support/agent/server.ts";
import { eventually } from "../../support/eventually.ts";
import { loadTree, temporaryFolder, treeMachine } from "../../support/machine/tree.ts";
import type { Sandbox } from "../../support/net/nodefoundry.ts";

/** With a condition that holds from the start on: a pattern that fits nothing. */
const wrong = '[report]\nexclude = ["system.serial"]\n';

async function rig(): Promise<{ server: Sandbox; toml: string }> {
  const server = await sandbox();
  const key = keyFile(server);
  return { server, toml: `${wrong}${pointedAt(server.url)}enrol_key_file = "${key}"\n` };
}

/** How often the server has heard of the condition under each of the node's ids. */
function heard(server: Sandbox, nodeId: string | null): Record<string, unknown>[] {
  return (server.inspect().events[nodeId ?? ""] ?? [])
    .filter(({ type, data }) => type === "condition.raised" && data?.code === "exclude_unknown")
    .map(({ data }) => data as Record<string, unknown>);
}

const idOf = (agent: TestAgent): string | null => agent.view.status().nodeId;

/** Rounds until all that waits was said. */
async function settled(agent: TestAgent): Promise<void> {
  await eventually(async () => {
    await agent.view.sync();
    return idOf(agent) !== null && agent.view.status().controlApis[0]?.pendingEvents === 0;
  });
}

test("registered for the first time it is told once, and not again when it registers again", async () => {
  const { server, toml } = await rig();
  const agent = await testAgent({ toml });
  await settled(agent);
  const first = idOf(agent);
  expect(heard(server, first)).toMatchObject([{ subject: "system.serial" }]);
  await agent.view.enroll("nodefoundry", server.keys.enrol, {});
  await settled(agent);
  expect(idOf(agent)).toBe(first);
  expect(heard(server, first)).toHaveLength(1);
});

test("a server restored without this node hears it under the new id", async () => {
  const { server, toml } = await rig();
  server.faults.snapshot();
  const agent = await testAgent({ toml });
  await settled(agent);
  const before = idOf(agent);
  server.faults.restore();
  await agent.view.sync();
  await settled(agent);
  expect(idOf(agent)).not.toBe(before);
  expect(heard(server, idOf(agent))).toMatchObject([{ subject: "system.serial", repeated: true }]);
});

test("so does one that it comes back to after leaving, when it was deleted there meanwhile", async () => {
  const { server, toml } = await rig();
  server.faults.snapshot();
  const agent = await testAgent({ toml });
  await settled(agent);
  await agent.view.leave("nodefoundry");
  server.faults.restore();
  await agent.view.enroll("nodefoundry", server.keys.enrol, {});
  await settled(agent);
  expect(heard(server, idOf(agent))).toHaveLength(1);
});

test("after reset --identity the new node tells it", async () => {
  const { server, toml } = await rig();
  const agent = await testAgent({ toml });
  await settled(agent);
  const before = idOf(agent);
  await agent.view.resetIdentity();
  await settled(agent);
  expect(idOf(agent)).not.toBe(before);
  expect(heard(server, idOf(agent))).toHaveLength(1);
  // And it is none of its news at the next start.
  await agent.stop();
  const again = await testAgent({ toml, folder: agent.folder });
  await settled(again);
  expect(heard(server, idOf(again))).toHaveLength(1);
});

test("after its state was lost it is told as after any start", async () => {
  const { server, toml } = await rig();
  const agent = await testAgent({ toml });
  await settled(agent);
  const before = idOf(agent);
  await agent.stop();
  rmSync(join(agent.folder, "state"), { recursive: true });
  const again = await testAgent({ toml, folder: agent.folder });
  await settled(again);
  expect(idOf(again)).toBe(before);
  expect(heard(server, idOf(again))).toHaveLength(2);
});

test("a copied card tells it as the new node, and adopted once more as the old one", async () => {
  const { server, toml } = await rig();
  const first = await testAgent({ toml, machine: treeMachine(loadTree("ceph-node")) });
  await settled(first);
  const before = idOf(first);
  await first.stop();
  const folder = temporaryFolder();
  cpSync(join(first.folder, "state"), join(folder, "state"), { recursive: true });
  const second = await testAgent({ toml, folder, machine: treeMachine(loadTree("pi4")) });
  await settled(second);
  expect(idOf(second)).not.toBe(before);
  expect(heard(server, idOf(second))).toHaveLength(1);
  // Registered as a new node, so it is worth knowing and no more.
  await second.view.collect("system");
  expect(second.view.status().conditions).toContainEqual(
    expect.objectContaining({ code: "identity_cloned", severity: "info" }),
  );

  await second.view.adopt(false);
  await settled(second);
  expect(idOf(second)).toBe(before);
  expect(heard(server, before)).toHaveLength(2);
});

test("told by the server that it is a copy, it tells it as the node it becomes", async () => {
  const { server, toml } = await rig();
  const original = await testAgent({ toml });
  await settled(original);
  const folder = temporaryFolder();
  await original.stop();
  cpSync(join(original.folder, "state"), join(folder, "state"), { recursive: true });
  const agent = await testAgent({ toml, folder });
  await settled(agent);
  const before = idOf(agent);
  server.faults.set({ kind: "status", status: 409, code: "node_cloned", path: "*/sync", count: 1 });
  await agent.view.sync();
  await settled(agent);
  expect(idOf(agent)).not.toBe(before);
  expect(heard(server, idOf(agent))).toHaveLength(1);
  // What it was is there to be adopted, its token too.
  await agent.view.adopt(false);
  expect(idOf(agent)).toBe(before);
});
