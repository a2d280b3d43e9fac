import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Config } from "../../src/config/types.ts";
import { startMetricsListener } from "../../src/sockets/metrics/listener.ts";
import { textfileWriter } from "../../src/sockets/metrics/textfile.ts";
import { treeAgent } from "../support/agent/tree-agent.ts";
import { temporaryFolder } from "../support/machine/tree.ts";
import { certificate, certificatePath, privateKeyPath } from "../support/net/tls.ts";
import { NOW } from "../support/now.ts";
import { recordedLog } from "../support/text/log.ts";
import { parsePrometheus } from "../support/text/prometheus.ts";

type Metrics = Config["metrics"];

const OFF: Metrics = {
  listen: null,
  tlsCertFile: null,
  tlsKeyFile: null,
  bearerFile: null,
  clientCaFile: null,
  serials: false,
  textfile: null,
  exclude: [],
};

async function listener(metrics: Partial<Metrics>): Promise<{ port: number; lines: unknown[] }> {
  const { log, lines } = recordedLog();
  const started = await startMetricsListener(
    { ...OFF, listen: { host: "127.0.0.1", port: 0 }, ...metrics },
    (await treeAgent()).view,
    log,
  );
  onTestFinished(() => started.close());
  return { port: started.address?.port ?? 0, lines };
}

function tokenFile(): string {
  const path = join(temporaryFolder(), "token");
  writeFileSync(path, "scrape-me-123\n", { mode: 0o600 });
  return path;
}

/** "STATUS first-line" or the error's code. */
function get(
  url: string,
  options: {
    headers?: Record<string, string>;
    method?: string;
    ca?: string;
    cert?: string;
    key?: string;
  } = {},
): Promise<string> {
  const send = url.startsWith("https:") ? tlsRequest : plainRequest;
  return new Promise((resolve) => {
    const sent = send(url, { agent: false, ...options }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk: string) => {
        text += chunk;
      });
      answer.on("end", () => resolve(`${answer.statusCode} ${text}`));
    });
    sent.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    sent.end();
  });
}

