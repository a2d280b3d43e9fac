import fc from "fast-check";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { ROUTES } from "../../src/agent/routes.ts";
import { drivesCollector } from "../../src/collectors/drives.ts";
import type { System } from "../../src/collectors/system-schema.ts";
import { AgentError } from "../../src/model/errors.ts";
import { jbod, jbodSerial } from "../support/jbod.ts";
import { ask, askRaw, startServer } from "../support/unix-http.ts";
import { collectSections, NOW, section, type TestView, testView, viewOfSections } from "../support/view.ts";

/** A value for each `{parameter}` and the query of every route, so that each can be asked. */
const FILLED: Record<string, string> = {
  "/v1/report/{section}": "/v1/report/system",
  "/v1/drives/{drive}": "/v1/drives/sda",
  "/v1/drives/{serial}/forget": "/v1/drives/WD-1/forget",
  "/v1/commands/{id}": "/v1/commands/cmd_1",
  "/v1/why/{id}": "/v1/why/drives",
  "/v1/collect": "/v1/collect?name=system",
  "/v1/preview/{api}": "/v1/preview/nodefoundry",
};

async function fullView(): Promise<TestView> {
  const view = await testView();
  view.commandList = [
    {
      id: "cmd_1",
      source: "nodefoundry",
      epoch: "e1",
      type: "node.reboot",
      state: "refused",
      receivedAt: NOW - 60_000,
      command: JSON.stringify({ params: { reason: "kernel" }, signature: "SIGNATURE-OF-IT" }),
      error: { code: "unsupported", message: "this agent does not know it yet" },
    },
  ];
  view.state = {
    ...view.state,
    conditions: [
      { code: "drive_missing", subject: "WD-1", severity: "warning", text: "A drive is gone.", nextStep: "look", since: NOW - 5_000 },
    ],
    runningCommand: view.commandList[0] ?? null,
    hold: { reason: "maintenance", until: null },
  };
  view.happen({ type: "drive.missing", severity: "warning", data: { slot: "3" } });
  return view;
}

describe("every route", () => {
  test("answers on control.sock with what its schema says", async () => {
    const view = await fullView();
    const server = await startServer({ view });
    for (const route of ROUTES) {
      const path = FILLED[route.path] ?? route.path;
      const body = route.body === null ? {} : { body: JSON.stringify({ key: "nf_en_abc" }) };
      const answer = await ask(server.controlSocket, path, { method: route.method, ...body });
      expect([route.path, answer.status]).toEqual([route.path, 200]);
      const { answer: shape } = route;
      if (shape.kind === "data") {
        const parsed = v.safeParse(shape.schema(view.collectors()), answer.json.data);
        expect([route.path, parsed.issues?.map((issue) => [v.getDotPath(issue), issue.message])]).toEqual([route.path, undefined]);
      } else if (shape.kind === "lines") {
        const lines = answer.text.trim().split("\n");
        expect(lines).toHaveLength(1);
        for (const line of lines) expect(v.is(shape.schema, JSON.parse(line))).toBe(true);
      }
    }
  });

  test("on status.sock only shows: POSTs and control routes are refused with where to ask", async () => {
    const view = await fullView();
    const server = await startServer({ view });
    for (const route of ROUTES) {
      const answer = await ask(server.statusSocket, FILLED[route.path] ?? route.path, { method: route.method });
      expect([route.path, answer.status]).toEqual([route.path, route.socket === "control" ? 403 : 200]);
      if (answer.status === 403) expect(answer.json.error).toMatchObject({ code: "refused", next_step: expect.stringContaining("foundry-admin") });
    }
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
      expect((await ask(server.statusSocket, "/v1/status", { method })).status).toBe(403);
    expect(view.calls).toEqual([]);
  });
});

