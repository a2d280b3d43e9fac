import { createHash, randomBytes } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { Sandbox } from "../../../support/net/nodefoundry.ts";
import { type Any, call, enrolAgent, type TestAgent, testSandbox } from "../../../support/net/sandbox.ts";

const show = async (sandbox: Sandbox, agent: TestAgent): Promise<Any> =>
  (await call(sandbox.url, sandbox.keys.readOnly, `GET /v1/nodes/${agent.id}`)).body.data;

async function report(agent: TestAgent, sections: Record<string, unknown>): Promise<void> {
  await agent.sync({
    hashes: Object.fromEntries(Object.keys(sections).map((name) => [name, "1"])),
    sections,
  });
}

test("the documented fields are read from what the agent reports", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  await report(agent, {
    system: { hostname: "ceph-01.example" },
    cpu: { cores: 16, threads: 32 },
    memory: { total_bytes: 67_123_456_789 },
    network: { primary: { address: "10.0.0.7", interface: "bond0" } },
    bmc: { address: "10.0.1.7" },
    drives: {
      drives: [
        { id: "wwn-1", name: "nvme0n1", size_bytes: 1_920_383_410_176, type: "nvme" },
        { id: "wwn-2", name: "sda", size_bytes: 16_000_900_661_248, type: "hdd" },
        { id: "wwn-3", name: "sdb", size_bytes: 1e12, type: "ssd", state: "missing" },
      ],
    },
    smart: { drives: [{ id: "wwn-1", smart_ok: true }, { id: "wwn-2" }] },
  });
  expect(await show(sandbox, agent)).toEqual({
    id: agent.id,
    hostname: "ceph-01.example",
    status: "pending",
    cluster_id: null,
    ip_address: "10.0.0.7",
    ipmi_address: "10.0.1.7",
    cpu_cores: 16,
    ram_gb: 63,
    drives: [
      { device: "nvme0n1", size_gb: 1920, type: "nvme", smart_ok: true },
      { device: "sda", size_gb: 16_001, type: "hdd" },
    ],
    mode: "live",
    agent: {
      version: "0.1.0",
      status: "online",
      boot_id: "boot-1",
      last_sync_at: "2026-11-20T12:00:00.000Z",
      next_due_s: 60,
    },
    noout: [],
    conflict: null,
    created_at: "2026-11-20T12:00:00.000Z",
  });
});

test("sections of any other shape are read as far as they go", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  const nothing = {
    hostname: "ceph-01",
    ip_address: null,
    ipmi_address: null,
    cpu_cores: null,
    ram_gb: null,
    drives: [],
  };
  expect(await show(sandbox, agent)).toMatchObject(nothing);
  await report(agent, {
    system: { hostname: 7 },
    cpu: { cores: "many" },
    memory: { total_bytes: null },
    network: { primary: null },
    drives: { drives: [null, 7, {}, []] },
  });
  expect(await show(sandbox, agent)).toMatchObject(nothing);
  await report(agent, {
    cpu: { state: "ok", data: { threads: 4 } },
    network: { primary_address: "10.0.0.8" },
    drives: { state: "absent", data: null },
  });
  expect(await show(sandbox, agent)).toMatchObject({ cpu_cores: 4, ip_address: "10.0.0.8", drives: [] });
});

test("status is the agent's, and offline when it missed two rounds", async () => {
  const { sandbox, clock } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  for (const status of ["degraded", "draining", "rebooting", "maintenance", "held"]) {
    await agent.sync({ status });
    expect((await show(sandbox, agent)).status).toBe(status);
  }
  clock.now += 150_001;
  expect((await show(sandbox, agent)).status).toBe("offline");
});

