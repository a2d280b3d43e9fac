import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Http, openHttp } from "../../../src/control/http/http.ts";
import { type ProxyOptions, usesProxy } from "../../../src/control/http/proxy.ts";
import {
  afterCut,
  afterSuccess,
  type RhythmState,
  startRhythm,
  waitSeconds,
} from "../../../src/control/rhythm.ts";
import { failureOf, input, signal } from "../../support/control/context.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";
import { startSandbox } from "../../support/net/nodefoundry.ts";
import { startProxy, type TestProxy } from "../../support/net/proxy.ts";
import { certificate, certificatePath, startPlainServer, startTlsServer } from "../../support/net/tls.ts";
import { recordedLog } from "../../support/text/log.ts";
import { openAgent } from "../nodefoundry/rig.ts";

const PASSWORD = "pa:ss/w@rd-canary";

function credentials(line: string): string {
  const path = join(temporaryFolder(), "proxy.credentials");
  writeFileSync(path, `${line}\n`);
  chmodSync(path, 0o600);
  return path;
}

function through(proxy: TestProxy, options: Partial<ProxyOptions> = {}): ProxyOptions {
  return { url: proxy.url, credentialsFile: null, noProxy: [], ...options };
}

function open(
  baseUrl: string,
  proxy: ProxyOptions,
  connectMs = 5000,
): Http & { logged: () => string; traffic: { sent: number; received: number } } {
  const { log, lines } = recordedLog();
  const traffic = { sent: 0, received: 0 };
  const http = openHttp({
    baseUrl,
    caFile: certificatePath("ca"),
    certFile: null,
    keyFile: null,
    proxy,
    userAgent: "test",
    log,
    connectMs,
    traffic: (sent, received) => {
      traffic.sent += sent;
      traffic.received += received;
    },
  });
  onTestFinished(http.close);
  return { ...http, logged: () => JSON.stringify(lines), traffic };
}

const get = { method: "GET", path: "/x", bearer: "nf_nt_canary0123456789", signal } as const;
const answering = () =>
  startTlsServer((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end('{"data":1}');
  });

describe("through a CONNECT proxy", () => {
  test("with credentials from a file; one tunnel for many requests; the proxy sees neither token nor path", async () => {
    const proxy = await startProxy({ credentials: `us er:${PASSWORD}` });
    const server = await answering();
    const http = open(server.url, through(proxy, { credentialsFile: credentials(`us er:${PASSWORD}`) }));
    for (let i = 0; i < 3; i++) expect((await http.request(get)).status).toBe(200);
    expect(proxy.seen).toEqual([`CONNECT localhost:${server.port}`]);
    expect(http.logged()).not.toContain("canary");
    // Every byte that went through, and CONNECT itself on top.
    expect(http.traffic.sent).toBeGreaterThan(proxy.bytes.fromClient);
    expect(http.traffic.sent).toBeLessThan(proxy.bytes.fromClient + 400);
    expect(http.traffic.received).toBeGreaterThanOrEqual(proxy.bytes.toClient);
  });

  test("407: its own code, without the password anywhere; a mended file is read at the next try", async () => {
    const proxy = await startProxy({ credentials: `user:${PASSWORD}` });
    const server = await answering();
    const file = credentials(`user:wrong-canary`);
    const http = open(server.url, through(proxy, { credentialsFile: file }));
    const error = await http.request(get).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({
      code: "proxy_auth_required",
      nextStep: expect.stringContaining("proxy_credentials_file"),
    });
    expect(`${(error as Error).stack} ${http.logged()}`).not.toContain("canary");
    writeFileSync(file, `user:${PASSWORD}`);
    expect((await http.request(get)).status).toBe(200);
  });

  test("a proxy that refuses, is silent, or is not there", async () => {
    const server = await answering();
    expect(await failureOf(open(server.url, through(await startProxy({ refuse: 403 }))).request(get))).toBe(
      "proxy_refused",
    );
    expect(
      await failureOf(open(server.url, through(await startProxy({ silent: true })), 100).request(get)),
    ).toBe("connect_timeout");
    const gone = open(server.url, { url: "http://127.0.0.1:1", credentialsFile: null, noProxy: [] });
    const error = await gone.request(get).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({
      code: "connect_refused",
      message: expect.stringContaining("The proxy 127.0.0.1:1"),
    });
  });

  test("a proxy that intercepts TLS: the next step says that its CA must be a file", async () => {
    const proxy = await startProxy();
    const server = await startTlsServer(() => {}, { certificate: "untrusted" });
    const error = await open(server.url, through(proxy))
      .request(get)
      .catch((thrown: Error) => thrown);
    expect(error).toMatchObject({
      code: "tls_untrusted",
      nextStep: expect.stringContaining("intercepts TLS"),
    });
  });

  test("plain HTTP on loopback goes in absolute form, and a 407 there is the same code", async () => {
    const server = await startPlainServer((_request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end("{}");
    });
    const proxy = await startProxy({ credentials: "user:pw" });
    const good = open(server.url, through(proxy, { credentialsFile: credentials("user:pw") }));
    expect((await good.request(get)).status).toBe(200);
    expect(proxy.seen[0]).toBe(`GET ${server.url}/x`);
    expect(await failureOf(open(server.url, through(proxy)).request(get))).toBe("proxy_auth_required");
  });

  test("credentials that are no user:password, or that others may read", async () => {
    const proxy = await startProxy();
    const bad = open("https://localhost:1", through(proxy, { credentialsFile: credentials("nocolon") }));
    expect(await failureOf(bad.request(get))).toBe("proxy_credentials_invalid");
    const file = credentials("user:pw");
    chmodSync(file, 0o644);
    expect(
      await failureOf(open("https://localhost:1", through(proxy, { credentialsFile: file })).request(get)),
    ).toBe("secret_exposed");
    expect(proxy.seen).toEqual([]);
  });
});

