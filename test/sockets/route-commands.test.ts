import { describe, expect, test } from "vitest";
import type { LocalRequest } from "../../src/commands/executor/types.ts";
import { socketCaller } from "../../src/sockets/caller.ts";
import { overheard, pretendCommands } from "../support/agent/pretend.ts";
import { treeAgent } from "../support/agent/tree-agent.ts";
import { ask, startServer } from "../support/agent/unix-http.ts";
import { waitingRecord } from "../support/commands/records.ts";
import { NOW } from "../support/now.ts";

/** The sockets of a node with a test key, who are asked by alice. */
async function control() {
  const { view } = await treeAgent({ tree: "vm", registered: "test" });
  const server = await startServer({ view, callerOf: () => ({ uid: 1000, name: "alice" }) });
  const requests: LocalRequest[] = [];
  const { submitCommand } = view;
  view.submitCommand = (request) => {
    requests.push(request);
    return submitCommand(request);
  };
  const post = (path: string, body?: unknown) =>
    ask(server.controlSocket, path, {
      method: "POST",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return { view, server, requests, post, get: (path: string) => ask(server.controlSocket, path) };
}

const SIGNED = {
  id: "cmd_signed",
  node_id: "node_7",
  mode: "live",
  type: "collect",
  params: { sections: ["drives"] },
  epoch: "signed",
  seq: 1,
  issued_at: "2026-11-21T11:30:00.000Z",
  expires_at: "2026-11-21T12:30:00.000Z",
  signature: "c2lnbmF0dXJl",
};

describe("POST /v1/commands", () => {
  test("takes a command into the journal, with who asked as the kernel says", async () => {
    const { requests, post, get } = await control();
    const { status, json } = await post("/v1/commands", {
      type: "collect",
      params: { sections: ["drives"] },
      reason: "  new\u0007 drive ",
    });
    expect(status).toBe(200);
    expect(json.data).toMatchObject({
      id: expect.stringMatching(/^cmd_local_/),
      state: "accepted",
      by: { uid: 1000, name: "alice" },
    });
    expect(requests[0]).toMatchObject({ mode: "live", signed: null, by: { uid: 1000, name: "alice" } });
    expect(requests[0]?.reason).not.toContain("\u0007");
    const again = await get(`/v1/commands/${json.data.id}`);
    expect(again.json.data.history[0]).toEqual({
      at: new Date(NOW).toISOString(),
      state: "accepted",
      step: null,
      text: "Accepted.",
    });
  });

  test("of a signed command its own type, params and mode count, and its text is that which was signed", async () => {
    const { view, requests, post } = await control();
    const nodeId = view.status().nodeId;
    const command = { ...SIGNED, node_id: nodeId };
    const { status } = await post("/v1/commands", { command });
    expect(status).toBe(200);
    const [request] = requests;
    expect(request).toMatchObject({ type: "collect", params: { sections: ["drives"] }, mode: "live" });
    expect(request?.signed).toMatchObject({
      id: "cmd_signed",
      nodeId,
      signature: SIGNED.signature,
    });
    const { signature: _, ...unsigned } = command;
    expect(JSON.parse(request?.signed?.signedText ?? "")).toEqual(unsigned);
  });

  test("a dry run answers every gate and takes nothing", async () => {
    const { view, post } = await control();
    const why = { code: "inhibited", text: "dpkg wants this host to stay on.", nextStep: null };
    view.dryRunCommand = async () => [
      { gate: "hold", verdict: "pass", why: null },
      { gate: "inhibitors", verdict: "wait", why, would: "dpkg to let this host go down" },
    ];
    const { json } = await post("/v1/commands", { type: "noop", dry_run: true });
    expect(json.data).toEqual({
      dry_run: true,
      verdict: "wait",
      gates: [
        { gate: "hold", verdict: "pass", why: null, would: null },
        {
          gate: "inhibitors",
          verdict: "wait",
          why: { code: "inhibited", text: why.text, next_step: null },
          would: "It would wait for dpkg to let this host go down.",
        },
      ],
    });
    expect(view.commands(9)).toEqual([]);
  });

  test("a node with a test key touches no hardware for a local command either", async () => {
    const { view, requests, post } = await control();
    const { status, json } = await post("/v1/commands", { type: "reboot" });
    expect([status, json.error.code]).toEqual([403, "refused_mode"]);
    expect(json.error.next_step).toMatch(/^foundry-agent reboot --test {2}# in a request: "mode": "test"; /);
    const other = await post("/v1/commands", { type: "locate", params: { serial: "S1" } });
    expect([other.status, other.json.error.next_step]).toEqual([
      403,
      expect.stringMatching(/^send it with "mode": "test"/),
    ]);
    const signed = await post("/v1/commands", { command: { ...SIGNED, type: "reboot", params: {} } });
    expect(signed.json.error.next_step).toContain("foundry-agent commands sign --help");
    expect(requests).toEqual([]);
    const dry = await post("/v1/commands", { type: "reboot", dry_run: true });
    expect([dry.status, dry.json.data.dry_run, view.commands(9)]).toEqual([200, true, []]);
    expect((await post("/v1/commands", { type: "reboot", mode: "test" })).status).toBe(200);
  });

  test.each([
    ["no body", undefined],
    ["neither type nor command", { params: {} }],
    ["both", { type: "noop", command: SIGNED }],
    ["params beside a signed command", { command: SIGNED, params: {} }],
    ["an unknown field", { type: "noop", prams: {} }],
    ["a mode that is none", { type: "noop", mode: "dry" }],
    ["params that are a list", { type: "noop", params: [1] }],
  ])("%s is a mistake of the request", async (_name, body) => {
    const { requests, post } = await control();
    const { status, json } = await post("/v1/commands", body);
    expect([status, json.error.code]).toEqual([400, "bad_request"]);
    expect(requests).toEqual([]);
  });

  test.each([
    ["without a time", { ...SIGNED, expires_at: undefined }],
    ["with an id that is none", { ...SIGNED, id: "../x" }],
    ["with a type that is none", { ...SIGNED, type: "Re Boot" }],
  ])("a signed command %s is malformed", async (_name, command) => {
    const { requests, post } = await control();
    const { status, json } = await post("/v1/commands", { command });
    expect([status, json.error.code]).toEqual([400, "malformed"]);
    expect(requests).toEqual([]);
  });

  test("an unknown type and params of 1 MB are refused with their code", async () => {
    const { post } = await control();
    expect((await post("/v1/commands", { type: "format" })).json.error.code).toBe("unsupported");
    const large = await post("/v1/commands", { type: "noop", params: { x: "x".repeat(1_000_000) } });
    expect(large.status).toBe(413);
  });
});

test("cancel, hold and release carry the caller's name", async () => {
  const { view, post } = await control();
  expect((await post("/v1/commands/none/cancel")).status).toBe(404);
  pretendCommands(view, [waitingRecord()]);
  view.cancelCommand = () => waitingRecord();
  const calls = overheard(view);
  expect((await post("/v1/commands/cmd_waiting/cancel")).status).toBe(200);
  const held = await post("/v1/hold", { reason: "fan", for_s: 60 });
  expect(held.json.data.until).toBe(new Date(NOW + 60_000).toISOString());
  expect((await post("/v1/release")).json.data.released).toMatchObject({ by: "alice", reason: "fan" });
  expect((await post("/v1/release")).json.data.released).toBeNull();
  expect((await post("/v1/hold", { for_s: 60 })).status).toBe(400);
  expect(calls).toEqual([
    'cancelCommand ["cmd_waiting","alice"]',
    `hold [{"reason":"fan","by":"alice","until":${NOW + 60_000}}]`,
    'release ["alice"]',
    'release ["alice"]',
  ]);
});

test("status.sock shows that a command waits and why, never its params, its asker or its story", async () => {
  const { view, server } = await control();
  pretendCommands(view, [waitingRecord()]);
  const { json } = await ask(server.statusSocket, "/v1/commands/cmd_waiting");
  expect(json.data.waiting).toMatchObject({ code: "held", next_step: "foundry-agent release" });
  for (const field of ["params", "by", "reason", "result", "history", "reboot"])
    expect(json.data).not.toHaveProperty(field);
  for (const path of ["/v1/commands", "/v1/hold", "/v1/release", "/v1/commands/cmd_waiting/cancel"])
    expect((await ask(server.statusSocket, path, { method: "POST", body: "{}" })).status).toBe(403);
});

test("who is connected is known by the kernel's word, and its name where there is one", async () => {
  const { view, controlSocket } = await treeAgent({ tree: "vm", registered: "test" });
  const { json } = await ask(controlSocket, "/v1/commands", { method: "POST", body: '{"type":"noop"}' });
  const { by } = view.commandRecord(json.data.id)?.asked ?? {};
  expect([process.getuid?.(), -1]).toContain(by?.uid);
  expect(socketCaller({} as never, null)).toEqual({ uid: -1, name: "unknown" });
});
