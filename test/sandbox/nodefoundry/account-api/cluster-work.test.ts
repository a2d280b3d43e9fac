import { expect, test } from "vitest";
import { ids, live, makeCluster, seedNodes } from "../../../support/net/clusters.ts";
import { type Any, enrolAgent, testSandbox } from "../../../support/net/sandbox.ts";

test("OSDs are listed, reweighted by their node, and warn when out", async () => {
  const { sandbox, clock } = await testSandbox({ seedNodes });
  const id = await makeCluster(sandbox, clock);
  const osds = await live(sandbox, `GET /v1/clusters/${id}/osds`);
  expect(osds.body.data[1]).toEqual({
    osd_id: 1,
    node_id: ids(sandbox)[0],
    device: "sda",
    status: "up",
    in: true,
    weight: 1,
    capacity_gb: 16_000,
    used_gb: 0,
  });
  const reweight = async (osd: string, body: object) =>
    await live(sandbox, `POST /v1/clusters/${id}/osds/${osd}/reweight`, body);
  const asked = await reweight("1", { weight: 0 });
  expect([asked.status, asked.body.data]).toEqual([
    202,
    { osd_id: 1, weight: 0, operation_id: expect.any(String) },
  ]);
  clock.now += 10_000;
  expect((await live(sandbox, `GET /v1/clusters/${id}/osds`)).body.data[1]).toMatchObject({
    weight: 0,
    in: false,
  });
  expect((await live(sandbox, "GET /v1/clusters?status=HEALTH_WARN")).body.meta.total).toBe(1);
  for (const weight of [-0.1, 1.1, "1", undefined])
    expect((await reweight("1", { weight })).status).toBe(400);
  expect((await reweight("99", { weight: 1 })).body.error.code).toBe("osd_not_found");
  expect((await live(sandbox, "GET /v1/clusters/clus_none/osds")).body.error.code).toBe("cluster_not_found");
});

test("OSDs that an agent reports are its own; commands about made-up ones are never live", async () => {
  const { sandbox, clock } = await testSandbox({ seedNodes: seedNodes.slice(0, 1) });
  const real = await enrolAgent(sandbox);
  const bare = await enrolAgent(sandbox, {
    machine_id: "cd".repeat(32),
    instance: "b",
    fingerprint: ["dmi:2"],
  });
  const osds = [{ osd_id: 7, device: "sdb", size_bytes: 4e12, used_bytes: 1e12 }];
  await real.sync({ hashes: { ceph: "1" }, sections: { ceph: { osds } } });
  const id = await makeCluster(sandbox, clock);
  const listed = (await live(sandbox, `GET /v1/clusters/${id}/osds`)).body.data;
  const brief = listed.map((osd: Any) => [osd.osd_id, osd.node_id === real.id, osd.device, osd.used_gb]);
  expect(brief).toEqual([
    [7, true, "sdb", 1000],
    [8, false, "nvme0n1", 0],
    [9, false, "sda", 0],
    [10, false, "sdb", 0],
  ]);
  await live(sandbox, `POST /v1/clusters/${id}/osds/7/reweight`, { weight: 0.5 });
  await live(sandbox, `POST /v1/clusters/${id}/osds/10/reweight`, { weight: 0.5 });
  expect((await real.sync({ hashes: { ceph: "1" } })).commands).toMatchObject([
    { mode: "live", params: { osd_id: 7, weight: 0.5 } },
  ]);
  expect((await bare.sync()).commands).toMatchObject([{ mode: "test", params: { osd_id: 10, weight: 0.5 } }]);
});

test("an upgrade goes node by node and changes the version when all are done", async () => {
  const { sandbox, clock } = await testSandbox({ seedNodes: seedNodes.slice(0, 2) });
  const agent = await enrolAgent(sandbox);
  const id = await makeCluster(sandbox, clock);
  const upgrade = async (body: object) => await live(sandbox, `POST /v1/clusters/${id}/upgrade`, body);
  expect((await upgrade({})).status).toBe(400);
  expect((await upgrade({ ceph_version: "squid", max_concurrent: 0 })).status).toBe(400);
  const asked = await upgrade({ ceph_version: "squid", os_packages: true });
  expect(asked.status).toBe(202);
  const { operation_id } = asked.body.data;
  const busy = await upgrade({ ceph_version: "squid" });
  expect([busy.status, busy.body.error.code]).toEqual([409, "operation_in_progress"]);
  expect((await agent.sync()).commands).toEqual([]);
  clock.now += 10_000;
  await live(sandbox, "GET /v1/clusters");
  expect((await agent.sync()).commands).toEqual([]);
  clock.now += 10_000;
  const [command] = (await agent.sync()).commands;
  expect([command.type, command.params]).toEqual(["upgrade", { ceph_version: "squid", os_packages: true }]);
  expect((await live(sandbox, `GET /v1/operations/${operation_id}`)).body.data).toMatchObject({
    status: "running",
    progress: 0.67,
  });
  await agent.say(command.id, "succeeded");
  expect((await live(sandbox, `GET /v1/operations/${operation_id}`)).body.data.status).toBe("succeeded");
  expect((await live(sandbox, `GET /v1/clusters/${id}`)).body.data.ceph_version).toBe("squid");
  expect((await upgrade({ ceph_version: "reef" })).status).toBe(400);
});

