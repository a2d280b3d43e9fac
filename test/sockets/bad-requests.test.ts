/** Whatever bytes somebody sends to a socket that answers HTTP: 4xx or a closed door, and not a line in the log. */
import { connect } from "node:net";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { openBugLog } from "../../src/sockets/bug-log.ts";
import { startMetricsListener } from "../../src/sockets/metrics/listener.ts";
import { fullView } from "../support/agent/routes.ts";
import { treeAgent } from "../support/agent/tree-agent.ts";
import { ask, askRaw, startServer } from "../support/agent/unix-http.ts";
import { eventually } from "../support/eventually.ts";
import { forAllAsync } from "../support/for-all.ts";
import { recordedLog } from "../support/text/log.ts";

const HOST = "Host: localhost\r\n";
const SEED = 20_261_130;

/** Both sockets and the TCP listener, and what all of them logged. */
async function doors() {
  const view = await fullView();
  const server = await startServer({ view });
  const { log, lines } = recordedLog();
  const listen = { host: "127.0.0.1", port: 0 };
  const off = { tlsCertFile: null, tlsKeyFile: null, bearerFile: null, clientCaFile: null };
  const options = { ...off, listen, serials: false, textfile: null, exclude: [] };
  const metrics = await startMetricsListener(options, view, log);
  onTestFinished(() => metrics.close());
  const { address } = metrics;
  const tcp = (bytes: Uint8Array): Promise<string> => askRaw({ port: address?.port ?? 0 }, bytes);
  return {
    view,
    server,
    lines: () => [...server.lines, ...lines],
    all: (bytes: Uint8Array): Promise<string[]> =>
      Promise.all([askRaw(server.statusSocket, bytes), askRaw(server.controlSocket, bytes), tcp(bytes)]),
  };
}

/** Codes of all answers in what came, without the 100 that Node sends before one. */
function codes(answer: string): number[] {
  return [...answer.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)]
    .map(([, code]) => Number(code))
    .filter((c) => c > 100);
}

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
const get = (target: string, more = ""): string => `GET ${target} HTTP/1.1\r\n${HOST}${more}\r\n`;
const post = (body: string, more = ""): string =>
  `POST /v1/commands HTTP/1.1\r\n${HOST}Content-Length: ${body.length}\r\n${more}\r\n${body}`;