describe("over TCP", () => {
  test("nothing listens unless it is asked for", async () => {
    const off = await startMetricsListener(OFF, (await treeAgent()).view, recordedLog().log);
    expect(off.address).toBeNull();
    await off.close();
  });

  test("loopback is free, for Prometheus and not for web pages", async () => {
    const { port } = await listener({});
    const url = `http://127.0.0.1:${port}/metrics`;
    const answer = await get(url);
    expect(answer).toMatch(/^200 # HELP /);
    expect(parsePrometheus(answer.slice(4)).has("foundry_agent_build_info")).toBe(true);
    expect(await get(`${url}?collect[]=cpu`)).toMatch(/^200 /);
    expect(await get(url, { headers: { host: "rebound.example" } })).toMatch(/^403 /);
    expect(await get(url, { headers: { origin: "http://evil.example" } })).toMatch(/^403 /);
    expect(await get(url, { method: "POST" })).toMatch(/^405 /);
    expect(await get(`http://127.0.0.1:${port}/v1/status`)).toMatch(/^404 /);
  });

  test("excluded families and serials follow the configuration", async () => {
    const { port } = await listener({ exclude: ["foundry_agent_build_info"] });
    expect(await get(`http://127.0.0.1:${port}/metrics`)).not.toContain("foundry_agent_build_info");
  });

  test("beyond loopback only with TLS and proof of who asks", async () => {
    const { view } = await treeAgent();
    const tls = { tlsCertFile: certificatePath("server"), tlsKeyFile: privateKeyPath("server") };
    for (const [host, more] of [
      ["0.0.0.0", {}],
      ["::", {}],
      ["192.0.2.1", tls],
      ["0.0.0.0", { bearerFile: tokenFile() }],
      ["0.0.0.0", { clientCaFile: certificatePath("ca") }],
    ] as const) {
      const metrics = { ...OFF, ...more, listen: { host, port: 0 } };
      await expect(startMetricsListener(metrics, view, recordedLog().log)).rejects.toMatchObject({
        code: "metrics_exposed",
      });
    }
    const open = await startMetricsListener(
      { ...OFF, ...tls, bearerFile: tokenFile(), listen: { host: "0.0.0.0", port: 0 } },
      view,
      recordedLog().log,
    );
    onTestFinished(() => open.close());
    const url = `https://localhost:${open.address?.port}/metrics`;
    const { cert: ca } = certificate("ca");
    expect(await get(url, { ca })).toMatch(/^401 /);
    expect(await get(url, { ca, headers: { authorization: "Bearer scrape-me-123" } })).toMatch(/^200 /);
  });

  test("a bearer token is compared whole", async () => {
    const { port, lines } = await listener({ bearerFile: tokenFile() });
    const as = (authorization: string) =>
      get(`http://127.0.0.1:${port}/metrics`, { headers: { authorization } });
    expect(await as("Bearer scrape-me-123")).toMatch(/^200 /);
    expect(await as("bearer  scrape-me-123")).toMatch(/^200 /);
    for (const wrong of [
      "",
      "Bearer",
      "Bearer scrape-me-12",
      "Bearer scrape-me-1234",
      "Basic scrape-me-123",
      "scrape-me-123",
    ])
      expect(await as(wrong)).toMatch(/^401 /);
    expect(JSON.stringify(lines)).not.toContain("scrape-me");
  });

  test("a client certificate must be of the client CA", async () => {
    const { port } = await listener({
      tlsCertFile: certificatePath("server"),
      tlsKeyFile: privateKeyPath("server"),
      clientCaFile: certificatePath("ca"),
    });
    const { cert: ca } = certificate("ca");
    const url = `https://localhost:${port}/metrics`;
    expect(await get(url, { ca, ...certificate("client") })).toMatch(/^200 /);
    expect(await get(url, { ca })).not.toMatch(/^\d/);
    expect(await get(url, { ca, ...certificate("untrusted") })).not.toMatch(/^\d/);
  });

  test("what is wrong with the files or the address is said", async () => {
    const failing = async (metrics: Partial<Metrics>) =>
      await listener(metrics).then(
        () => "started",
        (error: { code: string }) => error.code,
      );
    const { port } = await listener({});
    expect(await failing({ listen: { host: "127.0.0.1", port } })).toBe("metrics_listen");
    expect(await failing({ bearerFile: "/nonexistent" })).toBe("secret_missing");
    const exposed = tokenFile();
    chmodSync(exposed, 0o644);
    expect(await failing({ bearerFile: exposed })).toBe("secret_exposed");
    const key = privateKeyPath("server");
    expect(await failing({ tlsCertFile: "/nonexistent", tlsKeyFile: key })).toBe("metrics_tls");
    expect(await failing({ tlsCertFile: key, tlsKeyFile: key })).toBe("metrics_tls");
  });
});

describe("as a file for node_exporter", () => {
  test("is written whole, readable, without the families that node_exporter has itself", async () => {
    const folder = temporaryFolder();
    const textfile = join(folder, "foundry-agent.prom");
    const { view } = await treeAgent();
    const write = textfileWriter({ ...OFF, textfile });
    expect(write(view)).toEqual([]);
    expect(lstatSync(textfile).mode & 0o777).toBe(0o644);
    const text = readFileSync(textfile, "utf8");
    const families = parsePrometheus(text);
    expect(families.has("foundry_agent_build_info")).toBe(true);
    // An age would be wrong whenever it is read.
    expect(text).toMatch(
      /^# Written by foundry-agent at \d{4}-\S+Z\. Nothing in it is read when it is scraped/,
    );
    const [last] = families.get("foundry_agent_collector_last_run_timestamp_seconds")?.samples ?? [];
    expect(last?.value).toBe((NOW - 12_000) / 1000);
    expect([...families.keys()].filter((name) => /^(?:node|process|go)_/.test(name))).toEqual([]);
    const { ino } = lstatSync(textfile);
    expect(write(view)).toEqual([]);
    expect(lstatSync(textfile).ino).not.toBe(ino);
    expect(readdirSync(folder)).toEqual(["foundry-agent.prom"]);
  });

  test("what hinders it is a condition, and leaves nothing lying about", async () => {
    const folder = temporaryFolder();
    const { view } = await treeAgent();
    expect(textfileWriter({ ...OFF, textfile: join(folder, "missing", "x.prom") })(view)).toMatchObject([
      { code: "metrics_textfile", severity: "warning" },
    ]);
    mkdirSync(join(folder, "x.prom"));
    expect(textfileWriter({ ...OFF, textfile: join(folder, "x.prom") })(view)).toMatchObject([
      { code: "metrics_textfile" },
    ]);
    expect(readdirSync(folder)).toEqual(["x.prom"]);
    expect(textfileWriter(OFF)(view)).toEqual([]);
    expect(existsSync(join(folder, "null"))).toBe(false);
  });
});
