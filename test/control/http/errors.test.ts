/** Everything a server and the way to it can do wrong. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Http } from "../../../src/control/http/http.ts";
import { CANARY, codeOf, get, open, post } from "../../support/net/http-client.ts";
import { startTlsServer } from "../../support/net/tls.ts";

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