test("errors say what is wrong and what to do next", async () => {
  const view = await fullView();
  const server = await startServer({ view });
  const asked = async (path: string, method = "GET", body?: string) => {
    const answer = await ask(server.controlSocket, path, { method, ...(body === undefined ? {} : { body }) });
    return [answer.status, answer.json.error.code, answer.json.error.next_step !== null];
  };
  expect(await asked("/nothing")).toEqual([404, "not_found", true]);
  expect(await asked("/v1/report/nosuch")).toEqual([404, "no_such_section", true]);
  expect(await asked("/v1/report/constructor")).toEqual([404, "no_such_section", true]);
  expect(await asked("/v1/drives/sdzz")).toEqual([404, "no_such_drive", true]);
  expect(await asked("/v1/commands/cmd_9")).toEqual([404, "no_such_command", true]);
  expect(await asked("/v1/why/nothing")).toEqual([404, "nothing_known", true]);
  expect(await asked("/v1/preview/netbox")).toEqual([404, "no_such_api", true]);
  expect(await asked("/v1/drives/UNKNOWN/forget", "POST")).toEqual([404, "no_such_drive", true]);
  expect(await asked("/v1/collect", "POST")).toEqual([400, "bad_request", true]);
  expect(await asked("/v1/collect?name=nosuch", "POST")).toEqual([404, "no_such_collector", true]);
  expect(await asked("/v1/sync?apy=nodefoundry", "POST")).toEqual([400, "bad_request", false]);
  expect(await asked("/v1/events?since=yesterday")).toEqual([400, "bad_request", true]);
  expect(await asked("/v1/commands?limit=-1")).toEqual([400, "bad_request", false]);
  expect(await asked("/v1/enroll", "POST", "not json")).toEqual([400, "bad_request", false]);
  expect(await asked("/v1/drives/%", "GET")).toEqual([404, "not_found", true]);
  const wrongMethod = await ask(server.controlSocket, "/v1/status", { method: "DELETE" });
  expect([wrongMethod.status, wrongMethod.headers.allow]).toEqual([405, "GET"]);
});

test("a bug in the daemon is logged and told without its details", async () => {
  const view = await fullView();
  const broken = { ...view, status: () => { throw new TypeError("secret inside"); } };
  const server = await startServer({ view: broken });
  const answer = await ask(server.statusSocket, "/v1/status");
  expect([answer.status, answer.json.error.code]).toEqual([500, "unexpected"]);
  expect(answer.text).not.toContain("secret inside");
  expect(server.lines.filter((line) => line.level === 50)).toHaveLength(1);
});

describe("requests of web pages", () => {
  test("are refused on both sockets: foreign Host, Origin, Referer", async () => {
    const view = await fullView();
    const server = await startServer({ view });
    const refused: Record<string, string>[] = [
      { host: "evil.example" },
      { host: "localhost.evil.example" },
      { host: "127.0.0.1" },
      { origin: "http://localhost" },
      { origin: "null" },
      { referer: "http://localhost/page" },
    ];
    for (const socket of [server.statusSocket, server.controlSocket]) {
      for (const headers of refused) {
        expect((await ask(socket, "/v1/status", { headers })).status).toBe(403);
        expect((await ask(socket, "/metrics", { headers })).status).toBe(403);
      }
      for (const host of ["localhost", "LOCALHOST:80", "foundry-agent", ""])
        expect((await ask(socket, "/v1/status", { headers: { host } })).status).toBe(200);
      expect(await askRaw(socket, "GET /healthz HTTP/1.0\r\n\r\n")).toContain("200 OK");
      expect(await askRaw(socket, "GET http://evil.example/healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")).toContain(" 403 ");
    }
  });
});

describe("bodies", () => {
  test("over 64 KiB are refused, whether announced or not, and the daemon goes on", async () => {
    const view = await fullView();
    const server = await startServer({ view });
    const announced = await ask(server.controlSocket, "/v1/enroll", { method: "POST", body: "x".repeat(64 * 1024 + 1) });
    expect([announced.status, announced.json.error.code]).toEqual([413, "too_large"]);
    const chunk = "4000\r\n" + "x".repeat(0x4000) + "\r\n";
    const head = "POST /v1/enroll HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    expect(await askRaw(server.controlSocket, head + chunk.repeat(5) + "0\r\n\r\n")).toContain(" 413 ");
    const whole = JSON.stringify({ key: "k".repeat(8 * 1024) });
    expect((await ask(server.controlSocket, "/v1/enroll", { method: "POST", body: whole })).status).toBe(200);
    expect(view.calls).toEqual(["enroll nodefoundry 8192 -"]);
  });

  test("with a key: it is in no answer and no log line, whatever is wrong with it", async () => {
    const view = await fullView();
    view.enroll = async (_api, key) => {
      throw new AgentError("key_rejected", `the server does not know nf_en_${key.slice(6)}`, "ask for another");
    };
    const server = await startServer({ view });
    const canary = "nf_en_CANARY0123456789";
    const bodies = [
      { key: canary },
      { key: [canary] },
      { key: `${canary} ${canary}` },
      { [canary]: "x" },
      { key: "x", extra: canary },
      { key: canary, api: { [canary]: 1 } },
      { key: canary.repeat(500) },
      canary,
    ];
    for (const body of bodies) {
      const answer = await ask(server.controlSocket, "/v1/enroll", { method: "POST", body: JSON.stringify(body) });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.text).not.toContain("CANARY");
    }
    const raw = await ask(server.controlSocket, "/v1/enroll", { method: "POST", body: canary });
    expect(raw.text).not.toContain("CANARY");
    expect(JSON.stringify(server.lines)).not.toContain("CANARY");
  });
});

