import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:net";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Http, type HttpOptions, openHttp } from "../../src/control/http.ts";
import { AgentError } from "../../src/model/errors.ts";
import { recordedLog } from "../support/log.ts";
import { certificatePath, privateKeyPath, startPlainServer, startTlsServer } from "../support/tls.ts";

const CANARY = "nf_nt_canary0123456789abcdef";

interface Opened extends Http {
  logged: () => string;
  traffic: { sent: number; received: number };
}

function open(baseUrl: string, options: Partial<HttpOptions> = {}): Opened {
  const { log, lines } = recordedLog();
  const traffic = { sent: 0, received: 0 };
  const http = openHttp({
    baseUrl,
    caFile: certificatePath("ca"),
    certFile: null,
    keyFile: null,
    proxy: null,
    userAgent: "foundry-agent/test",
    log,
    traffic: (sent, received) => {
      traffic.sent += sent;
      traffic.received += received;
    },
    ...options,
  });
  onTestFinished(http.close);
  return { ...http, logged: () => JSON.stringify(lines), traffic };
}

const signal = new AbortController().signal;
const get = { method: "GET", path: "/x", bearer: CANARY, signal } as const;
const post = { method: "POST", path: "/x", bearer: CANARY, body: "{}", signal } as const;

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AgentError);
  const { code, message, stack } = error as AgentError;
  expect(message).toMatch(/\.$/);
  expect(`${message} ${stack}`).not.toContain(CANARY);
  return code;
}

function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function bodyOf(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => resolve(Buffer.concat(chunks)));
  });
}

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

describe("certificates", () => {
  test.each([
    ["expired", "tls_expired"],
    ["not-yet-valid", "tls_not_yet_valid"],
    ["wrong-host", "tls_wrong_host"],
    ["untrusted", "tls_untrusted"],
  ] as const)("%s → %s, and the request is never sent", async (certificate, code) => {
    let asked = 0;
    const server = await startTlsServer(
      () => {
        asked += 1;
      },
      { certificate },
    );
    expect(await codeOf(open(server.url).request(get))).toBe(code);
    expect(asked).toBe(0);
  });

  test("the public CAs do not know ours, and the sentence says that a CA must be a file", async () => {
    const server = await startTlsServer((_request, response) => json(response, {}));
    const error = await open(server.url, { caFile: null })
      .request(get)
      .catch((thrown: AgentError) => thrown);
    expect(error).toMatchObject({ code: "tls_untrusted", nextStep: expect.stringContaining("ca_file") });
  });

  test("a CA file that was mended is read at the next try", async () => {
    const server = await startTlsServer((_request, response) => json(response, {}));
    const { copyFileSync } = await import("node:fs");
    const path = `${privateKeyPath("client")}.ca`;
    copyFileSync(certificatePath("other-ca"), path);
    const http = open(server.url, { caFile: path });
    expect(await codeOf(http.request(get))).toBe("tls_untrusted");
    copyFileSync(certificatePath("ca"), path);
    expect((await http.request(get)).status).toBe(200);
  });

  test("a CA file that is missing or no PEM is named", async () => {
    expect(await codeOf(open("https://localhost:1", { caFile: "/nowhere/ca.pem" }).request(get))).toBe(
      "tls_file_unreadable",
    );
    const readme = certificatePath("ca").replace(/[^/]+$/, "README.md");
    expect(
      await codeOf(
        open("https://localhost:1", { certFile: readme, keyFile: privateKeyPath("client") }).request(get),
      ),
    ).toBe("tls_file_invalid");
  });
});