test("long polls behind a proxy with an idle limit: cut, shortened until they hold, never a failure", async () => {
  const sandbox = await startSandbox({ tls: certificate("server") });
  onTestFinished(() => sandbox.close());
  const url = sandbox.url.replace("127.0.0.1", "localhost");
  // 20 s at a scale of 1 : 8, and a wait of 50 s as 6.25 s; longer than a dead connection takes to show.
  const scale = 8;
  const proxy = await startProxy({ credentials: "user:pw", idleMs: 20_000 / scale });
  const agent = openAgent(url, {
    caFile: certificatePath("ca"),
    proxy: through(proxy, { credentialsFile: credentials("user:pw") }),
  });
  await agent.api.enroll(sandbox.keys.enrol, {}, signal);
  await agent.api.sync(input(), signal);
  let state: RhythmState = startRhythm("normal", null);
  const waits: number[] = [];
  for (let round = 0; round < 5 && waits.at(-1) !== -1; round++) {
    const waitS = waitSeconds(state, true);
    waits.push(waitS);
    const started = performance.now();
    const held = () => (performance.now() - started) * scale;
    try {
      await agent.api.sync(input({}, { waitS: waitS / scale }), signal);
      state = afterSuccess(state, { intervalS: 60, waitedInFull: true }, 0.5);
      break;
    } catch (error) {
      expect(error).toMatchObject({ code: "connection_lost" });
      state = afterCut(state, held(), 0.5);
    }
  }
  // As many cuts as rounds that failed: none was sent again behind our back.
  expect(proxy.cuts()).toBe(waits.length - 1);
  expect(waits.length).toBeGreaterThanOrEqual(2);
  expect(waits[0]).toBe(50);
  expect(waits.at(-1)).toBeLessThan(20);
  expect(state).toMatchObject({ failures: 0 });
  expect(state.waitS).toBeGreaterThanOrEqual(5);
});

describe("no_proxy", () => {
  const list = (noProxy: string[], target: string) =>
    usesProxy({ url: "http://proxy:3128", credentialsFile: null, noProxy }, new URL(target));

  test.each([
    [["*"], "https://a.example", false],
    [["a.example"], "https://a.example", false],
    [["A.Example"], "https://a.example", false],
    [["example"], "https://a.example", false],
    [[".example"], "https://a.example", false],
    [["*.example"], "https://a.example", false],
    [["ample"], "https://a.example", true],
    [["a.example.com"], "https://a.example", true],
    [["a.example:443"], "https://a.example", false],
    [["a.example:8443"], "https://a.example", true],
    [["10.0.0.0/8"], "https://10.1.2.3", false],
    [["10.0.0.0/8"], "https://11.1.2.3", true],
    [["10.0.0.0/99"], "https://10.1.2.3", true],
    [["fd00::/8"], "https://[fd00::1]", false],
    [["::1"], "https://[::1]", false],
    [["[::1]:8443"], "https://[::1]:8443", false],
    [["0.1"], "https://10.0.0.1", true],
    [[""], "https://a.example", true],
    [[], "https://a.example", true],
  ])("%j and %s", (noProxy, target, expected) => {
    expect(list(noProxy, target)).toBe(expected);
  });

  test("no proxy at all", () => {
    expect(usesProxy(null, new URL("https://a.example"))).toBe(false);
  });

  test("a host of the list is reached directly", async () => {
    const proxy = await startProxy();
    const server = await answering();
    await open(server.url, through(proxy, { noProxy: ["localhost"] })).request(get);
    expect(proxy.seen).toEqual([]);
  });
});
