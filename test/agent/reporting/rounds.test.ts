/** Rounds with a control API against what happens around them: reloads, registrations, servers that want too much. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { hostClock } from "../../../src/system/clock.ts";
import { quietMachine, testAgent } from "../../support/agent/agent.ts";
import { startTap } from "../../support/control/tap.ts";
import { eventually } from "../../support/eventually.ts";
import { loadTree, temporaryFolder, treeMachine } from "../../support/machine/tree.ts";
import { AGENT_API, startSandbox } from "../../support/net/nodefoundry.ts";
import { startPlainServer } from "../../support/net/tls.ts";

const pointedAt = (url: string): string => `[nodefoundry]\nurl = "${url}"\n`;

async function tapped() {
  const server = await startSandbox({ nodeRequestsAMinute: 100_000 });
  onTestFinished(() => server.close());
  const tap = await startTap(() => server.url, AGENT_API);
  const syncs = () => tap.seen.filter(({ path, status }) => path.endsWith("/sync") && status === 200);
  return { server, tap, syncs };
}

async function post(url: string, key: string, path: string, body: unknown): Promise<void> {
  const answer = await fetch(url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(answer.ok).toBe(true);
}

test("resync: what was asked for goes out in full, and nothing else", async () => {
  const { server, tap, syncs } = await tapped();
  const agent = await testAgent({ toml: pointedAt(tap.url) });
  const { nodeId } = await agent.view.enroll("nodefoundry", server.keys.test, {});
  const before = syncs().length;
  await post(server.url, server.keys.test, `/v1/nodes/${nodeId}/resync`, { sections: ["cpu"] });
  await agent.view.sync();
  await agent.view.sync();
  const sent = syncs()
    .slice(before)
    .map(({ body }) => Object.keys(body.sections ?? {}));
  expect(sent.filter((names) => names.length > 0)).toEqual([["cpu"]]);
});

/** Says yes to everything, with these fields in the answer to a sync. */
async function yesServer(more: Record<string, unknown>) {
  const { url } = await startPlainServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const now = new Date().toISOString();
      const registered = { id: "node_1", mode: "test", node_token: "nf_nt_abc", now, sync: {}, ...more };
      // The bodies of a full report are gzipped; the number in the header is enough to answer.
      const seq = Number(request.headers["x-seq"] ?? 0);
      const synced = { now, ack_seq: seq, acked_events: [], resync: [], epoch: "e", ...more };
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ data: request.url?.endsWith("/sync") ? synced : registered }));
    });
  });
  return url;
}

test("a server that never has enough of a section does not make rounds of its own", async () => {
  const agent = await testAgent({ toml: pointedAt(await yesServer({ resync: ["cpu"] })) });
  await agent.view.enroll("nodefoundry", "nf_sk_test_0123456789", {});
  const next = (): number => (agent.view.status().controlApis[0]?.nextDueAt ?? 0) - Date.now();
  expect(next()).toBeLessThan(10_000);
  await agent.view.sync();
  expect(next()).toBeGreaterThan(20_000);
});

test("registered again while a round is under way: its answer counts for nothing, everything is told anew", async () => {
  const { server, tap, syncs } = await tapped();
  const agent = await testAgent({ toml: pointedAt(tap.url) });
  await agent.view.enroll("nodefoundry", server.keys.test, {});
  server.faults.set({ kind: "slow", path: "/v1/nodes/*/sync", delay_ms: 700, count: 1 });
  const requests = tap.seen.length;
  const slow = agent.view.sync();
  await eventually(() => tap.seen.length > requests);
  await agent.view.enroll("nodefoundry", server.keys.test, {});
  expect(await slow).toMatchObject([{ ok: false }]);
  expect(Object.keys(syncs().at(-1)?.body.sections).sort()).toEqual(
    Object.keys(agent.view.report().sections).sort(),
  );
});

test("a round and a collection asked for during a reload are done by what comes after it", async () => {
  const { server, tap } = await tapped();
  const agent = await testAgent({ toml: pointedAt(tap.url) });
  await agent.view.enroll("nodefoundry", server.keys.test, {});
  const reloading = agent.view.reload();
  const [rounds, section] = await Promise.all([agent.view.sync(), agent.view.collect("cpu")]);
  expect(await reloading).toMatchObject({ ok: true });
  expect(rounds).toMatchObject([{ ok: true }]);
  expect(section.state).toBe("ok");
  // By the loop that lives on: the one that was stopped has told nobody.
  expect(agent.view.status().controlApis[0]?.lastSyncAt).not.toBeNull();
  expect(agent.view.status().collectors.find(({ name }) => name === "cpu")?.runs).toBe(2);
});

