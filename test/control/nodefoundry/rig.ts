/**
 * The real client against the real sandbox, with a server between them that writes down every request and
 * holds those of the agent API against docs/agent-api.openapi.json.
 */

import { chmodSync, writeFileSync } from "node:fs";
import { request as forward, type IncomingHttpHeaders } from "node:http";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, onTestFinished } from "vitest";
import type { ControlApi, ControlContext, SyncInput } from "../../../src/control/control-api.ts";
import { nodefoundryApi } from "../../../src/control/nodefoundry/api.ts";
import type { NodeFoundryConfig } from "../../../src/control/nodefoundry/config-type.ts";
import { type ConditionDraft, conditionKey } from "../../../src/model/condition.ts";
import type { Identity } from "../../../src/model/identity.ts";
import type { Section } from "../../../src/model/report.ts";
import { hostClock } from "../../../src/system/clock.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "../../support/net/nodefoundry.ts";
import { startPlainServer } from "../../support/net/tls.ts";
import { checkAgainst, loadOpenApi } from "../../support/text/json-schema.ts";
import { recordedLog } from "../../support/text/log.ts";

const OPENAPI = loadOpenApi("agent-api");
const AGENT_CALL = /^\/v1\/nodes(\/[^/]+\/sync)?$/;

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of many shapes
  readonly body: any;
  status: number;
}

export interface Tap {
  readonly url: string;
  readonly seen: Seen[];
  readonly problems: string[];
}

/** A server that passes everything on to `target`. */
export async function startTap(target: () => string): Promise<Tap> {
  const seen: Seen[] = [];
  const problems: string[] = [];
  const { url } = await startPlainServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const raw = Buffer.concat(chunks);
      const plain = incoming.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw;
      const isJson = plain.length > 0 && incoming.headers["content-type"] === "application/json";
      const body = isJson ? JSON.parse(plain.toString()) : plain.length === 0 ? undefined : plain;
      const { method = "", url: path = "", headers } = incoming;
      const one: Seen = { method, path, headers, body, status: 0 };
      seen.push(one);
      if (method === "POST" && AGENT_CALL.test(path))
        problems.push(...checkAgainst(OPENAPI, path, method, "request", body));
      const onward = forward(target() + path, { method, headers }, (answer) => {
        one.status = answer.statusCode ?? 0;
        response.writeHead(one.status, answer.headers);
        answer.pipe(response);
        answer.on("error", () => response.destroy());
      });
      onward.on("error", () => response.destroy());
      response.on("close", () => onward.destroy());
      onward.end(raw);
    });
  });
  onTestFinished(() => expect(problems).toEqual([]));
  return { url, seen, problems };
}

export const IDENTITY: Identity = {
  machineId: "ab".repeat(32),
  instance: "instance-a",
  fingerprint: ["dmi:1", "mac:1"],
  hostname: "ceph-01",
  serial: "SN1",
  macs: ["02:00:00:00:00:01"],
  arch: "x64",
  os: "Debian GNU/Linux 12 (bookworm)",
  agentVersion: "0.1.0",
  bootId: "boot-1",
  stateLost: false,
};

export interface Agent {
  readonly api: ControlApi;
  readonly values: Map<string, string>;
  /** Keys of `values` in the order they were written. */
  readonly writes: string[];
  readonly conditions: Map<string, ConditionDraft>;
  readonly renewed: string[];
  /** How often the conditions that hold were told once more. */
  toldAgain: number;
  identity: Identity;
  clockOffsetMs: number;
  readonly logged: () => string;
  readonly traffic: { sent: number; received: number };
  /** The same node after a restart of the agent: durable values only. */
  restarted(): Agent;
}

