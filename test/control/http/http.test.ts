/** What the HTTP client sends, and to whom. */
import type { IncomingMessage } from "node:http";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { bodyOf, CANARY, codeOf, get, json, open, post } from "../../support/net/http-client.ts";
import { certificatePath, privateKeyPath, startPlainServer, startTlsServer } from "../../support/net/tls.ts";

describe("what is sent", () => {
  test("a request carries bearer, request id and agent, and its id stands in the log without the bearer", async () => {
    const seen: IncomingMessage["headers"][] = [];
    const server = await startTlsServer((request, response) => {
      seen.push(request.headers);
      json(response, { data: 1 });
    });
    const http = open(server.url);
    const answer = await http.request({ ...get, path: "/x?secret=1" });
    expect(answer).toMatchObject({ status: 200, body: { data: 1 } });
    expect(seen[0]).toMatchObject({ authorization: `Bearer ${CANARY}`, "user-agent": "foundry-agent/test" });
    const id = seen[0]?.["x-request-id"];
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(http.logged()).toContain(id);
    expect(http.logged()).not.toContain(CANARY);
    expect(http.logged()).not.toContain("secret=1");
  });

  test("bodies over 1 KiB go out gzipped, small ones plain; gzipped answers are read", async () => {
    const seen: { encoding: string | undefined; text: string }[] = [];
    const server = await startTlsServer(async (request, response) => {
      const raw = await bodyOf(request);
      const encoding = request.headers["content-encoding"];
      seen.push({ encoding, text: (encoding === "gzip" ? gunzipSync(raw) : raw).toString() });
      response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" });
      response.end(gzipSync('{"data":"zipped"}'));
    });
    const http = open(server.url);
    const long = JSON.stringify({ filler: "x".repeat(2000) });
    expect((await http.request({ ...post, body: long })).body).toEqual({ data: "zipped" });
    await http.request({ ...post, body: "{}" });
    expect(seen).toEqual([
      { encoding: "gzip", text: long },
      { encoding: undefined, text: "{}" },
    ]);
  });

  test("the connection is kept, and resumed TLS costs fewer bytes than the first", async () => {
    let connections = 0;
    const server = await startTlsServer((_request, response) => json(response, {}));
    server.server.on("secureConnection", () => {
      connections += 1;
    });
    const http = open(server.url);
    await http.request(get);
    const first = { ...http.traffic };
    expect(first.sent).toBeGreaterThan(300); // a ClientHello alone is that large: handshakes are counted
    await http.request(get);
    expect(connections).toBe(1);
    expect(http.traffic.sent - first.sent).toBeLessThan(300);
    const before = { ...http.traffic };
    server.server.closeAllConnections();
    await http.request(get);
    expect(connections).toBe(2);
    expect(http.traffic.received - before.received).toBeLessThan(first.received);
  });

  test("a client certificate is shown where one is wanted", async () => {
    const server = await startTlsServer((_request, response) => json(response, { data: "in" }), {
      wantClientCertificate: true,
    });
    const http = open(server.url, { certFile: certificatePath("client"), keyFile: privateKeyPath("client") });
    expect((await http.request(get)).body).toEqual({ data: "in" });
    expect(["tls_failed", "connection_lost"]).toContain(await codeOf(open(server.url).request(get)));
  });

  test("a token never goes to another host over plain HTTP", () => {
    expect(() => open("http://192.0.2.1:8080")).toThrowError(
      expect.objectContaining({ code: "https_required" }),
    );
  });

  test("a kept connection that the server closed in between is replaced without an error, for a write only when it may be repeated", async () => {
    let calls = 0;
    const server = await startPlainServer((request, response) => {
      calls += 1;
      // The second request finds the connection cut after it was sent.
      if (calls === 2) request.socket.resetAndDestroy();
      else json(response, { data: calls });
    });
    const http = open(server.url);
    await http.request(post);
    expect((await http.request({ ...post, repeatable: true })).body).toEqual({ data: 3 });
    calls = 0;
    await http.request(post);
    expect(await codeOf(http.request(post))).toBe("connection_lost");
    expect(calls).toBe(2);
  });
});

describe("redirects", () => {
  test("a write is never redirected, a read within the origin only, and the bearer goes nowhere else", async () => {
    const seen: string[] = [];
    const other = await startTlsServer((request, response) => {
      seen.push(`other ${request.headers.authorization}`);
      json(response, {});
    });
    const server = await startTlsServer((request, response) => {
      seen.push(request.url ?? "");
      if (request.url === "/there") return json(response, { data: "there" });
      const location =
        request.url === "/out" ? `${other.url}/x` : request.url === "/loop" ? "/loop" : "/there";
      response.writeHead(307, { location });
      response.end();
    });
    const http = open(server.url);
    expect((await http.request({ ...get, path: "/near" })).body).toEqual({ data: "there" });
    expect(await codeOf(http.request(post))).toBe("redirect_refused");
    expect(await codeOf(http.request({ ...get, path: "/out" }))).toBe("redirect_refused");
    expect(await codeOf(http.request({ ...get, path: "/loop" }))).toBe("redirect_refused");
    expect(seen.filter((line) => line.startsWith("other"))).toEqual([]);
    expect(http.logged()).not.toContain(CANARY);
  });
});

test("a thrifty client greets with a small key share, and the connection is as good", async () => {
  const server = await startTlsServer((_request, response) => json(response, { ok: true }));
  const bytes = async (thrifty: boolean): Promise<number> => {
    const http = open(server.url, { thrifty });
    expect((await http.request(get)).body).toEqual({ ok: true });
    http.close();
    return http.traffic.sent;
  };
  const [normal, thrifty] = [await bytes(false), await bytes(true)];
  // An ML-KEM-768 key share is 1184 bytes.
  expect(normal - thrifty).toBeGreaterThan(1000);
});
