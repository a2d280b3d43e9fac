import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { RetryError } from "../../../src/control/retry-error.ts";
import type { AgentEvent } from "../../../src/model/event.ts";
import { type Agent, failureOf, input, signal } from "../../support/control/context.ts";
import { checkSchema, loadOpenApi } from "../../support/text/json-schema.ts";
import { openAgent, type Rig, startRig } from "./rig.ts";

async function enrolled(options: Parameters<typeof startRig>[0] = {}): Promise<{ rig: Rig; agent: Agent }> {
  const rig = await startRig(options);
  const agent = rig.agent();
  await agent.api.enroll(rig.sandbox.keys.live, {}, signal);
  return { rig, agent };
}

function event(number: number, type = "drive.verdict", data: Record<string, unknown> = {}): AgentEvent {
  const id = `01K9ZQ7Y3W${String(number).padStart(16, "0")}`;
  return { id, at: 1_760_000_000_000, type, severity: "info", data };
}

async function operator(rig: Rig, line: string, body?: unknown): Promise<Response> {
  const [method = "", path = ""] = line.split(" ");
  return await fetch(rig.sandbox.url + path, {
    method,
    headers: { authorization: `Bearer ${rig.sandbox.keys.live}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

describe("a round", () => {
  test("sections, hashes, volatile values and events arrive as they were meant, and events are acknowledged", async () => {
    const { rig, agent } = await enrolled();
    const outcome = await agent.api.sync(
      input(
        { cpu: { model: "x", load: { one: 1 } } },
        { volatile: { cpu: { "load.one": 2 } }, events: [event(1)] },
      ),
      signal,
    );
    expect(outcome).toMatchObject({
      confirmed: true,
      ackedEvents: [event(1).id],
      commands: [],
      intervalS: 60,
    });
    expect(Math.abs((outcome.serverNow ?? 0) - Date.now())).toBeLessThan(60_000);
    const [body] = rig.syncs();
    expect(body).toMatchObject({
      instance: "instance-a",
      boot_id: "boot-1",
      agent_version: "0.1.0",
      next_due_s: 60,
      status: "online",
    });
    expect(body.sections.cpu).toEqual({
      state: "ok",
      collected_at: "2025-10-09T08:53:20.000Z",
      duration_ms: 2,
      reason: null,
      data: { model: "x", load: { one: 1 } },
    });
    expect(body.events).toEqual([
      { id: event(1).id, at: "2025-10-09T08:53:20.000Z", type: "drive.verdict", severity: "info", data: {} },
    ]);
    const id = agent.api.status().nodeId ?? "";
    expect(rig.sandbox.inspect().reports[id]?.sections.cpu).toMatchObject({ data: { load: { one: 2 } } });
    expect(rig.sandbox.inspect().events[id]).toHaveLength(1);
    expect(agent.traffic.sent).toBeGreaterThan(500);
    expect(agent.traffic.received).toBeGreaterThan(300);
  });

  test("a drive's smart_ok is left out while it is not known", async () => {
    const { rig, agent } = await enrolled();
    const drives = [
      { id: "a", smart_ok: true },
      { id: "b", smart_ok: null },
      { id: "c", smart_ok: false },
    ];
    await agent.api.sync(input({ smart: { problem: null, drives } }), signal);
    expect(rig.syncs()[0]?.sections.smart.data).toEqual({
      problem: null,
      drives: [{ id: "a", smart_ok: true }, { id: "b" }, { id: "c", smart_ok: false }],
    });
  });

  test("preview is the very body, but for seq and the moment", async () => {
    const { rig, agent } = await enrolled();
    const round = input({ system: { hostname: "ceph-01" } }, { events: [event(1)] });
    const shown = JSON.parse(agent.api.preview(round));
    expect(
      checkSchema(loadOpenApi("agent-api"), { $ref: "#/components/schemas/SyncRequest" }, shown),
    ).toEqual([]);
    await agent.api.sync(round, signal);
    const [sent] = rig.syncs();
    expect({ ...shown, sent_at: "" }).toEqual({ ...sent, sent_at: "" });
    expect(Object.keys(shown)).toEqual(Object.keys(sent));
  });

  test("seq rises over restarts with one durable write in a thousand rounds", async () => {
    const { rig, agent } = await enrolled();
    for (let i = 0; i < 5; i++) await agent.api.sync(input(), signal);
    const again = agent.restarted();
    await again.api.sync(input(), signal);
    const seqs = rig.syncs().map(({ seq }) => seq);
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    expect(new Set(seqs).size).toBe(6);
    expect(agent.writes.filter((key) => key === "seq")).toHaveLength(1);
  });

  test("a server that has seen a higher seq: not confirmed, and the next one is above it", async () => {
    const { rig, agent } = await enrolled();
    await agent.api.sync(input(), signal);
    const behind = agent.restarted();
    behind.values.set("seq", "5000");
    const ahead = rig.agent({}, { values: behind.values });
    await ahead.api.sync(input(), signal);
    const outcome = await agent.api.sync(input({ cpu: {} }), signal);
    expect(outcome.confirmed).toBe(false);
    expect((await agent.api.sync(input({ cpu: {} }), signal)).confirmed).toBe(true);
  });

  test("resync asked by an operator", async () => {
    const { rig, agent } = await enrolled();
    await agent.api.sync(input({ system: { a: 1 }, cpu: {} }), signal);
    await operator(rig, `POST /v1/nodes/${agent.api.status().nodeId}/resync`, { sections: ["system"] });
    const outcome = await agent.api.sync(input({ system: { a: 1 }, cpu: {} }, { changed: {} }), signal);
    expect(outcome.resync).toEqual(["system"]);
  });

  test("429 and 503 carry Retry-After, a clock far off is a condition, garbage is a bad answer; none costs the session", async () => {
    const { rig, agent } = await enrolled();
    for (const [kind, code] of [
      ["429", "rate_limited"],
      ["503", "unavailable"],
    ] as const) {
      rig.sandbox.faults.set({ kind, retry_after_s: 7, count: 1 });
      const error = await agent.api.sync(input(), signal).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(RetryError);
      expect(error).toMatchObject({ code, retryAfterMs: 7000 });
    }
    for (const kind of ["html", "broken_json", "truncated", "large", "redirect"] as const) {
      rig.sandbox.faults.set({ kind, count: 1 });
      const code = await failureOf(agent.api.sync(input(), signal));
      expect(["bad_answer", "answer_too_large", "connection_lost", "redirect_refused"], kind).toContain(code);
    }
    agent.clockOffsetMs = -3_600_000;
    expect((await agent.api.sync(input(), signal)).confirmed).toBe(true);
    expect(agent.conditions.get("clock_wrong(nodefoundry)")?.text).toContain("60 minutes behind");
    agent.clockOffsetMs = 0;
    await agent.api.sync(input(), signal);
    expect(agent.conditions.size).toBe(0);
    expect(agent.logged()).not.toMatch(/nf_(nt|en|sk_live)_[A-Za-z0-9]/);
  });
});

describe("commands", () => {
  test("a command is read, repeated until its first event, and cancelled by id", async () => {
    const { rig, agent } = await enrolled();
    await agent.api.sync(input(), signal);
    const id = agent.api.status().nodeId;
    await operator(rig, `POST /v1/nodes/${id}/reboot`, {});
    const first = await agent.api.sync(input(), signal);
    expect(first.commands).toHaveLength(1);
    const [command] = first.commands;
    expect(command).toMatchObject({
      source: "nodefoundry",
      nodeId: id,
      mode: "live",
      type: "reboot",
      params: { method: "graceful", drain_osds: true },
      signature: null,
    });
    expect(command?.expiresAt).toBeGreaterThan(command?.issuedAt ?? 0);
    expect((await agent.api.sync(input(), signal)).commands).toHaveLength(1);
    const accepted = event(1, "command.state", {
      command_id: command?.id,
      state: "accepted",
      message: "Accepted.",
    });
    const after = await agent.api.sync(input({}, { events: [accepted] }), signal);
    expect(after.commands).toEqual([]);
    await operator(rig, `POST /v1/operations/${command?.operationId}/cancel`);
    expect((await agent.api.sync(input(), signal)).cancel).toEqual([command?.id]);
  });

  test("for a node registered with a test key every command is a test", async () => {
    const rig = await startRig();
    const agent = rig.agent();
    await agent.api.enroll(rig.sandbox.keys.test, {}, signal);
    await operator(rig, `POST /v1/nodes/${agent.api.status().nodeId}/reboot`, {});
    expect((await agent.api.sync(input(), signal)).commands[0]?.mode).toBe("test");
  });

  test("a long poll is ended by a command at once, and one that says something does not wait", async () => {
    const { rig, agent } = await enrolled();
    await agent.api.sync(input(), signal);
    const poll = agent.api.sync(input({}, { waitS: 50 }), signal);
    await expect.poll(() => rig.syncs().length).toBe(2);
    expect(rig.syncs()[1]?.wait_s).toBe(50);
    await operator(rig, `POST /v1/nodes/${agent.api.status().nodeId}/reboot`, {});
    expect((await poll).commands).toHaveLength(1);
    await agent.api.sync(input({}, { waitS: 50, events: [event(1)] }), signal);
    expect(rig.syncs()[2]).not.toHaveProperty("wait_s");
  });

  test("a long poll is given up by its signal, the server's wish bounds it, and a metered network has none", async () => {
    const { rig, agent } = await enrolled({ waitS: 3 });
    await agent.api.sync(input(), signal);
    const stop = new AbortController();
    const poll = failureOf(agent.api.sync(input({}, { waitS: 50 }), stop.signal));
    await expect.poll(() => rig.syncs().length).toBe(2);
    stop.abort();
    expect(await poll).toBe("aborted");
    expect(rig.syncs()[1]?.wait_s).toBe(3);
    const metered = rig.agent({ profile: "metered" }, { values: agent.values });
    await metered.api.sync(input({}, { waitS: 50 }), signal);
    expect(rig.syncs().at(-1)).not.toHaveProperty("wait_s");
  });

  test("open commands of a node that lost its state are handed over once, over a restart too", async () => {
    const { rig, agent } = await enrolled();
    await agent.api.sync(input(), signal);
    await operator(rig, `POST /v1/nodes/${agent.api.status().nodeId}/reboot`, {});
    const [command] = (await agent.api.sync(input(), signal)).commands;
    const lost = rig.agent({}, { identity: { ...agent.identity, stateLost: true, bootId: "boot-2" } });
    await lost.api.enroll(rig.sandbox.keys.live, {}, signal);
    expect(rig.seen.at(-1)?.body.state_lost).toBe(true);
    const restarted = lost.restarted();
    const open = [{ id: command?.id, type: "reboot", state: "received", fromBootId: "boot-1" }];
    expect((await restarted.api.sync(input(), signal)).openCommands).toEqual(open);
    // A crash before the agent came back: once more.
    expect((await restarted.restarted().api.sync(input(), signal)).openCommands).toEqual(open);
    expect((await restarted.api.sync(input(), signal)).openCommands).toEqual([]);
    expect((await restarted.restarted().api.sync(input(), signal)).openCommands).toEqual([]);
  });
});

test("a server of another mind: bad commands hide no good one, foreign ones are not answered, fields we don't know are no matter", async () => {
  const good = {
    id: "cmd_good",
    node_id: "node_1",
    mode: "live",
    type: "reboot",
    params: {},
    operation_id: null,
    epoch: "e",
    seq: 1,
    issued_at: "2026-11-20T12:00:00Z",
    expires_at: "2026-11-20T13:00:00.5+01:00",
    novelty: true,
  };
  const commands = [
    { ...good, id: "cmd_when", issued_at: "yesterday" },
    { ...good, id: "cmd_big", params: { x: "y".repeat(70_000) } },
    { ...good, id: "cmd_other", node_id: "node_2", issued_at: 5 },
    { ...good, id: "../../etc/passwd" },
    null,
    "reboot",
    { ...good, id: "cmd_odd", mode: "LIVE" },
    good,
    good,
  ];
  let bodies = 0;
  const server = createServer((request, response) => {
    request.resume();
    const data =
      request.url === "/v1/nodes"
        ? { id: "node_1", mode: "live", node_token: "nf_nt_abcdefghijklmnop", extra: [] }
        : { now: "rubbish", ack_seq: ++bodies, acked_events: [], resync: [], epoch: "e", commands, extra: 1 };
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ data, more: {} }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const agent = openAgent(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await agent.api.enroll("nf_en_abcdefgh", {}, signal);
  // Registered just now: whatever this server asks for, it has nothing of this node.
  const quiet = input({ system: {}, cpu: {} }, { changed: {} });
  const outcome = await agent.api.sync(quiet, signal);
  expect(outcome.resync).toEqual(["system", "cpu"]);
  expect((await agent.api.sync(quiet, signal)).resync).toEqual([]);
  expect(outcome.confirmed).toBe(true);
  expect(outcome.serverNow).toBeNull();
  expect(outcome.intervalS).toBeNull();
  expect(outcome.commands.map(({ id, mode }) => `${id} ${mode}`)).toEqual(["cmd_odd test", "cmd_good live"]);
  expect(outcome.commands[1]?.expiresAt).toBe(Date.parse("2026-11-20T12:00:00.5Z"));
  expect(outcome.rejected.map(({ id, code }) => `${id} ${code}`)).toEqual([
    "cmd_when malformed",
    "cmd_big malformed",
  ]);
  const condition = agent.conditions.get("command_malformed(nodefoundry)");
  expect(condition?.text).toContain("cmd_when (issued_at");
  expect(condition?.text).toContain("3 without an id");
  expect(agent.logged()).toContain("cmd_other");
  expect(agent.logged()).not.toContain("passwd");
});

test("a token or a node id that could break out of a header or a path is no registration", async () => {
  const answers = [
    { id: "node_1", node_token: "nf_nt_a\r\nX-Evil: 1" },
    { id: "../admin", node_token: "nf_nt_abcdefgh" },
    { id: "node_1" },
    "no",
  ];
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ data: answers.shift() }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const agent = openAgent(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  while (answers.length > 0)
    expect(await failureOf(agent.api.enroll("nf_en_abcdefgh", {}, signal))).toBe("bad_answer");
  expect(agent.values.has("session")).toBe(false);
});
