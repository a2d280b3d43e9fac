import { expect, test } from "vitest";
import { ROUTES } from "../../../../src/sandbox/nodefoundry/routes.ts";
import { call, enrolAgent, MACHINE, testSandbox } from "../../../support/net/sandbox.ts";

test("each key may do what its scope says on every route, and nothing else", async () => {
  const { sandbox } = await testSandbox({ plan: "enterprise", nodeRequestsAMinute: 1000 });
  const agent = await enrolAgent(sandbox);
  const { live, test, readOnly, enrol } = sandbox.keys;
  const credentials = { live, test, readOnly, enrol, node: agent.token };
  const allowed = {
    read: ["live", "test", "readOnly"],
    write: ["live", "test"],
    enrol: ["live", "test", "enrol"],
    node: ["node"],
    adopt: ["live", "test", "node"],
  };
  for (const route of ROUTES) {
    // An id that exists in no table but nodes: allowed calls get as far as their own checks.
    const path = route.path.replace("/nodes/{id}", `/nodes/${agent.id}`).replace(/\{[a-z_]+\}/g, "none");
    if (route.handle.name === "deleteNode") continue;
    for (const [name, secret] of Object.entries(credentials)) {
      const answer = await call(sandbox.url, secret, `${route.method} ${path}`);
      const verdict = answer.status === 403 ? "refused" : "let in";
      const wanted = allowed[route.access].includes(name) ? "let in" : "refused";
      expect(`${name} ${route.method} ${path}: ${verdict}`).toBe(
        `${name} ${route.method} ${path}: ${wanted}`,
      );
      if (verdict === "refused") expect(answer.body.error.code).toBe("forbidden");
    }
  }
});

test("no credential, a malformed one, an unknown one: 401", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  for (const authorization of [
    "",
    "Basic eDp5",
    "Bearer",
    "Bearer nf_sk_live_unknown",
    `Bearer ${"x".repeat(300)}`,
  ]) {
    const answer = await call(sandbox.url, null, "GET /v1/nodes", { headers: { authorization } });
    expect([authorization, answer.status, answer.headers["www-authenticate"]]).toEqual([
      authorization,
      401,
      "Bearer",
    ]);
  }
  const unknown = await call(sandbox.url, "nf_nt_unknown", `POST /v1/nodes/${agent.id}/sync`);
  expect([unknown.status, unknown.body.error.code]).toEqual([401, "unauthorized"]);
});

test("a node's token is good for that node only, and a node that is gone says so whatever the token", async () => {
  const { sandbox } = await testSandbox();
  const one = await enrolAgent(sandbox);
  const two = await enrolAgent(sandbox, {
    machine_id: "cd".repeat(32),
    instance: "b",
    fingerprint: ["dmi:2"],
  });
  const foreign = await call(sandbox.url, two.token, `POST /v1/nodes/${one.id}/sync`);
  expect([foreign.status, foreign.body.error.code]).toEqual([403, "forbidden"]);
  const gone = await call(sandbox.url, "nf_nt_whatever", "POST /v1/nodes/__proto__/sync");
  expect([gone.status, gone.body.error.code]).toEqual([404, "node_not_found"]);
});

test("an account has 300 or 600 requests a minute by its plan, or no limit; a node has 12", async () => {
  for (const [plan, limit] of [
    ["starter", 300],
    ["business", 600],
  ] as const) {
    const { sandbox, clock } = await testSandbox({ plan });
    const statuses = await Promise.all(
      Array.from(
        { length: limit + 1 },
        async () => (await call(sandbox.url, sandbox.keys.readOnly, "GET /v1/nodes")).status,
      ),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(limit);
    clock.now += 15_000;
    const refused = await call(sandbox.url, sandbox.keys.live, "GET /v1/nodes");
    expect([refused.status, refused.headers["retry-after"], refused.body.error.code]).toEqual([
      429,
      "45",
      "rate_limited",
    ]);
    clock.now += 45_000;
    expect((await call(sandbox.url, sandbox.keys.live, "GET /v1/nodes")).status).toBe(200);
  }
});

test("node tokens have their own limit and do not touch the account's", async () => {
  const { sandbox, clock } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  for (let i = 0; i < 12; i++) expect((await agent.exchange()).status).toBe(200);
  const refused = await agent.exchange();
  expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "60"]);
  expect((await call(sandbox.url, sandbox.keys.live, "GET /v1/nodes")).status).toBe(200);
  clock.now += 60_000;
  const { interval_s } = await agent.sync();
  expect(interval_s).toBe(60);
  expect(sandbox.inspect().requests).toEqual({ accounts: { sandbox: 2 }, nodes: { [agent.id]: 14 } });
});

test("a server that counts both lengthens interval_s with the number of agents", async () => {
  const { sandbox } = await testSandbox({
    plan: "starter",
    countNodeTokensAgainstAccount: true,
    intervalS: 10,
  });
  const agent = await enrolAgent(sandbox);
  expect((await agent.sync()).interval_s).toBe(10);
  for (let i = 1; i < 80; i++) {
    const machine_id = i.toString(16).padStart(64, "0");
    const body = { ...MACHINE, machine_id, instance: `i${i}`, fingerprint: [`dmi:${i}`] };
    await call(sandbox.url, sandbox.keys.enrol, "POST /v1/nodes", { body });
  }
  expect((await agent.sync()).interval_s).toBe(20);
  const before = sandbox.inspect().requests.accounts.sandbox ?? 0;
  await agent.sync();
  expect(sandbox.inspect().requests.accounts.sandbox).toBe(before + 1);
});

test("a server without the agent API has section 1 only", async () => {
  const { sandbox } = await testSandbox({
    agentApi: false,
    seedNodes: [{ hostname: "ceph-01", cpu_cores: 8 }],
  });
  const enrol = await call(sandbox.url, sandbox.keys.live, "POST /v1/nodes", { body: MACHINE });
  expect([enrol.status, enrol.body.error.code]).toEqual([404, "not_found"]);
  const nodes = await call(sandbox.url, sandbox.keys.readOnly, "GET /v1/nodes");
  expect(nodes.body.data).toMatchObject([{ hostname: "ceph-01", cpu_cores: 8, status: "pending" }]);
});