test("an upgrade stops at the first node that fails, or when cancelled", async () => {
  const { sandbox, clock } = await testSandbox({ seedNodes: seedNodes.slice(0, 3) });
  const agent = await enrolAgent(sandbox);
  const node_ids = [agent.id, ...ids(sandbox).slice(0, 2)];
  const id = await makeCluster(sandbox, clock, { node_ids });
  const first = await live(sandbox, `POST /v1/clusters/${id}/upgrade`, { ceph_version: "squid" });
  const [command] = (await agent.sync()).commands;
  await agent.say(command.id, "refused", { error: { code: "denied", message: "Policy denies upgrade." } });
  const failed = await live(sandbox, `GET /v1/operations/${first.body.data.operation_id}`);
  expect(failed.body.data).toMatchObject({
    status: "failed",
    message: "Policy denies upgrade.",
    command_ids: [command.id],
  });
  expect((await live(sandbox, `GET /v1/clusters/${id}`)).body.data.ceph_version).toBe("reef");
  const second = await live(sandbox, `POST /v1/clusters/${id}/upgrade`, { ceph_version: "squid" });
  const cancelled = await live(sandbox, `POST /v1/operations/${second.body.data.operation_id}/cancel`);
  expect(cancelled.body.data.status).toBe("cancelled");
});

test("an upgrade stops at the first node that is worse after its reboot, though that has succeeded", async () => {
  const { sandbox, clock } = await testSandbox({ seedNodes: seedNodes.slice(0, 3) });
  const agent = await enrolAgent(sandbox);
  const id = await makeCluster(sandbox, clock, { node_ids: [agent.id, ...ids(sandbox).slice(0, 2)] });
  const asked = await live(sandbox, `POST /v1/clusters/${id}/upgrade`, { ceph_version: "squid" });
  const [command] = (await agent.sync()).commands;
  const text = "mount /srv/data is gone";
  await agent.say(command.id, "succeeded", {
    message: `Done, but ${text}.`,
    result: { regressed: [{ kind: "mount", name: "/srv/data", was: "writable", is: "gone", text }] },
  });
  const operation = await live(sandbox, `GET /v1/operations/${asked.body.data.operation_id}`);
  expect(operation.body.data).toMatchObject({
    status: "failed",
    message: `Stopped after ${agent.id}: Done, but ${text}.`,
    command_ids: [command.id],
    result: { regressed: [{ text }] },
  });
});

test("pools: made once a name, with the fields of their type", async () => {
  const { sandbox, clock } = await testSandbox({ seedNodes });
  const early = await live(sandbox, "POST /v1/clusters", {
    name: "young",
    node_ids: ids(sandbox).slice(0, 3),
  });
  const pools = `/v1/clusters/${early.body.data.id}/pools`;
  const pool = async (body: object) => await live(sandbox, `POST ${pools}`, body);
  expect((await pool({ name: "rbd", application: "rbd" })).body.error.code).toBe("cluster_not_ready");
  clock.now += 10_000;
  const made = await pool({ name: "rbd", application: "rbd" });
  expect([made.status, made.body.data]).toEqual([
    201,
    {
      id: expect.stringMatching(/^pool_/),
      name: "rbd",
      type: "replicated",
      replication_factor: 3,
      erasure_profile: null,
      pg_autoscale: true,
      application: "rbd",
      created_at: "2026-11-20T12:00:10.000Z",
    },
  ]);
  const erasure = {
    name: "ec",
    type: "erasure",
    erasure_profile: "k4m2",
    application: "rgw",
    pg_autoscale: false,
  };
  expect((await pool(erasure)).body.data).toMatchObject({
    erasure_profile: "k4m2",
    replication_factor: null,
    pg_autoscale: false,
  });
  expect((await pool({ name: "rbd", application: "rbd" })).body.error.code).toBe("pool_exists");
  for (const body of [
    { name: "x" },
    { name: "a/b", application: "rbd" },
    { name: "x", application: "nfs" },
    { name: "x", application: "rbd", erasure_profile: "k4m2" },
    { ...erasure, name: "y", replication_factor: 3 },
  ]) {
    expect((await pool(body)).status).toBe(400);
  }
  expect((await live(sandbox, `GET ${pools}`)).body.meta.total).toBe(2);
});