test("status tells the interval that the configuration gives a collector", async () => {
  const agent = await testAgent({ toml: "[collectors.cpu]\ninterval_s = 1234\n" });
  expect(agent.view.status().collectors.find(({ name }) => name === "cpu")?.everyMs).toBe(1_234_000);
});

test("a server that is only looked at is asked once an interval, not once more to wait there", async () => {
  const machine = treeMachine(loadTree("ceph-node"));
  const hostname =
    machine.files.text("/etc/hostname") ?? machine.files.text("/proc/sys/kernel/hostname") ?? "";
  const seed = { hostname, ip_address: null, cpu_cores: 8, ram_gb: 64, drives: [] };
  const server = await startSandbox({ seedNodes: [seed as never] });
  onTestFinished(() => server.close());
  const file = join(temporaryFolder(), "read.key");
  writeFileSync(file, server.keys.readOnly, { mode: 0o600 });
  const agent = await testAgent({ machine, toml: `${pointedAt(server.url)}key_file = "${file}"\n` });
  expect(await agent.view.sync()).toMatchObject([{ ok: true, text: expect.stringContaining("read-only") }]);
  const { nextDueAt } = agent.view.status().controlApis[0] ?? {};
  expect((nextDueAt ?? 0) - machine.clock.now()).toBeGreaterThan(10_000);
});

test("a live account key on the node is told as long as it lies there, registered or not", async () => {
  const server = await startSandbox({ nodeRequestsAMinute: 100_000 });
  onTestFinished(() => server.close());
  const file = join(temporaryFolder(), "enrol.key");
  writeFileSync(file, server.keys.live, { mode: 0o600 });
  const toml = `${pointedAt(server.url)}enrol_key_file = "${file}"\n`;
  const first = await testAgent({ toml });
  await first.view.sync();
  const told = (agent: typeof first): boolean =>
    agent.view.status().conditions.some(({ code }) => code === "account_key_on_node");
  expect(told(first)).toBe(true);
  await first.stop();
  const second = await testAgent({ toml, folder: first.folder });
  expect(told(second)).toBe(true);
  writeFileSync(file, server.keys.enrol);
  await second.view.reload();
  expect(told(second)).toBe(false);
});

test("a condition is told once and its end once, however often the agent is started meanwhile", async () => {
  const server = await startSandbox({ nodeRequestsAMinute: 100_000 });
  onTestFinished(() => server.close());
  const wrong = `[report]\nexclude = ["system.serial"]\n${pointedAt(server.url)}`;
  const first = await testAgent({ toml: wrong });
  const { nodeId } = await first.view.enroll("nodefoundry", server.keys.test, {});
  const { since } = first.view.status().conditions[0] ?? {};
  await first.stop();
  const second = await testAgent({ toml: wrong, folder: first.folder });
  expect(second.view.status().conditions).toMatchObject([{ code: "exclude_unknown", since }]);
  await second.view.sync();
  await second.stop();
  const third = await testAgent({ toml: pointedAt(server.url), folder: first.folder });
  expect(third.view.status().conditions).toEqual([]);
  await third.view.sync();
  expect((server.inspect().events[nodeId] ?? []).map(({ type }) => type)).toEqual([
    "condition.raised",
    "condition.cleared",
  ]);
});

test("a server that leaves the time out of its answers is judged by their Date, so that clock_wrong ends", async () => {
  let ahead = 3_600_000;
  const host = hostClock();
  const machine = quietMachine({ now: () => host.now() + ahead, monotonic: host.monotonic });
  const agent = await testAgent({ toml: pointedAt(await yesServer({ now: null })), machine });
  await agent.view.enroll("nodefoundry", "nf_sk_test_0123456789", {});
  const codes = (): string[] => agent.view.status().conditions.map(({ code }) => code);
  expect(codes()).toEqual(["clock_wrong"]);
  ahead = 0;
  await agent.view.sync();
  expect(codes()).toEqual([]);
});

test("a stop during a reload does not wait for a collector that hangs", async () => {
  const tree = treeMachine(loadTree("ceph-node"));
  let hanging = 0;
  let sick = false;
  const hangs = <T>(healthy: () => Promise<T>): Promise<T> => {
    if (!sick) return healthy();
    hanging++;
    return new Promise(() => undefined);
  };
  const { slow } = tree.files;
  const files = {
    ...tree.files,
    slow: {
      ...slow,
      read: (...of: Parameters<typeof slow.read>) => hangs(() => slow.read(...of)),
      space: (...of: Parameters<typeof slow.space>) => hangs(() => slow.space(...of)),
    },
  };
  const agent = await testAgent({
    toml: "[collectors.drives]\ntimeout_s = 120\n",
    machine: { ...tree, files },
  });
  sick = true;
  const reload = agent.view.reload();
  await eventually(() => hanging > 0);
  await agent.stop();
  await reload;
});
