import fc from "fast-check";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { AgentError } from "../../src/model/errors.ts";
import { ROUTES } from "../../src/sockets/routes/table.ts";
import { answerOf } from "../../src/sockets/wire/answers.ts";
import { overheard, pretendSections } from "../support/agent/pretend.ts";
import { BODIES, FILLED, fullView } from "../support/agent/routes.ts";
import { treeAgent } from "../support/agent/tree-agent.ts";
import { ask, askRaw, startServer } from "../support/agent/unix-http.ts";

describe("every route", () => {
  test("answers on control.sock with what its schema says", async () => {
    const view = await fullView();
    const server = await startServer({ view });
    for (const route of ROUTES) {
      const path = FILLED[route.path] ?? route.path;
      const body = route.body === null ? {} : { body: JSON.stringify(BODIES[route.path]) };
      const answer = await ask(server.controlSocket, path, { method: route.method, ...body });
      expect([route.path, answer.status]).toEqual([route.path, 200]);
      const shape = answerOf(route);
      if (shape.kind === "data") {
        const parsed = v.safeParse(shape.schema(view.collectors()), answer.json.data);
        expect([route.path, parsed.issues?.map((issue) => [v.getDotPath(issue), issue.message])]).toEqual([
          route.path,
          undefined,
        ]);
      } else if (shape.kind === "lines") {
        const lines = answer.text.trim().split("\n");
        expect(lines).toHaveLength(1);
        for (const line of lines) expect(v.is(shape.schema, JSON.parse(line))).toBe(true);
      }
    }
  });

  test("the section that is read closely is as its own shape says", async () => {
    const view = await fullView();
    const server = await startServer({ view });
    const path = "/v1/report/network";
    const shape = answerOf({ method: "GET", path });
    const { json } = await ask(server.controlSocket, path);
    expect(json.data.data.interfaces.length).toBeGreaterThan(0);
    expect(shape.kind === "data" && v.is(shape.schema(view.collectors()), json.data)).toBe(true);
  });

  test("on status.sock only shows: POSTs and control routes are refused with where to ask", async () => {
    const view = await fullView();
    const calls = overheard(view);
    const server = await startServer({ view });
    for (const route of ROUTES) {
      const answer = await ask(server.statusSocket, FILLED[route.path] ?? route.path, {
        method: route.method,
      });
      expect([route.path, answer.status]).toEqual([route.path, route.socket === "control" ? 403 : 200]);
      if (answer.status === 403)
        expect(answer.json.error).toMatchObject({
          code: "refused",
          next_step: expect.stringMatching(/^sudo foundry-agent |^send the same request to control\.sock/),
        });
    }
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
      expect((await ask(server.statusSocket, "/v1/status", { method })).status).toBe(403);
    expect(calls).toEqual([]);
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
  const params = "[".repeat(20_000) + "]".repeat(20_000);
  for (const body of [params, `{"type":"noop","params":{"a":${params}}}`, `[${"{},".repeat(15_000)}{}]`])
    expect(await asked("/v1/commands", "POST", body)).toEqual([400, "bad_request", false]);
  expect(await asked("/v1/drives/%", "GET")).toEqual([400, "bad_request", false]);
  const wrongMethod = await ask(server.controlSocket, "/v1/status", { method: "DELETE" });
  expect([wrongMethod.status, wrongMethod.headers.allow]).toEqual([405, "GET"]);
});

test("a bug in the daemon is logged and told without its details", async () => {
  const view = await fullView();
  const broken = {
    ...view,
    status: () => {
      throw new TypeError("secret inside");
    },
  };
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
      expect(
        await askRaw(
          socket,
          "GET http://evil.example/healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        ),
      ).toContain(" 403 ");
    }
  });
});

describe("bodies", () => {
  test("over 64 KiB are refused, whether announced or not, and the daemon goes on", async () => {
    const view = await fullView();
    const calls = overheard(view);
    const server = await startServer({ view });
    const announced = await ask(server.controlSocket, "/v1/enroll", {
      method: "POST",
      body: "x".repeat(64 * 1024 + 1),
    });
    expect([announced.status, announced.json.error.code]).toEqual([413, "too_large"]);
    const chunk = `4000\r\n${"x".repeat(0x4000)}\r\n`;
    const head = "POST /v1/enroll HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    expect(await askRaw(server.controlSocket, `${head}${chunk.repeat(5)}0\r\n\r\n`)).toContain(" 413 ");
    const whole = JSON.stringify({ key: "k".repeat(8 * 1024) });
    expect((await ask(server.controlSocket, "/v1/enroll", { method: "POST", body: whole })).status).toBe(200);
    expect(calls).toEqual([`enroll [null,"${"k".repeat(8 * 1024)}",{}]`]);
  });

  test("with a key: it is in no answer and no log line, whatever is wrong with it", async () => {
    const view = await fullView();
    view.enroll = async (_api, key) => {
      throw new AgentError(
        "key_rejected",
        `the server does not know nf_en_${key.slice(6)}`,
        "ask for another",
      );
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
      const answer = await ask(server.controlSocket, "/v1/enroll", {
        method: "POST",
        body: JSON.stringify(body),
      });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.text).not.toContain("CANARY");
    }
    const raw = await ask(server.controlSocket, "/v1/enroll", { method: "POST", body: canary });
    expect(raw.text).not.toContain("CANARY");
    expect(JSON.stringify(server.lines)).not.toContain("CANARY");
  });
});

test("healthz is 503 with the reason when the agent does not work", async () => {
  const view = await fullView();
  view.healthy = () => ({ ok: false, reason: "every collector fails" });
  const server = await startServer({ view });
  const answer = await ask(server.statusSocket, "/healthz");
  expect([answer.status, answer.json.error.code, answer.json.error.message]).toEqual([
    503,
    "unhealthy",
    "every collector fails",
  ]);
});

test("without drives there are none, with the section's reason", async () => {
  const { view, statusSocket } = await treeAgent({ tree: "container" });
  const { data } = (await ask(statusSocket, "/v1/drives")).json;
  expect([data.drives, data.missing, data.state]).toEqual([[], [], "absent"]);
  pretendSections(view, { drives: null });
  expect((await ask(statusSocket, "/v1/drives")).json.data.state).toBe("pending");
});

describe("broken requests", () => {
  test("get a sentence, and the daemon goes on", async () => {
    const view = await fullView();
    const calls = overheard(view);
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
      const answer = await askRaw(
        server.controlSocket,
        `GET /${path.replaceAll("\r\n", "")} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      );
      expect(answer).not.toContain(" 500 ");
    }
    expect((await ask(server.controlSocket, "/healthz")).status).toBe(200);
    expect(server.lines.filter((line) => line.level >= 50)).toEqual([]);
    expect(calls).toEqual([]);
  });
});
