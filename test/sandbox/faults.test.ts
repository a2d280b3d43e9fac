import { expect, test } from "vitest";
import { type CallOptions, call, enrolAgent, type TestAgent, testSandbox } from "../support/net/sandbox.ts";

const failure = async (agent: TestAgent, options?: CallOptions): Promise<string> =>
  await agent.exchange({}, options).then(
    (answer) => `answered ${answer.status}`,
    (error) => error.code ?? error.name,
  );

test("error answers, with Retry-After, a number of times, on the paths named only", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  sandbox.faults.set({ kind: "429", path: "/v1/nodes/*/sync", count: 2, retry_after_s: 7 });
  sandbox.faults.set({ kind: "503", method: "POST", path: "/v1/nodes/*/sync", count: 1 });
  sandbox.faults.set({
    kind: "status",
    path: "/v1/nodes/*/sync",
    count: 1,
    status: 404,
    code: "node_not_found",
  });
  const seen = [];
  for (let i = 0; i < 5; i++) {
    const answer = await agent.exchange();
    seen.push([answer.status, answer.headers["retry-after"], answer.body.error?.code]);
    expect((await call(sandbox.url, sandbox.keys.live, "GET /v1/nodes")).status).toBe(200);
  }
  expect(seen).toEqual([
    [429, "7", "rate_limited"],
    [429, "7", "rate_limited"],
    [503, "1", "unavailable"],
    [404, undefined, "node_not_found"],
    [200, undefined, undefined],
  ]);
  expect(sandbox.faults.list()).toEqual([]);
});

test("dropped before: nothing was done; dropped after: done, but the answer is lost", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  const seq = (): number | undefined => sandbox.inspect().nodes[0]?.sync?.seq;
  sandbox.faults.set({ kind: "drop_before", count: 1 });
  expect(await failure(agent)).toBe("ECONNRESET");
  expect(seq()).toBeUndefined();
  sandbox.faults.set({ kind: "drop_after", count: 1 });
  expect(await failure(agent)).toBe("ECONNRESET");
  expect(seq()).toBe(2);
});

test("garbage: a login page, half an object, a body cut short, far too much, without end", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  const nodes = async (signal?: AbortSignal) =>
    await call(sandbox.url, sandbox.keys.live, "GET /v1/nodes", signal ? { signal } : {});
  sandbox.faults.set({ kind: "html", count: 1 });
  const page = await nodes();
  expect([page.status, page.headers["content-type"]]).toEqual([200, "text/html; charset=utf-8"]);
  sandbox.faults.set({ kind: "broken_json", count: 1 });
  await expect(nodes()).rejects.toThrow(SyntaxError);
  sandbox.faults.set({ kind: "truncated", count: 1 });
  expect(await failure(agent)).toBe("ECONNRESET");
  sandbox.faults.set({ kind: "large", count: 1 });
  expect((await nodes()).text.length).toBeGreaterThan(4.5 * 1024 * 1024);
  sandbox.faults.set({ kind: "endless", count: 1 });
  await expect(nodes(AbortSignal.timeout(200))).rejects.toThrow(/abort/i);
  expect((await nodes()).status).toBe(200);
});

test("slow: before the first byte, or byte by byte; the answer is the true one", async () => {
  const { sandbox } = await testSandbox();
  sandbox.faults.set({ kind: "slow", count: 1, delay_ms: 20 });
  expect((await call(sandbox.url, sandbox.keys.live, "GET /v1/nodes")).body.data).toEqual([]);
  sandbox.faults.set({ kind: "slow_body", count: 1, delay_ms: 1 });
  expect((await call(sandbox.url, sandbox.keys.live, "GET /v1/nodes")).body.data).toEqual([]);
  sandbox.faults.set({ kind: "slow", count: 1, delay_ms: 3_600_000 });
  const given = call(sandbox.url, sandbox.keys.live, "GET /v1/nodes", { signal: AbortSignal.timeout(50) });
  await expect(given).rejects.toThrow(/abort/i);
});

