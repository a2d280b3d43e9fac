import { expect, test } from "vitest";
import type { Sandbox } from "../../../support/net/nodefoundry.ts";
import { type Any, call, enrolAgent, type TestAgent, testSandbox } from "../../../support/net/sandbox.ts";

const queue = async (
  sandbox: Sandbox,
  agent: TestAgent,
  type: string,
  fields: object = {},
  key = sandbox.keys.live,
) => await call(sandbox.url, key, `POST /v1/nodes/${agent.id}/commands`, { body: { type, ...fields } });

const operation = async (sandbox: Sandbox, id: string): Promise<Any> =>
  (await call(sandbox.url, sandbox.keys.readOnly, `GET /v1/operations/${id}`)).body.data;

test("a reboot asked for becomes a command of the agent, and its operation follows to the end", async () => {
  const { sandbox, clock } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  const body = { method: "hard", drain_osds: false };
  const asked = await call(sandbox.url, sandbox.keys.live, `POST /v1/nodes/${agent.id}/reboot`, { body });
  expect([asked.status, asked.body.data.status]).toEqual([202, "pending"]);
  const { operation_id, command_id } = asked.body.data;
  const { commands, epoch } = await agent.sync();
  expect(commands).toEqual([
    {
      id: command_id,
      node_id: agent.id,
      mode: "live",
      type: "reboot",
      params: body,
      operation_id,
      epoch,
      seq: 1,
      issued_at: "2026-11-20T12:00:00.000Z",
      expires_at: "2026-11-20T13:00:00.000Z",
    },
  ]);
  expect((await agent.sync()).commands).toHaveLength(1);
  expect((await agent.say(command_id, "accepted", { message: "Accepted." })).commands).toEqual([]);
  expect(await operation(sandbox, operation_id)).toMatchObject({
    status: "pending",
    message: "Accepted.",
    finished_at: null,
  });
  await agent.say(command_id, "running", { step: "noout", progress: 0.25, message: "Setting noout." });
  expect(await operation(sandbox, operation_id)).toMatchObject({
    type: "node.reboot",
    status: "running",
    progress: 0.25,
  });
  await agent.say(command_id, "verifying", { progress: 0.1 });
  clock.now += 60_000;
  await agent.say(command_id, "succeeded", {
    message: "Back after 60 s.",
    result: { cause: "command", from_boot_id: "boot-1", boot_id: "boot-2" },
  });
  expect(await operation(sandbox, operation_id)).toEqual({
    id: operation_id,
    type: "node.reboot",
    status: "succeeded",
    progress: 1,
    message: "Back after 60 s.",
    node_id: agent.id,
    cluster_id: null,
    command_ids: [command_id],
    result: { cause: "command", from_boot_id: "boot-1", boot_id: "boot-2" },
    cause: { cause: "command", from_boot_id: "boot-1", boot_id: "boot-2" },
    steps: [
      { state: "accepted", step: null, message: "Accepted." },
      { state: "running", step: "noout", message: "Setting noout." },
      { state: "verifying", step: null, message: "" },
      { state: "succeeded", step: null, message: "Back after 60 s." },
    ].map((step) => expect.objectContaining({ ...step, command_id, at: expect.any(String) })),
    created_at: "2026-11-20T12:00:00.000Z",
    finished_at: "2026-11-20T12:01:00.000Z",
  });
  const list = await call(sandbox.url, sandbox.keys.readOnly, `GET /v1/nodes/${agent.id}/commands`);
  const states = list.body.data[0].history.map((entry: Any) => entry.state);
  expect(states).toEqual(["accepted", "running", "verifying", "succeeded"]);
});

test("refused, failed and expired make the operation failed with the agent's words", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  const said: [string, object, string][] = [
    ["refused", { error: { code: "held", message: "Held: backup running." } }, "Held: backup running."],
    ["failed", { message: "The disk said no." }, "The disk said no."],
    ["expired", {}, "The command ended as expired."],
  ];
  for (const [state, data, message] of said) {
    const { command_id, operation_id } = (await queue(sandbox, agent, "undrain")).body.data;
    await agent.sync();
    await agent.say(command_id, state, { ...data });
    expect(await operation(sandbox, operation_id)).toMatchObject({ status: "failed", message });
  }
});