test("nodes are listed newest first, in pages; unknown ones are 404", async () => {
  const { sandbox } = await testSandbox({
    seedNodes: [{ hostname: "a" }, { hostname: "b" }, { hostname: "c" }],
  });
  const list = await call(sandbox.url, sandbox.keys.readOnly, "GET /v1/nodes?per_page=2");
  expect(list.body.data.map((node: Any) => node.hostname)).toEqual(["c", "b"]);
  expect(list.body.meta).toEqual({ page: 1, per_page: 2, total: 3 });
  expect(
    (await call(sandbox.url, sandbox.keys.readOnly, "GET /v1/nodes?cluster_id=clus_none")).body.data,
  ).toEqual([]);
  for (const line of [
    "GET /v1/nodes/node_none",
    "GET /v1/nodes/constructor",
    "POST /v1/nodes/node_none/reboot",
    "GET /v1/nodes/node_none/report",
    "GET /v1/nodes/node_none/events",
    "GET /v1/nodes/node_none/commands",
    "POST /v1/nodes/node_none/resync",
    "POST /v1/nodes/node_none/rotate-token",
    "DELETE /v1/nodes/node_none",
  ]) {
    const answer = await call(sandbox.url, sandbox.keys.live, line);
    expect([line, answer.status, answer.body.error.code]).toEqual([line, 404, "node_not_found"]);
  }
  const command = { body: { type: "collect" } };
  expect(
    (await call(sandbox.url, sandbox.keys.live, "POST /v1/nodes/node_none/commands", command)).status,
  ).toBe(404);
});

test("operations are listed by status and node", async () => {
  const { sandbox, clock } = await testSandbox({ seedNodes: [{ hostname: "a" }, { hostname: "b" }] });
  const [a, b] = sandbox.inspect().nodes;
  await call(sandbox.url, sandbox.keys.live, `POST /v1/nodes/${a?.id}/reboot`);
  clock.now += 10_000;
  await call(sandbox.url, sandbox.keys.live, `POST /v1/nodes/${b?.id}/reboot`);
  const list = async (query: string) =>
    (await call(sandbox.url, sandbox.keys.readOnly, `GET /v1/operations${query}`)).body.data;
  expect((await list("")).map((each: Any) => [each.node_id, each.status])).toEqual([
    [b?.id, "pending"],
    [a?.id, "succeeded"],
  ]);
  expect(await list("?status=succeeded")).toHaveLength(1);
  expect(await list(`?node_id=${b?.id}`)).toHaveLength(1);
  const none = await call(sandbox.url, sandbox.keys.readOnly, "GET /v1/operations/op_none");
  expect([none.status, none.body.error.code]).toEqual([404, "operation_not_found"]);
});

test("a diagnostics bundle asked for is uploaded and read back as it was", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  const queue = async (type: string) =>
    (await call(sandbox.url, sandbox.keys.live, `POST /v1/nodes/${agent.id}/commands`, { body: { type } }))
      .body.data.command_id;
  const commandId = await queue("diagnostics");
  await agent.sync();
  const path = `/v1/nodes/${agent.id}/diagnostics/${commandId}`;
  const early = await call(sandbox.url, sandbox.keys.readOnly, `GET ${path}`);
  expect([early.status, early.body.error.code]).toEqual([404, "bundle_not_found"]);
  const bundle = gzipSync(randomBytes(100_000));
  const headers = { "content-type": "application/gzip" };
  const put = async (line: string, body: Buffer) =>
    await call(sandbox.url, agent.token, line, { body, headers });
  const sha256 = createHash("sha256").update(bundle).digest("hex");
  const sent = await put(`PUT ${path}`, bundle);
  expect([sent.status, sent.body.data]).toEqual([
    201,
    { command_id: commandId, bytes: bundle.length, sha256 },
  ]);
  const back = await fetch(sandbox.url + path, {
    headers: { authorization: `Bearer ${sandbox.keys.readOnly}` },
  });
  const bytes = Buffer.from(await back.arrayBuffer());
  expect(gunzipSync(bytes)).toEqual(gunzipSync(bundle));

  expect((await put(`PUT ${path}`, Buffer.alloc(5 * 1024 * 1024 + 1))).status).toBe(413);
  expect((await put(`PUT ${path}`, Buffer.alloc(0))).status).toBe(400);
  const other = await put(`PUT /v1/nodes/${agent.id}/diagnostics/${await queue("collect")}`, bundle);
  expect([other.status, other.body.error.code]).toEqual([409, "not_a_diagnostics_command"]);
  const unknown = await put(`PUT /v1/nodes/${agent.id}/diagnostics/cmd_none`, bundle);
  expect([unknown.status, unknown.body.error.code]).toEqual([404, "command_not_found"]);
});