describe("what goes wrong", () => {
  async function asked(
    listener: (request: IncomingMessage, response: ServerResponse) => void,
    request: Partial<Parameters<Http["request"]>[0]> = {},
  ): Promise<string> {
    const server = await startTlsServer(listener);
    const http = open(server.url);
    const code = await codeOf(http.request({ ...get, ...request }));
    expect(http.logged()).not.toContain(CANARY);
    return code;
  }

  test("no such name, nobody there", async () => {
    expect(await codeOf(open("https://no-such-host.invalid").request(get))).toBe("dns_failed");
    const { server, url } = await startTlsServer(() => {});
    server.close();
    expect(await codeOf(open(url).request(get))).toBe("connect_refused");
  });

  test("a TCP port that never speaks TLS, and no connection is left behind", async () => {
    const closed = Promise.withResolvers<void>();
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.on("close", () => closed.resolve());
      socket.resume();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const http = open(`https://localhost:${port}`, { connectMs: 100 });
    expect(await codeOf(http.request(get))).toBe("connect_timeout");
    await closed.promise;
  });

  test("something that is no TLS, and something that is no HTTP", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.end("220 mail.example.net ESMTP\r\n");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    expect(await codeOf(open(`https://localhost:${port}`).request(get))).toBe("tls_failed");
    expect(await codeOf(open(`http://127.0.0.1:${port}`).request(get))).toBe("bad_answer");
  });

  test("no first byte", async () => {
    expect(await asked(() => {}, { firstByteMs: 100 })).toBe("first_byte_timeout");
  });

  test("slow loris: a byte now and then for ever", async () => {
    const code = await asked(
      (_request, response) => {
        response.writeHead(200, { "content-type": "application/json" });
        const timer = setInterval(() => response.write(" "), 10);
        response.on("close", () => clearInterval(timer));
      },
      { firstByteMs: 1000, totalMs: 300 },
    );
    expect(code).toBe("total_timeout");
  });

  test("an endless answer is read no further than the cap", async () => {
    let written = 0;
    const code = await asked((_request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const chunk = Buffer.alloc(256 * 1024, " ");
      const more = (): void => {
        while (!response.destroyed) {
          written += chunk.length;
          if (!response.write(chunk)) return void response.once("drain", more);
        }
      };
      more();
    });
    expect(code).toBe("answer_too_large");
    expect(written).toBeLessThan(64 * 1024 * 1024);
  });

  test("a gzip bomb", async () => {
    const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024, " "));
    const code = await asked((_request, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" });
      response.end(bomb);
    });
    expect(code).toBe("answer_too_large");
  });

  test.each([
    ["text/html", "<h1>Please sign in</h1>"],
    ["text/html", '{"data":{}}'],
    ["application/json", '{"data": {"now'],
    ["application/json", "[".repeat(100_000) + "]".repeat(100_000)],
    ["application/json", `${'{"a":'.repeat(70)}1${"}".repeat(70)}`],
  ])("wrong type or wrong JSON: %s %.20s", async (type, text) => {
    const code = await asked((_request, response) => {
      response.writeHead(200, { "content-type": type });
      response.end(text);
    });
    expect(code).toBe("bad_answer");
  });

  test("an error answer that is no JSON is still an answer with its status", async () => {
    const server = await startTlsServer((_request, response) => {
      response.writeHead(503, { "content-type": "text/html", "retry-after": "7" });
      response.end("<h1>Bad gateway</h1>");
    });
    const answer = await open(server.url).request(post);
    expect(answer).toMatchObject({ status: 503, body: undefined, headers: { "retry-after": "7" } });
  });

  test("truncated by length, truncated in a chunk, reset", async () => {
    expect(
      await asked((_request, response) => {
        response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
        response.write('{"data":');
        setImmediate(() => response.destroy());
      }),
    ).toBe("connection_lost");
    expect(
      await asked((_request, response) => {
        response.writeHead(200, { "content-type": "application/json" });
        response.write('{"data":1}');
        setImmediate(() => response.destroy());
      }),
    ).toBe("connection_lost");
    expect(await asked((request) => void request.socket.destroy())).toBe("connection_lost");
  });

  test("given up by its signal", async () => {
    const stop = new AbortController();
    const code = asked(() => stop.abort(), { signal: stop.signal });
    expect(await code).toBe("aborted");
    expect(await asked(() => {}, { signal: AbortSignal.abort() })).toBe("aborted");
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