test("a redirect leads elsewhere", async () => {
  const { sandbox } = await testSandbox();
  sandbox.faults.set({ kind: "redirect", count: 1, location: "https://example.org/" });
  const answer = await call(sandbox.url, sandbox.keys.live, "GET /v1/nodes");
  expect([answer.status, answer.headers.location]).toEqual([307, "https://example.org/"]);
});

test("switched over HTTP, never hitting the switches themselves", async () => {
  const { sandbox } = await testSandbox();
  const set = await call(sandbox.url, null, "POST /sandbox/faults", { body: { kind: "503" } });
  expect([set.status, set.body.data.kind, set.body.data.count]).toEqual([201, "503", null]);
  expect((await call(sandbox.url, sandbox.keys.live, "GET /v1/nodes")).status).toBe(503);
  expect((await call(sandbox.url, null, "GET /sandbox/faults")).body.data).toHaveLength(1);
  expect((await call(sandbox.url, null, `DELETE /sandbox/faults/${set.body.data.id}`)).body.data).toEqual([]);
  expect((await call(sandbox.url, sandbox.keys.live, "GET /v1/nodes")).status).toBe(200);
  sandbox.faults.set({ kind: "503" });
  sandbox.faults.set({ kind: "429" });
  expect((await call(sandbox.url, null, "DELETE /sandbox/faults")).body.data).toEqual([]);

  const bad = async (line: string, body?: unknown, headers?: Record<string, string>) => {
    const answer = await call(sandbox.url, null, line, { body, ...(headers ? { headers } : {}) });
    return [answer.status, answer.body.error.code];
  };
  expect(await bad("POST /sandbox/faults", { kind: "gremlins" })).toEqual([400, "invalid_request"]);
  expect(await bad("POST /sandbox/faults", { kind: "503", cuont: 1 })).toEqual([400, "invalid_request"]);
  expect(await bad("POST /sandbox/faults", { kind: "restore" })).toEqual([409, "no_snapshot"]);
  expect(await bad("GET /sandbox/elsewhere")).toEqual([404, "not_found"]);
  expect(await bad("PATCH /sandbox/faults")).toEqual([404, "not_found"]);
  const page = await bad("POST /sandbox/faults", { kind: "503" }, { origin: "https://example.org" });
  expect(page).toEqual([403, "forbidden"]);
});

test("restored from an old state: new epoch, what came since is unknown, unacknowledged commands come again", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  const report = { hashes: { system: "h1" }, sections: { system: { hostname: "a" } } };
  const first = await agent.sync(report);
  const reboot = await call(sandbox.url, sandbox.keys.live, `POST /v1/nodes/${agent.id}/reboot`);
  const commandId = reboot.body.data.command_id;
  await call(sandbox.url, null, "POST /sandbox/faults", { body: { kind: "snapshot" } });

  await agent.say(commandId, "succeeded");
  await agent.sync({ hashes: { system: "h2" }, sections: { system: { hostname: "b" } } });
  const late = await enrolAgent(sandbox, {
    machine_id: "cd".repeat(32),
    instance: "late",
    fingerprint: ["dmi:2"],
  });
  expect((await agent.sync({ hashes: { system: "h2" } })).commands).toEqual([]);

  expect((await call(sandbox.url, null, "POST /sandbox/faults", { body: { kind: "restore" } })).status).toBe(
    200,
  );
  const after = await agent.sync({ hashes: { system: "h2" } });
  expect(after.epoch).not.toBe(first.epoch);
  expect(after.resync).toEqual(["system"]);
  expect(after.commands.map((command: { id: string }) => command.id)).toEqual([commandId]);
  const gone = await late.exchange();
  expect([gone.status, gone.body.error.code]).toEqual([404, "node_not_found"]);
});

test("a long poll ends at once when the server is restored", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  const { epoch } = await agent.sync();
  sandbox.faults.snapshot();
  const held = agent.sync({ wait_s: 300 });
  await expect.poll(() => sandbox.inspect().nodes[0]?.sync?.seq).toBe(2);
  sandbox.faults.restore();
  expect((await held).epoch).not.toBe(epoch);
});