test("what was only rehearsed ends the operation as cancelled: neither a success to go on after, nor a failure", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  const { command_id, operation_id } = (await queue(sandbox, agent, "undrain")).body.data;
  await agent.sync();
  await agent.say(command_id, "rehearsed", { message: "Rehearsed, nothing was done." });
  expect(await operation(sandbox, operation_id)).toMatchObject({
    status: "cancelled",
    message: "Rehearsed, nothing was done.",
  });
  // Final for the server too: nothing that comes later changes it, and it is handed out no more.
  await agent.say(command_id, "running");
  expect(await operation(sandbox, operation_id)).toMatchObject({ status: "cancelled" });
  expect((await agent.sync()).commands).toEqual([]);
});

test("a test key, a test node or mode test make the command a test one", async () => {
  const { sandbox } = await testSandbox();
  const live = await enrolAgent(sandbox);
  const machine = { machine_id: "cd".repeat(32), instance: "b", fingerprint: ["dmi:2"] };
  const trial = await enrolAgent(sandbox, machine, sandbox.keys.test);
  await queue(sandbox, live, "undrain");
  await queue(sandbox, live, "undrain", {}, sandbox.keys.test);
  await queue(sandbox, live, "undrain", { mode: "test" });
  await queue(sandbox, trial, "undrain");
  const modes = async (agent: TestAgent) => (await agent.sync()).commands.map((command: Any) => command.mode);
  expect(await modes(live)).toEqual(["live", "test", "test"]);
  expect(await modes(trial)).toEqual(["test"]);
});

test("every type of the protocol is taken with its params, defaults filled in", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  const good: [string, object, object][] = [
    ["reboot", {}, { method: "graceful", drain_osds: true }],
    ["drain", { osd_ids: [1, 2], ttl_s: 60 }, { osd_ids: [1, 2], mode: "maintenance", ttl_s: 60 }],
    ["undrain", {}, {}],
    ["reweight", { osd_id: 3, weight: 0.5 }, { osd_id: 3, weight: 0.5 }],
    ["smart_test", { device: "nvme0n1", kind: "long" }, { device: "nvme0n1", kind: "long" }],
    ["locate", { serial: "SN1", on: true }, { serial: "SN1", on: true, ttl_s: 600 }],
    ["upgrade", { os_packages: true, ceph_version: "squid" }, { os_packages: true, ceph_version: "squid" }],
    ["wipe", { osd_ids: [4], confirm: true }, { osd_ids: [4], confirm: true }],
    ["collect", { sections: ["drives"] }, { sections: ["drives"] }],
    ["diagnostics", {}, {}],
  ];
  for (const [type, params] of good) expect((await queue(sandbox, agent, type, { params })).status).toBe(202);
  const { commands } = await agent.sync();
  expect(commands.map((command: Any) => [command.type, command.params])).toEqual(
    good.map(([type, , full]) => [type, full]),
  );
  expect(commands.map((command: Any) => command.seq)).toEqual(good.map((_, index) => index + 1));
});

test("types and params that do not fit are 400", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  const bad: [string, object][] = [
    ["explode", {}],
    ["__proto__", {}],
    ["reboot", { method: "kick" }],
    ["reboot", { drain_osd: false }],
    ["drain", { osd_ids: [] }],
    ["drain", { ttl_s: 0 }],
    ["reweight", { osd_id: 1, weight: 1.01 }],
    ["reweight", { osd_id: -1, weight: 1 }],
    ["smart_test", { device: "/dev/sda", kind: "long" }],
    ["smart_test", { device: "sda" }],
    ["locate", { serial: "SN1" }],
    ["wipe", { osd_ids: [1], confirm: false }],
    ["collect", { sections: ["../etc"] }],
  ];
  for (const [type, params] of bad) {
    const answer = await queue(sandbox, agent, type, { params });
    expect([type, params, answer.status]).toEqual([type, params, 400]);
    // In words for people: not the schema library's.
    expect(answer.body.error.message).not.toMatch(/Invalid|Expected|received|undefined|never/);
  }
  expect((await queue(sandbox, agent, "undrain", { expires_in_s: 0 })).status).toBe(400);
  const reboot = await call(sandbox.url, sandbox.keys.live, `POST /v1/nodes/${agent.id}/reboot`, {
    body: { method: "kick" },
  });
  expect([reboot.status, reboot.body.error.message]).toEqual([
    400,
    'method must be one of "graceful", "hard", not "kick".',
  ]);
  expect(sandbox.inspect().commands).toEqual([]);
});
