import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { findRoute, matchPath } from "../../src/sandbox/http.ts";
import { call, enrolAgent, MACHINE, testSandbox } from "../support/net/sandbox.ts";

test("patterns match whole segments and decode them", () => {
  expect(matchPath("/v1/nodes/{id}/sync", "/v1/nodes/node_1/sync")).toEqual({ id: "node_1" });
  expect(matchPath("/v1/nodes/{id}", "/v1/nodes/a%2Fb")).toEqual({ id: "a/b" });
  for (const path of ["/v1/nodes/", "/v1/nodes/a/b", "/v1/nodes/%zz", "/v1/nodes"]) {
    expect(matchPath("/v1/nodes/{id}", path)).toBeNull();
  }
  const routes = [
    { method: "GET", path: "/a" },
    { method: "POST", path: "/{x}" },
  ];
  expect(findRoute(routes, "POST", "/a")).toEqual({ route: routes[1], params: { x: "a" } });
  expect(findRoute(routes, "PUT", "/a")).toBeNull();
});

test("bodies may be gzip, and are bounded before and after decompression", async () => {
  const { sandbox } = await testSandbox();
  const enrol = "POST /v1/nodes";
  expect((await call(sandbox.url, sandbox.keys.live, enrol, { body: MACHINE, gzip: true })).status).toBe(201);
  const large = Buffer.alloc(5 * 1024 * 1024 + 1, 0x20);
  for (const options of [{ body: large }, { body: large, gzip: true }]) {
    const answer = await call(sandbox.url, sandbox.keys.live, enrol, options);
    expect([answer.status, answer.body.error.code]).toEqual([413, "payload_too_large"]);
  }
  const lie = { body: Buffer.from("not gzip"), headers: { "content-encoding": "gzip" } };
  expect((await call(sandbox.url, sandbox.keys.live, enrol, lie)).body.error.code).toBe("invalid_body");
  const cut = { body: gzipSync("{}").subarray(0, 10), headers: { "content-encoding": "gzip" } };
  expect((await call(sandbox.url, sandbox.keys.live, enrol, cut)).body.error.code).toBe("invalid_body");
  const brotli = { body: Buffer.from("{}"), headers: { "content-encoding": "br" } };
  expect((await call(sandbox.url, sandbox.keys.live, enrol, brotli)).status).toBe(415);
  const broken = { body: Buffer.from("{") };
  expect((await call(sandbox.url, sandbox.keys.live, enrol, broken)).body.error.code).toBe("invalid_json");
});

test("every answer has a request id, and errors repeat it", async () => {
  const { sandbox } = await testSandbox();
  const ok = await call(sandbox.url, sandbox.keys.live, "GET /v1/nodes");
  expect(ok.headers["x-request-id"]).toMatch(/^req_/);
  const bad = await call(sandbox.url, null, "GET /v1/nodes");
  expect(bad.body.error).toEqual({
    code: "unauthorized",
    message: expect.any(String),
    request_id: bad.headers["x-request-id"],
  });
});

test("unknown paths and methods are 404 in the envelope", async () => {
  const { sandbox } = await testSandbox();
  for (const line of ["GET /v2", "PATCH /v1/nodes", "GET /v1/nodes/a/b/c", "GET /v1/nodes/%zz"]) {
    const answer = await call(sandbox.url, sandbox.keys.live, line);
    expect([line, answer.status, answer.body.error.code]).toEqual([line, 404, "not_found"]);
  }
});

test("a request that is cut in the middle harms nobody else", async () => {
  const { sandbox } = await testSandbox();
  const socket = connect(Number(new URL(sandbox.url).port), "127.0.0.1");
  await new Promise<void>((resolve) => {
    socket.write("POST /v1/nodes HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{", () => resolve());
  });
  socket.destroy();
  const agent = await enrolAgent(sandbox);
  expect((await agent.sync()).ack_seq).toBe(1);
});