describe("ETag", () => {
  test("gives 304 as long as nothing is new", async () => {
    const view = await fullView();
    const server = await startServer({ view });
    for (const path of ["/v1/report", "/v1/report/system"]) {
      const first = await ask(server.statusSocket, path);
      const etag = first.headers.etag ?? "";
      expect(etag).toMatch(/^W\/"/);
      const again = await ask(server.statusSocket, path, { headers: { "if-none-match": `"other", ${etag}` } });
      expect([again.status, again.text, again.headers.etag]).toEqual([304, "", etag]);
      const other = await ask(server.statusSocket, path, { headers: { "if-none-match": '"other"' } });
      expect(other.status).toBe(200);
    }
    const before = (await ask(server.statusSocket, "/v1/report")).headers.etag;
    const hashes = view.hashes();
    view.hashes = () => ({ ...hashes, system: "another" });
    const changed = await ask(server.statusSocket, "/v1/report", { headers: { "if-none-match": before ?? "" } });
    expect(changed.status).toBe(200);
  });

  test("a new section object is shown at once, the same one from its text made before", async () => {
    const view = await fullView();
    const server = await startServer({ view });
    const uptime = async () => (await ask(server.statusSocket, "/v1/report/system")).json.data.data.uptime_s;
    const before = await uptime();
    const system = view.sections.system as ReturnType<typeof section>;
    view.sections.system = { ...system, data: { ...(system.data as object), uptime_s: before + 60 } };
    expect(await uptime()).toBe(before + 60);
  });
});

describe("redaction on status.sock", () => {
  /** Every string that identifies hardware in what the collectors found, asked of the whole machine. */
  async function canaryView(): Promise<{ view: TestView; canaries: string[] }> {
    const pulled = await collectSections([drivesCollector()], jbod(4, { pulled: [2] }));
    const node = await fullView();
    const drives = pulled.drives as ReturnType<typeof section>;
    const gone = { id: "wwn-0x5000c500cafe0020", serial: jbodSerial(2), model: "ST16000NM002G", last_name: "sdd", enclosure: "0x500304801f3a4b3f", slot: "2", size_bytes: 1, since: "2025-10-09T08:00:00.000Z" };
    const data = { ...(drives.data as object), missing: [gone] };
    const view = viewOfSections({ ...node.sections, drives: section("drives", data) }, node.collectors());
    const canaries = [jbodSerial(1), jbodSerial(2), jbodSerial(3), "5000c500cafe0010", "5000c500cafe0020", "S64GNE0R000001", "SMC0515D95718C00", "500304801f3a4b3f"];
    const serial = jbodSerial(2);
    view.state = {
      ...view.state,
      conditions: [
        { code: "drive_missing", subject: serial, severity: "warning", text: `The drive ${serial} is gone.`, nextStep: `foundry-agent drives forget ${serial}`, since: NOW },
      ],
      controlApis: view.state.controlApis.map((api) => ({ ...api, note: `sees ${serial}`, lastError: { code: "x", text: `no ${serial}`, at: NOW } })),
      hold: { reason: `waits for ${serial}`, until: null },
    };
    view.commandList = [
      { id: "cmd_1", source: "local", epoch: "e", type: "drive.locate", state: "failed", receivedAt: NOW, command: JSON.stringify({ params: { serial } }), error: { code: "x", message: `no ${serial}` } },
    ];
    view.healthy = () => ({ ok: false, reason: `waits for ${serial}` });
    view.happen({ type: "drive.missing", data: gone });
    view.happen({ type: "condition.raised", data: { code: "drive_missing", subject: serial, text: `gone: ${serial}`, next_step: `forget ${serial}` } });
    // Of a drive that was forgotten nothing is known any more: its looks and the names of the fields must do.
    canaries.push("FORGOTTEN", "5000c500dead0001");
    view.happen({ type: "drive.missing", data: { id: "serial-FORGOTTEN-1", serial: "FORGOTTEN-1", wwn: "0x5000c500dead0001", nested: { mac: "FORGOTTEN" } } });
    view.happen({ type: "condition.cleared", data: { code: "drive_missing", subject: "FORGOTTEN-1", text: "A drive is gone: FORGOTTEN-1" } });
    const system = node.sections.system?.data as System;
    for (const value of [system.hardware?.product.serial, system.hardware?.product.uuid, system.machine_id]) if (typeof value === "string") canaries.push(value);
    return { view, canaries };
  }

  test("nothing that identifies hardware is in any answer; on control.sock it is", async () => {
    const { view, canaries } = await canaryView();
    const server = await startServer({ view });
    const paths = ROUTES.filter((route) => route.socket === "status" && route.method === "GET").map((route) => FILLED[route.path] ?? route.path);
    paths.push("/v1/why/drive_missing", "/v1/commands/cmd_1", "/v1/report/drives", "/v1/drives/nosuch", `/v1/why/nosuch`);
    let shown = "";
    for (const path of paths) {
      const { text } = await ask(server.statusSocket, path);
      for (const canary of canaries) expect([path, canary, text.includes(canary)]).toEqual([path, canary, false]);
      shown += (await ask(server.controlSocket, path)).text;
    }
    for (const canary of canaries) expect([canary, shown.includes(canary)]).toEqual([canary, true]);
  });

  test("drives are found by device there, by serial and id on control.sock too", async () => {
    const { view } = await canaryView();
    const server = await startServer({ view });
    const find = async (socket: string, name: string) => (await ask(socket, `/v1/drives/${encodeURIComponent(name)}`)).json.data?.name;
    const name = await find(server.controlSocket, jbodSerial(1));
    expect(name).toMatch(/^sd/);
    for (const socket of [server.statusSocket, server.controlSocket]) {
      expect(await find(socket, name)).toBe(name);
      expect(await find(socket, `/dev/${name}`)).toBe(name);
    }
    expect(await find(server.statusSocket, jbodSerial(1))).toBeUndefined();
    expect(await find(server.statusSocket, "wwn-0x5000c500cafe0010")).toBeUndefined();
    expect(await find(server.controlSocket, "wwn-0x5000c500cafe0010")).toBe(name);
  });

  test("what no collector declares is not shown there at all, and raw answers only when asked for", async () => {
    const view = await fullView();
    view.sections.unknown = section("unknown", { anything: "at all" });
    view.sections.local = section("local", { facts: { a: { raw: "RAW", shown: 1 } } });
    const server = await startServer({ view });
    expect((await ask(server.statusSocket, "/v1/report/unknown")).json.data.data).toBeNull();
    expect((await ask(server.controlSocket, "/v1/report/unknown")).json.data.data).toEqual({ anything: "at all" });
    expect((await ask(server.controlSocket, "/v1/report/local")).text).not.toContain("RAW");
    expect((await ask(server.controlSocket, "/v1/report/local?raw=1")).text).toContain("RAW");
    expect((await ask(server.controlSocket, "/v1/report?raw=1")).text).toContain("RAW");
    const refused = await ask(server.statusSocket, "/v1/report/local?raw=1");
    expect([refused.status, refused.text.includes("RAW")]).toEqual([403, false]);
    expect((await ask(server.statusSocket, "/v1/report")).text).not.toContain("RAW");
  });
});

test("healthz is 503 with the reason when the agent does not work", async () => {
  const view = await fullView();
  view.healthy = () => ({ ok: false, reason: "every collector fails" });
  const server = await startServer({ view });
  const answer = await ask(server.statusSocket, "/healthz");
  expect([answer.status, answer.json.error.code, answer.json.error.message]).toEqual([503, "unhealthy", "every collector fails"]);
});

test("without drives there are none, with the section's reason", async () => {
  const view = await testView("container");
  const server = await startServer({ view });
  const { data } = (await ask(server.statusSocket, "/v1/drives")).json;
  expect([data.drives, data.missing, data.state]).toEqual([[], [], "absent"]);
  delete view.sections.drives;
  expect((await ask(server.statusSocket, "/v1/drives")).json.data.state).toBe("pending");
});

describe("broken requests", () => {
  test("get a sentence, and the daemon goes on", async () => {
    const view = await fullView();
    const server = await startServer({ view });
    for (const socket of [server.statusSocket, server.controlSocket]) {
      expect(await askRaw(socket, "garbage\r\n\r\n")).toContain(" 400 ");
      expect(await askRaw(socket, `GET / HTTP/1.1\r\nX: ${"x".repeat(9000)}\r\n\r\n`)).toContain(" 431 ");
      expect(await askRaw(socket, "CONNECT evil.example:443 HTTP/1.1\r\n\r\n")).not.toContain(" 200 ");
    }
    const random = fc.sample(fc.uint8Array({ maxLength: 2000 }), { numRuns: 150, seed: 4 });
    for (const bytes of random) await askRaw(server.controlSocket, bytes);
    const paths = fc.sample(fc.string({ unit: "binary", maxLength: 200 }), { numRuns: 150, seed: 5 });
    for (const path of paths) {
      const answer = await askRaw(server.controlSocket, `GET /${path.replaceAll("\r\n", "")} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      expect(answer).not.toContain(" 500 ");
    }
    expect((await ask(server.controlSocket, "/healthz")).status).toBe(200);
    expect(server.lines.filter((line) => line.level >= 50)).toEqual([]);
    expect(view.calls).toEqual([]);
  });
});

