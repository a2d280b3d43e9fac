import { expect, test } from "vitest";
import type { Sandbox } from "../../../support/net/nodefoundry.ts";
import { call, enrolAgent, MACHINE, type TestAgent, testSandbox } from "../../../support/net/sandbox.ts";

const enrol = async (sandbox: Sandbox, fields: Record<string, unknown>) =>
  await call(sandbox.url, sandbox.keys.live, "POST /v1/nodes", { body: { ...MACHINE, ...fields } });

const codeOf = (answer: {
  status: number;
  body: { error?: { code: string } };
}): [number, string | undefined] => [answer.status, answer.body.error?.code];

/** The same state on another machine: token and sequence copied, another instance because the state was made anew there. */
function copyOf(agent: TestAgent, instance: string): Record<string, unknown> {
  return { instance, seq: agent.seq + 1 };
}

test("a copied card: same machine_id on another board is 409, on one that shares a fact it is the node", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  expect(codeOf(await enrol(sandbox, { instance: "b", fingerprint: ["dmi:9", "mac:9"] }))).toEqual([
    409,
    "node_cloned",
  ]);
  expect((await enrol(sandbox, { fingerprint: ["dmi:9", "mac:1"] })).body.data.id).toBe(agent.id);
  expect((await enrol(sandbox, { fingerprint: [] })).status).toBe(200);
  expect(codeOf(await enrol(sandbox, { fingerprint: ["dmi:1"] }))).toEqual([409, "node_cloned"]);
});

test("two live instances: 409 to the later, and neither gets commands until it is resolved", async () => {
  const { sandbox, clock } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  await agent.sync();
  expect(codeOf(await agent.exchange(copyOf(agent, "copy")))).toEqual([409, "node_cloned"]);
  const reboot = await call(sandbox.url, sandbox.keys.live, `POST /v1/nodes/${agent.id}/reboot`);
  expect((await agent.sync()).commands).toEqual([]);
  const view = await call(sandbox.url, sandbox.keys.live, `GET /v1/nodes/${agent.id}`);
  expect(view.body.data.conflict.code).toBe("node_cloned");

  clock.now += 9 * 60_000;
  expect(codeOf(await agent.exchange(copyOf(agent, "copy")))).toEqual([409, "node_cloned"]);
  clock.now += 9 * 60_000;
  expect((await agent.sync()).commands).toEqual([]);
  clock.now += 60_000;
  const { commands } = await agent.sync();
  expect(commands.map((command: { id: string }) => command.id)).toEqual([reboot.body.data.command_id]);
});

test("an operator resolves it at once, for either of them", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  await agent.sync();
  await agent.exchange(copyOf(agent, "copy"));
  await call(sandbox.url, sandbox.keys.live, `POST /v1/nodes/${agent.id}/reboot`);
  const held = agent.sync({ wait_s: 300 });
  await expect.poll(() => sandbox.inspect().nodes[0]?.sync?.seq).toBe(agent.seq);
  const adopt = await call(sandbox.url, sandbox.keys.live, `POST /v1/nodes/${agent.id}/adopt`, {
    body: { instance: "copy" },
  });
  expect([adopt.status, adopt.body.data.conflict]).toEqual([200, null]);
  await held;
  expect((await agent.exchange({ instance: "copy" })).body.data.commands).toHaveLength(1);
  expect(codeOf(await agent.exchange())).toEqual([409, "node_cloned"]);
});

test("a copy that registered takes the node over, and the one before it is told that it is a copy now", async () => {
  const { sandbox } = await testSandbox();
  const first = await enrolAgent(sandbox);
  await first.sync();
  const second = await enrolAgent(sandbox, { instance: "second" });
  expect(second.id).toBe(first.id);
  await second.sync();
  expect(codeOf(await first.exchange())).toEqual([409, "node_cloned"]);
  expect(codeOf(await enrol(sandbox, { instance: first.instance }))).toEqual([409, "node_cloned"]);
});

test("an earlier instance may come back from a backup when the later one is quiet", async () => {
  const { sandbox, clock } = await testSandbox();
  const first = await enrolAgent(sandbox);
  await first.sync();
  const second = await enrolAgent(sandbox, { instance: "second" });
  await second.sync();
  clock.now += 10 * 60_000;
  expect((await enrol(sandbox, { instance: first.instance })).status).toBe(200);
});

test("a changed mainboard is adopted: announced by an operator, or by the node with its own token", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  const board = { fingerprint: ["dmi:new"] };
  expect((await enrol(sandbox, board)).status).toBe(409);
  expect((await call(sandbox.url, sandbox.keys.live, `POST /v1/nodes/${agent.id}/adopt`)).status).toBe(200);
  expect((await enrol(sandbox, board)).body.data.id).toBe(agent.id);
  expect((await enrol(sandbox, { fingerprint: ["dmi:third"] })).status).toBe(409);

  const body = { fingerprint: ["dmi:third"], instance: agent.instance };
  expect((await call(sandbox.url, agent.token, `POST /v1/nodes/${agent.id}/adopt`, { body })).status).toBe(
    200,
  );
  expect((await enrol(sandbox, { fingerprint: ["dmi:third"] })).status).toBe(200);
  const none = await call(sandbox.url, sandbox.keys.live, "POST /v1/nodes/node_none/adopt");
  expect(codeOf(none)).toEqual([404, "node_not_found"]);
});
