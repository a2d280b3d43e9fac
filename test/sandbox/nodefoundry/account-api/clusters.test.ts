import { expect, test } from "vitest";
import { ids, live, makeCluster, seedNodes } from "../../../support/net/clusters.ts";
import { type Any, enrolAgent, testSandbox } from "../../../support/net/sandbox.ts";

test("a cluster is made over time, listed with its capacity, and its nodes belong to it", async () => {
  const { sandbox, clock } = await testSandbox({ seedNodes });
  const node_ids = ids(sandbox).slice(0, 3);
  const made = await live(sandbox, "POST /v1/clusters", { name: "prod", node_ids });
  const { id, operation_id } = made.body.data;
  clock.now += 5000;
  const half = await live(sandbox, `GET /v1/operations/${operation_id}`);
  expect(half.body.data).toMatchObject({
    type: "cluster.create",
    status: "running",
    progress: 0.5,
    finished_at: null,
  });
  clock.now += 5000;
  expect((await live(sandbox, "GET /v1/clusters")).body).toEqual({
    data: [
      {
        id,
        name: "prod",
        status: "HEALTH_OK",
        ceph_version: "squid",
        node_count: 3,
        osd_count: 6,
        raw_capacity_tib: 48.89,
        created_at: "2026-11-20T12:00:00.000Z",
      },
    ],
    meta: { page: 1, per_page: 25, total: 1 },
  });
  const nodes = await live(sandbox, `GET /v1/nodes?cluster_id=${id}`);
  expect(nodes.body.data.map((node: Any) => [node.id, node.status]).sort()).toEqual(
    node_ids.map((each) => [each, "online"]).sort(),
  );
  expect((await live(sandbox, `GET /v1/clusters/${id}`)).body.data.name).toBe("prod");
});

test("what a new cluster must be: each mistake is named", async () => {
  const { sandbox, clock } = await testSandbox({ seedNodes });
  const [a = "", b = "", c = "", d = ""] = ids(sandbox);
  const make = async (fields: object) => {
    const answer = await live(sandbox, "POST /v1/clusters", { name: "x", node_ids: [a, b, c], ...fields });
    return [answer.status, answer.body.error?.code];
  };
  const invalid = [400, "invalid_request"];
  for (const name of ["Prod", "my cluster", "-x", "x-", "", "x".repeat(64), 7, "a_b"])
    expect(await make({ name })).toEqual(invalid);
  expect(await make({ node_ids: [a, b] })).toEqual(invalid);
  expect(await make({ node_ids: [a, b, b] })).toEqual(invalid);
  expect(await make({ ceph_version: "quincy" })).toEqual(invalid);
  expect(await make({ failure_domain: "planet" })).toEqual(invalid);
  expect(await make({ replication_factor: 4 })).toEqual(invalid);
  expect(await make({ node_ids: [a, b, "node_none"] })).toEqual([404, "node_not_found"]);
  await makeCluster(sandbox, clock);
  expect(await make({ name: "prod", node_ids: [a, b, d] })).toEqual([409, "cluster_exists"]);
  expect(await make({ node_ids: [d, b, c] })).toEqual([409, "node_in_use"]);
  expect((await live(sandbox, `DELETE /v1/nodes/${a}`)).body.error.code).toBe("node_in_use");
});

test("lists are newest first, in pages, filtered by status", async () => {
  const many = Array.from({ length: 12 }, (_, index) => ({ hostname: `n${index}` }));
  const { sandbox, clock } = await testSandbox({ seedNodes: many });
  const all = ids(sandbox);
  for (const [index, name] of ["one", "two", "three"].entries()) {
    await makeCluster(sandbox, clock, { name, node_ids: all.slice(index * 3, index * 3 + 3) });
  }
  await live(sandbox, "POST /v1/clusters", { name: "four", node_ids: all.slice(9) });
  const names = async (query: string) => (await live(sandbox, `GET /v1/clusters${query}`)).body;
  expect((await names("")).data.map((each: Any) => each.name)).toEqual(["four", "three", "two", "one"]);
  const second = await names("?per_page=3&page=2");
  expect([second.data.map((each: Any) => each.name), second.meta]).toEqual([
    ["one"],
    { page: 2, per_page: 3, total: 4 },
  ]);
  expect((await names("?status=HEALTH_OK")).meta.total).toBe(3);
  expect((await names("?status=HEALTH_ERR")).data).toEqual([]);
  for (const query of ["?page=0", "?page=x", "?per_page=101", "?per_page=-1", "?status=FINE"]) {
    expect((await live(sandbox, `GET /v1/clusters${query}`)).status).toBe(400);
  }
});

test("a cluster is deleted only when confirmed; its nodes return to pending", async () => {
  const { sandbox, clock } = await testSandbox({ seedNodes });
  const id = await makeCluster(sandbox, clock);
  for (const headers of [{}, { "x-confirm-delete": "yes" }] as Record<string, string>[]) {
    const refused = await live(sandbox, `DELETE /v1/clusters/${id}`, undefined, { headers });
    expect([refused.status, refused.body.error.code]).toEqual([400, "confirmation_required"]);
  }
  const headers = { "x-confirm-delete": "true" };
  const asked = await live(sandbox, `DELETE /v1/clusters/${id}`, undefined, { headers });
  expect([asked.status, asked.body.data.status]).toEqual([202, "DELETING"]);
  clock.now += 10_000;
  expect((await live(sandbox, "GET /v1/clusters")).body.data).toEqual([]);
  const nodes = await live(sandbox, "GET /v1/nodes");
  expect(nodes.body.data.every((node: Any) => node.status === "pending" && node.cluster_id === null)).toBe(
    true,
  );
  expect((await live(sandbox, `DELETE /v1/clusters/${id}`, undefined, { headers })).status).toBe(404);
});

test("a wipe that an agent refuses leaves the cluster there, in error", async () => {
  const { sandbox, clock } = await testSandbox({ seedNodes: seedNodes.slice(0, 2) });
  const agent = await enrolAgent(sandbox);
  const id = await makeCluster(sandbox, clock);
  await live(sandbox, `DELETE /v1/clusters/${id}`, undefined, { headers: { "x-confirm-delete": "true" } });
  const [command] = (await agent.sync()).commands;
  expect(command).toMatchObject({ type: "wipe", mode: "test", params: { confirm: true } });
  await agent.say(command.id, "refused", { error: { code: "denied", message: "Policy denies wipe." } });
  expect((await live(sandbox, `GET /v1/clusters/${id}`)).body.data.status).toBe("HEALTH_ERR");
});
