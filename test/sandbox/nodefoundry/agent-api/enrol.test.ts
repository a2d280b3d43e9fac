import { expect, test } from "vitest";
import { call, enrolAgent, MACHINE, testSandbox } from "../../../support/net/sandbox.ts";

test("a new node is 201, a known one 200 with the same id and a fresh token", async () => {
  const { sandbox } = await testSandbox({ intervalS: 30, waitS: 20 });
  const enrol = async (body: object) =>
    await call(sandbox.url, sandbox.keys.enrol, "POST /v1/nodes", { body });
  const first = await enrol(MACHINE);
  expect(first.status).toBe(201);
  expect(first.body.data).toEqual({
    id: expect.stringMatching(/^node_/),
    hostname: "ceph-01",
    status: "pending",
    cluster_id: null,
    mode: "live",
    node_token: expect.stringMatching(/^nf_nt_/),
    now: "2026-11-20T12:00:00.000Z",
    sync: { interval_s: 30, wait_s: 20 },
    open_commands: [],
  });
  const again = await enrol({ ...MACHINE, hostname: "renamed" });
  expect([again.status, again.body.data.id, again.body.data.hostname]).toEqual([
    200,
    first.body.data.id,
    "renamed",
  ]);
  expect(again.body.data.node_token).not.toBe(first.body.data.node_token);
  const twin = await enrol({
    ...MACHINE,
    machine_id: "cd".repeat(32),
    instance: "b",
    fingerprint: ["dmi:2"],
  });
  expect(twin.status).toBe(201);
});

test("a test key makes a test node", async () => {
  const { sandbox } = await testSandbox();
  const answer = await call(sandbox.url, sandbox.keys.test, "POST /v1/nodes", { body: MACHINE });
  expect(answer.body.data.mode).toBe("test");
});

test("bodies that do not fit are 400 and name the field", async () => {
  const { sandbox } = await testSandbox();
  const bad: [Record<string, unknown>, string][] = [
    [{ machine_id: "raw-machine-id" }, "machine_id"],
    [{ machine_id: undefined }, "machine_id"],
    [{ fingerprint: "dmi:1" }, "fingerprint"],
    [{ hostname: "h".repeat(300) }, "hostname"],
    [{ serial: 7 }, "serial"],
    [{ macs: [1] }, "macs.0"],
    [{ state_lost: "yes" }, "state_lost"],
  ];
  for (const [fields, place] of bad) {
    const answer = await call(sandbox.url, sandbox.keys.live, "POST /v1/nodes", {
      body: { ...MACHINE, ...fields },
    });
    expect([answer.status, answer.body.error.code]).toEqual([400, "invalid_request"]);
    expect(answer.body.error.message).toContain(place);
  }
  const list = await call(sandbox.url, sandbox.keys.live, "POST /v1/nodes", { body: [] });
  expect(list.status).toBe(400);
});

test("the old token is valid until the new one is first used", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  await agent.sync();
  const lost = await enrolAgent(sandbox);
  expect((await agent.exchange()).status).toBe(200);
  const got = await enrolAgent(sandbox);
  expect((await agent.exchange()).status).toBe(200);
  got.seq = agent.seq;
  await got.sync();
  for (const old of [agent, lost]) {
    const answer = await old.exchange();
    expect([answer.status, answer.body.error.code]).toEqual([401, "unauthorized"]);
  }
  await got.sync();
});

test("many lost answers never cost the token in use", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  await agent.sync();
  for (let i = 0; i < 20; i++) await enrolAgent(sandbox);
  await agent.sync();
  expect(sandbox.inspect().nodes[0]?.tokens.length).toBeLessThanOrEqual(8);
});

test("a sync answer rotates the token the same way, until the new one is used", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  await agent.sync();
  const held = agent.sync({ wait_s: 300 });
  await expect.poll(() => sandbox.inspect().nodes[0]?.sync?.seq).toBe(2);
  const asked = await call(sandbox.url, sandbox.keys.live, `POST /v1/nodes/${agent.id}/rotate-token`);
  expect(asked.status).toBe(202);
  const lost = (await held).node_token;
  const second = (await agent.sync()).node_token;
  expect(second).not.toBe(lost);
  const old = agent.token;
  agent.token = second;
  expect(await agent.sync()).not.toHaveProperty("node_token");
  agent.token = old;
  expect((await agent.exchange()).status).toBe(401);
});

test("open_commands names what a node was told of, with the boot it was told under", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  const post = async (type: string, params = {}) =>
    (
      await call(sandbox.url, sandbox.keys.live, `POST /v1/nodes/${agent.id}/commands`, {
        body: { type, params },
      })
    ).body.data.command_id;
  const reboot = await post("reboot");
  const collect = await post("collect");
  const done = await post("undrain");
  await agent.sync();
  await agent.say(reboot, "rebooting");
  await agent.say(done, "succeeded");
  await post("diagnostics");
  const again = await call(sandbox.url, sandbox.keys.live, "POST /v1/nodes", {
    body: { ...MACHINE, instance: "after-netboot", state_lost: true },
  });
  expect(again.body.data.open_commands).toEqual([
    { id: reboot, type: "reboot", state: "rebooting", from_boot_id: "boot-1" },
    { id: collect, type: "collect", state: "received", from_boot_id: "boot-1" },
  ]);
});