export function openAgent(
  url: string,
  config: Partial<NodeFoundryConfig> = {},
  from: { values?: Map<string, string>; identity?: Identity } = {},
): Agent {
  const { log, lines } = recordedLog();
  const values = from.values ?? new Map<string, string>();
  const conditions = new Map<string, ConditionDraft>();
  const clock = hostClock();
  const agent: Omit<Agent, "api"> & { api?: ControlApi } = {
    values,
    writes: [],
    conditions,
    renewed: [],
    toldAgain: 0,
    identity: from.identity ?? IDENTITY,
    clockOffsetMs: 0,
    logged: () => JSON.stringify(lines),
    traffic: { sent: 0, received: 0 },
    restarted: () => openAgent(url, config, { values: new Map(values), identity: agent.identity }),
  };
  const context: ControlContext = {
    values: {
      get: (key) => values.get(key) ?? null,
      set(key, value) {
        agent.writes.push(key);
        if (value === null) values.delete(key);
        else values.set(key, value);
      },
    },
    conditions: {
      raise: (condition) => void conditions.set(conditionKey(condition), condition),
      clear: (code, subject) =>
        void conditions.delete(conditionKey(subject === undefined ? { code } : { code, subject })),
      tellAgain: () => void agent.toldAgain++,
    },
    log,
    clock: { now: () => clock.now() + agent.clockOffsetMs, monotonic: clock.monotonic },
    identity: () => agent.identity,
    renewIdentity(reason) {
      agent.renewed.push(reason);
      values.clear();
      agent.identity = {
        ...agent.identity,
        machineId: "cd".repeat(32),
        instance: `renewed-${agent.renewed.length}`,
      };
    },
    traffic(sent, received) {
      agent.traffic.sent += sent;
      agent.traffic.received += received;
    },
  };
  agent.api = nodefoundryApi(
    {
      url,
      keyFile: null,
      enrolKeyFile: null,
      nodeName: null,
      caFile: null,
      certFile: null,
      keyPemFile: null,
      proxy: null,
      profile: "normal",
      intervalS: null,
      ...config,
    },
    context,
  );
  return agent as Agent;
}

export interface Rig extends Tap {
  readonly sandbox: Sandbox;
  /** Bodies of the syncs that arrived. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of many shapes
  readonly syncs: () => any[];
  readonly agent: (config?: Partial<NodeFoundryConfig>, from?: Parameters<typeof openAgent>[2]) => Agent;
}

export async function startRig(options: SandboxOptions = {}): Promise<Rig> {
  const sandbox = await startSandbox(options);
  onTestFinished(() => sandbox.close());
  const tap = await startTap(() => sandbox.url);
  return {
    ...tap,
    sandbox,
    syncs: () => tap.seen.filter(({ path }) => path.endsWith("/sync")).map(({ body }) => body),
    agent: (config, from) => openAgent(tap.url, config, from),
  };
}

export const signal = new AbortController().signal;

/** A secret's file, 0600. */
export function keyFile(key: string): string {
  const path = join(temporaryFolder(), "key");
  writeFileSync(path, `${key}\n`);
  chmodSync(path, 0o600);
  return path;
}

function section(name: string, data: unknown): Section {
  return { name, state: "ok", data, reason: null, collectedAt: 1_760_000_000_000, durationMs: 2 };
}

/** A round with these sections as news. */
export function input(sections: Record<string, unknown> = {}, more: Partial<SyncInput> = {}): SyncInput {
  const changed = Object.fromEntries(
    Object.entries(sections).map(([name, data]) => [name, section(name, data)]),
  );
  return {
    report: { bootId: "boot-1", sections: changed },
    status: "online",
    hashes: Object.fromEntries(
      Object.entries(sections).map(([name, data]) => [name, `hash-${JSON.stringify(data)}`.slice(0, 100)]),
    ),
    changed,
    volatile: {},
    events: [],
    nextDueS: 60,
    waitS: 0,
    ...more,
  };
}

export async function failureOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => ({ code: "no error" }),
    (thrown: { code: string }) => thrown,
  );
  return error.code;
}
