import { expect, test } from "vitest";
import type { Sandbox } from "../../../support/net/nodefoundry.ts";
import {
  type Any,
  call,
  enrolAgent,
  event,
  type TestAgent,
  testSandbox,
} from "../../../support/net/sandbox.ts";

const queue = async (
  sandbox: Sandbox,
  agent: TestAgent,
  type: string,
  fields: object = {},
  key = sandbox.keys.live,
) => await call(sandbox.url, key, `POST /v1/nodes/${agent.id}/commands`, { body: { type, ...fields } });

const operation = async (sandbox: Sandbox, id: string): Promise<Any> =>
  (await call(sandbox.url, sandbox.keys.readOnly, `GET /v1/operations/${id}`)).body.data;

test("cancel: before delivery at once, after it by the agent, repeated until its final word", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  const cancel = async (id: string) =>
    await call(sandbox.url, sandbox.keys.live, `POST /v1/operations/${id}/cancel`);
  const early = (await queue(sandbox, agent, "undrain")).body.data;
  expect((await cancel(early.operation_id)).body.data.status).toBe("cancelled");
  expect((await agent.sync()).commands).toEqual([]);

  const { command_id, operation_id } = (await queue(sandbox, agent, "drain")).body.data;
  await agent.sync();
  expect((await cancel(operation_id)).body.data.status).toBe("pending");
  const unheard = await agent.sync();
  expect([unheard.commands.length, unheard.cancel]).toEqual([1, [command_id]]);
  expect((await agent.say(command_id, "running")).cancel).toEqual([command_id]);
  expect((await agent.sync()).cancel).toEqual([command_id]);
  expect((await agent.say(command_id, "cancelled")).cancel).toEqual([]);
  expect((await operation(sandbox, operation_id)).status).toBe("cancelled");
  const again = await cancel(operation_id);
  expect([again.status, again.body.error.code]).toEqual([409, "operation_finished"]);
  expect((await cancel("op_none")).body.error.code).toBe("operation_not_found");
});

test("a long poll ends for a cancel", async () => {
  const { sandbox } = await testSandbox({ waitS: 300 });
  const agent = await enrolAgent(sandbox);
  const { command_id, operation_id } = (await queue(sandbox, agent, "drain")).body.data;
  await agent.sync();
  await agent.say(command_id, "running");
  const held = agent.sync({ wait_s: 300 });
  await expect.poll(() => sandbox.inspect().nodes[0]?.sync?.seq).toBe(agent.seq);
  await call(sandbox.url, sandbox.keys.live, `POST /v1/operations/${operation_id}/cancel`);
  expect((await held).cancel).toEqual([command_id]);
});

test("a command nobody fetched expires; one that was delivered is the agent's to judge", async () => {
  const { sandbox, clock } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  const delivered = (await queue(sandbox, agent, "undrain", { expires_in_s: 60 })).body.data;
  await agent.sync();
  const unfetched = (await queue(sandbox, agent, "undrain", { expires_in_s: 60 })).body.data;
  clock.now += 60_001;
  expect((await agent.sync()).commands.map((command: Any) => command.id)).toEqual([delivered.command_id]);
  expect(await operation(sandbox, unfetched.operation_id)).toMatchObject({
    status: "failed",
    message: "The node did not fetch the command before it expired.",
  });
});

test("events out of order never take a command back, and foreign ones change nothing", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  const other = await enrolAgent(sandbox, {
    machine_id: "cd".repeat(32),
    instance: "b",
    fingerprint: ["dmi:2"],
  });
  const { command_id } = (await queue(sandbox, agent, "undrain")).body.data;
  const state = (): string | undefined => sandbox.inspect().commands[0]?.state;
  await other.say(command_id, "succeeded");
  expect(state()).toBe("queued");
  await agent.sync();
  const say = async (number: number, to: string) =>
    await agent.sync({ events: [event(number, "command.state", { command_id, state: to })] });
  await say(5, "running");
  await say(4, "accepted");
  expect(state()).toBe("running");
  await say(6, "succeeded");
  await say(7, "running");
  expect(state()).toBe("succeeded");
  await agent.sync({ events: [event(8, "command.state", { command_id: "cmd_unknown", state: "failed" })] });
});

test("noout is remembered; a node that does not come back is said to hold it", async () => {
  const { sandbox, clock } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  const { command_id, operation_id } = (await queue(sandbox, agent, "reboot")).body.data;
  await agent.sync();
  await agent.say(command_id, "rebooting", { message: "Rebooting." });
  const until = "2026-11-20T12:15:00Z";
  await agent.sync({ events: [event(50, "noout.set", { bucket: "ceph-01", until })], status: "rebooting" });
  expect((await operation(sandbox, operation_id)).message).toBe("Rebooting.");
  clock.now += 20 * 60_000;
  expect((await operation(sandbox, operation_id)).message).toBe(
    `Rebooting. The node has not been heard of since 2026-11-20T12:00:00.000Z; it holds noout on ceph-01 until ${until}.`,
  );
  const node = async () =>
    (await call(sandbox.url, sandbox.keys.live, `GET /v1/nodes/${agent.id}`)).body.data;
  expect(await node()).toMatchObject({
    status: "offline",
    noout: [{ bucket: "ceph-01", until, overdue: true }],
  });
  await agent.sync({ events: [event(51, "noout.unset", { bucket: "ceph-01" })] });
  expect(await node()).toMatchObject({ status: "pending", noout: [] });
});