const WRONG: Record<string, readonly string[]> = {
  target: [
    get("//[x"),
    get("http://[x/"),
    get("http://"),
    get("http://evil.example/metrics"),
    get("localhost:80"),
    get("/v1/status\xff"),
    get("/%"),
    get("/v1/report/%E0%A4%A"),
    get("/metrics/%zz"),
    get("/v1/commands?limit=%"),
    get("/v1/commands?limit=1&limit=2"),
    `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`,
    `CONNECT localhost:80 HTTP/1.1\r\n${HOST}\r\n`,
  ],
  head: [
    get("/metrics", "Host: evil.example\r\n"),
    get("/metrics", HOST),
    get("/metrics", "hOST: localhost\r\n"),
    get("/metrics", "Authorization: a\r\nAuthorization: a\r\n"),
    get("/metrics", "Content-Type: a\r\nContent-Type: b\r\n"),
    get("/metrics", "Content-Length: 0\r\nContent-Length: 0\r\n"),
    get("/metrics", "Content-Length: 0\r\nContent-Length: 5\r\n"),
    get("/metrics", "Content-Length: 0, 0\r\n"),
    get("/metrics", "Content-Length: -1\r\n"),
    get("/metrics", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
    get("/metrics", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
    get("/metrics", "Transfer-Encoding: gzip, chunked\r\n"),
    get("/metrics", "Transfer-Encoding: gzip\r\n"),
    get("/metrics", "Expect: something\r\n"),
    get("/metrics", "Origin: null\r\nOrigin: null\r\n"),
    get("/metrics", `X: ${"x".repeat(9_000)}\r\n`),
    get("/metrics", "no colon\r\n"),
    get("/metrics", "a b: c\r\n"),
  ],
  line: [
    `GET /metrics HTTP/2.0\r\n${HOST}\r\n`,
    `GET /metrics HTTP/9.9\r\n${HOST}\r\n`,
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    `FOO /metrics HTTP/1.1\r\n${HOST}\r\n`,
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "GET /metrics\r\n\r\n",
    "\0\0\0\0",
  ],
  body: [
    post("{"),
    post("[".repeat(60_000)),
    post(`{"type":"noop","params":{"a":${"[".repeat(20_000)}${"]".repeat(20_000)}}}`),
    post('"\\ud800"'),
    post("\xff\xfe"),
    post("nul\0"),
    post("{}{}"),
    post("[]"),
    post("null"),
    post("{}", "Content-Encoding: gzip\r\n"),
    post("x".repeat(70_000)),
    `POST /v1/commands HTTP/1.1\r\n${HOST}Content-Length: 100\r\n\r\nabc`,
    `POST /v1/commands HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nzz\r\nabc`,
    `POST /v1/commands HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n5\r\nab`,
    `POST /v1/commands HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 10\r\n\r\nabc`,
  ],
};

describe.each(Object.entries(WRONG))("what is wrong with the %s", (_name, requests) => {
  test("is answered with 4xx or a closed door on every socket, and nothing is logged", async () => {
    const { all, lines } = await doors();
    for (const request of requests) {
      for (const answer of await all(bytes(request))) {
        const found = codes(answer);
        const isRefused = found.every((code) => code >= 400 && code < 500);
        expect([request.slice(0, 120), isRefused ? "refused" : answer.slice(0, 200)]).toEqual([
          request.slice(0, 120),
          "refused",
        ]);
      }
      expect([request.slice(0, 120), lines()]).toEqual([request.slice(0, 120), []]);
    }
  });
});

test("two Host headers, of which the first is ours, are 400 on every socket", async () => {
  const { all } = await doors();
  for (const answer of await all(bytes(get("/metrics", "Host: evil.example\r\n"))))
    expect(codes(answer)).toEqual([400]);
});

test("a client that hangs up in the middle of a body costs no line", async () => {
  const { server, lines } = await doors();
  for (const framing of ["Content-Length: 100", "Transfer-Encoding: chunked"]) {
    const socket = connect(server.controlSocket);
    socket.on("error", () => undefined); // the answer to what it did not finish
    socket.write(`POST /v1/commands HTTP/1.1\r\n${HOST}${framing}\r\n\r\n5\r\nab`);
    await new Promise((resolve) => setTimeout(resolve, 20));
    socket.destroy();
  }
  expect((await ask(server.controlSocket, "/healthz")).status).toBe(200);
  expect(lines()).toEqual([]);
});

test("garbage behind requests gets into no answer: what comes is answers, one behind the other", async () => {
  const { server } = await doors();
  for (const before of [1, 2, 5]) {
    const sent = bytes(`${get("/v1/report").repeat(before)}\0garbage\r\n\r\n`);
    let rest = await askRaw(server.controlSocket, sent);
    while (rest !== "") {
      const head = /^HTTP\/1\.1 \d{3} [\s\S]*?\r\n\r\n/.exec(rest)?.[0] ?? "";
      const length = Number(/^content-length: (\d+)/im.exec(head)?.[1]);
      expect([rest.slice(0, 80), length]).toEqual([rest.slice(0, 80), expect.any(Number)]);
      expect(head).not.toBe("");
      rest = rest.slice(head.length + length);
    }
  }
});

test("thousands of odd requests: never 5xx, never a line, and the next one is answered", async () => {
  const { all, server, lines } = await doors();
  const token = fc.constantFrom(
    ...[
      "/",
      "//",
      "?",
      "&",
      "=",
      "%",
      "%00",
      "%2f",
      "%ff",
      "%zz",
      "[",
      "]",
      ":",
      "@",
      "#",
      "..",
      "\\",
      ";",
      "*",
    ],
    ...["v1", "status", "report", "drives", "commands", "events", "why", "metrics", "healthz", "localhost"],
    ...["sda", "system", "limit", "since", "raw", "1", "-1", "1e999", "__proto__", "constructor", "\xe9"],
  );
  const target = fc.oneof(
    fc.array(token, { minLength: 1, maxLength: 9 }).map((parts) => `/${parts.join("")}`),
    fc.array(token, { minLength: 1, maxLength: 9 }).map((parts) => parts.join("")),
    fc.constantFrom("/v1/status", "/v1/commands", "/v1/hold", "/v1/enroll", "/metrics", "http://localhost/"),
  );
  const method = fc.constantFrom("GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "QUERY");
  const header = fc.oneof(
    fc.constantFrom("Host: localhost", "Host: x", "Host:", "Connection: close", "Connection: upgrade"),
    fc.constantFrom("Upgrade: websocket", "Upgrade: h2c", "Expect: 100-continue", "Content-Type: text/xml"),
    fc.constantFrom("Content-Length: 3", "Content-Length: 0", "Transfer-Encoding: chunked", "TE: trailers"),
    fc.constantFrom("If-None-Match: *", 'If-None-Match: W/"', "Range: bytes=9-", "Authorization: Bearer x"),
    fc.string({ unit: "binary-ascii", maxLength: 30 }),
  );
  const body = fc.oneof(
    fc.constant(""),
    fc.jsonValue().map((value) => JSON.stringify(value)),
    fc.constantFrom("3\r\nabc\r\n0\r\n\r\n", '{"type":"noop"}', '{"type":"noop","params":[]}', "{"),
    fc.string({ unit: "binary-ascii", maxLength: 60 }),
  );
  const request = fc
    .tuple(
      method,
      target,
      fc.constantFrom("1.1", "1.1", "1.1", "1.0", "2.0"),
      fc.array(header, { maxLength: 4 }),
      body,
    )
    .filter(([, path]) => !/follow/.test(path))
    .map(([verb, path, version, headers, content]) => {
      const length = headers.some((one) => /^(?:content-length|transfer)/i.test(one))
        ? []
        : [`Content-Length: ${Buffer.byteLength(content)}`];
      const head = [`${verb} ${path} HTTP/${version}`, HOST.trim(), ...headers, ...length].join("\r\n");
      return Buffer.from(`${head}\r\n\r\n${content}`);
    });
  const odd = fc.oneof(
    { weight: 6, arbitrary: request },
    { weight: 2, arbitrary: fc.array(request, { maxLength: 4 }).map((several) => Buffer.concat(several)) },
    {
      weight: 1,
      arbitrary: fc.tuple(request, fc.nat(200)).map(([whole, cut]) => whole.subarray(0, whole.length - cut)),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((raw) => Buffer.from(raw)) },
  );
  const done = await forAllAsync(
    fc.asyncProperty(odd, async (sent) => {
      for (const answer of await all(sent))
        for (const code of codes(answer))
          expect([code, answer.slice(0, 300)]).toEqual([Math.min(code, 499), answer.slice(0, 300)]);
      expect(lines()).toEqual([]);
    }),
    { seed: SEED, cases: 1_500 },
  );
  expect(done).toBeGreaterThan(0);
  expect((await ask(server.statusSocket, "/healthz")).status).toBe(200);
});

test("parameters nested deeper than anybody needs never get to the journal of a real agent", async () => {
  const { view } = await treeAgent({ registered: "test" });
  const server = await startServer({ view });
  const deep = `{"type":"noop","params":{"a":${"[".repeat(30_000)}${"]".repeat(30_000)}}}`;
  const answer = await ask(server.controlSocket, "/v1/commands", { method: "POST", body: deep });
  expect([answer.status, answer.json.error.code, server.lines]).toEqual([400, "bad_request", []]);
});

describe("a real bug", () => {
  test("that somebody found is logged once a minute, however often he asks for it", async () => {
    const view = await fullView();
    view.status = () => {
      throw new TypeError("a bug");
    };
    const server = await startServer({ view });
    for (let i = 0; i < 50; i++) expect((await ask(server.statusSocket, "/v1/status")).status).toBe(500);
    expect(server.lines.map(({ level, msg }) => [level, msg])).toEqual([[50, "a request failed: a bug"]]);
  });

  test("is counted after that, and whatever its sentence says there are few lines", async () => {
    const { log, lines } = recordedLog();
    const bugs = openBugLog(log, 1_000);
    for (let i = 0; i < 1_000; i++) bugs.log(new Error("same"), "a request failed");
    for (let i = 0; i < 1_000; i++) bugs.log(new Error(`number ${i}`), "a request failed");
    await eventually(() => lines.some(({ msg }) => msg.includes("of these in the last minute")));
    expect(lines.length).toBeLessThanOrEqual(42);
  });
});
