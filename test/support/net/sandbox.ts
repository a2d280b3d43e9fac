/**
 * A sandbox for one test and the means to talk to it. Every exchange of a documented agent-API call is held
 * against docs/agent-api.openapi.json: answers always, requests when the sandbox took them.
 */
import { type IncomingHttpHeaders, request } from "node:http";
import { gzipSync } from "node:zlib";
import { onTestFinished } from "vitest";
import { checkAgainst, loadOpenApi } from "../text/json-schema.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "./nodefoundry.ts";

const OPENAPI = loadOpenApi("agent-api");
const AGENT_CALLS = ["POST /v1/nodes", "POST /v1/nodes/*/sync", "PUT /v1/nodes/*/diagnostics/*"];

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
export type Any = any;

export interface Exchange {
  status: number;
  body: Any;
  text: string;
  headers: IncomingHttpHeaders;
}

export interface CallOptions {
  body?: unknown;
  headers?: Record<string, string>;
  gzip?: boolean;
  signal?: AbortSignal;
}

/** A sandbox with a clock to turn, gone when the test is over. */
export async function testSandbox(
  options: SandboxOptions = {},
): Promise<{ sandbox: Sandbox; clock: { now: number } }> {
  const clock = { now: Date.parse("2026-11-20T12:00:00Z") };
  const sandbox = await startSandbox({ now: () => clock.now, ...options });
  onTestFinished(() => sandbox.close());
  return { sandbox, clock };
}

/** @throws Error for a broken connection, and for an exchange that does not fit the document */
export async function call(
  url: string,
  key: string | null,
  line: string,
  options: CallOptions = {},
): Promise<Exchange> {
  const [method = "GET", path = "/"] = line.split(" ");
  const answer = await exchange(url + path, method, key, options);
  const plain = path.split("?")[0] ?? path;
  if (AGENT_CALLS.includes(`${method} ${plain.replace(/node_[^/]+|cmd_[^/]+/g, "*")}`)) {
    const problems = checkAgainst(OPENAPI, plain, method, `response:${answer.status}`, answer.body);
    if (answer.status < 300) problems.push(...checkAgainst(OPENAPI, plain, method, "request", options.body));
    if (problems.length > 0) throw new Error(`${line} ${answer.status}: ${problems.join("; ")}`);
  }
  return answer;
}

function exchange(url: string, method: string, key: string | null, options: CallOptions): Promise<Exchange> {
  const { body } = options;
  const plain = body === undefined ? null : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  const sent = plain !== null && options.gzip ? gzipSync(plain) : plain;
  const headers: Record<string, string> = {
    ...(key === null ? {} : { authorization: `Bearer ${key}` }),
    ...(options.gzip ? { "content-encoding": "gzip" } : {}),
    ...(sent === null ? {} : { "content-length": String(sent.length) }),
    ...options.headers,
  };
  return new Promise((resolve, reject) => {
    const asked = request(url, {
      method,
      headers,
      agent: false,
      ...(options.signal ? { signal: options.signal } : {}),
    });
    asked.on("error", reject);
    asked.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        const json = response.headers["content-type"]?.startsWith("application/json") ?? false;
        try {
          resolve({
            status: response.statusCode ?? 0,
            body: json ? JSON.parse(text) : null,
            text,
            headers: response.headers,
          });
        } catch (error) {
          reject(error);
        }
      });
    });
    asked.end(sent ?? undefined);
  });
}

export const MACHINE: Record<string, unknown> = {
  machine_id: "ab".repeat(32),
  instance: "instance-a",
  fingerprint: ["dmi:1", "mac:1"],
  hostname: "ceph-01",
  serial: "SN1",
  macs: ["02:00:00:00:00:01"],
  arch: "x64",
  os: "Debian GNU/Linux 12 (bookworm)",
  agent_version: "0.1.0",
};

/** What a simple agent does: registers, counts its syncs, keeps its token. */
export interface TestAgent {
  readonly id: string;
  token: string;
  instance: string;
  bootId: string;
  seq: number;
  /** One sync with these fields over the defaults; the answer's data, or the whole exchange when it failed. */
  sync(fields?: Record<string, unknown>, options?: CallOptions): Promise<Any>;
  /** One sync whose exchange is wanted as it is. */
  exchange(fields?: Record<string, unknown>, options?: CallOptions): Promise<Exchange>;
  /** A command.state event for a command, sent with a sync. */
  say(commandId: string, state: string, data?: Record<string, unknown>): Promise<Any>;
}

export async function enrolAgent(
  sandbox: Sandbox,
  machine: Record<string, unknown> = {},
  key?: string,
): Promise<TestAgent> {
  const sent = { ...MACHINE, ...machine };
  const enrolled = await call(sandbox.url, key ?? sandbox.keys.live, "POST /v1/nodes", { body: sent });
  if (enrolled.status >= 300) throw new Error(`enrol: ${enrolled.text}`);
  const { id, node_token } = enrolled.body.data;
  let events = 0;
  const agent: TestAgent = {
    id,
    token: node_token,
    instance: String(sent.instance),
    bootId: "boot-1",
    seq: 0,
    exchange: async (fields, options) => {
      agent.seq += 1;
      const body = { ...defaults(agent), ...fields };
      return await call(sandbox.url, agent.token, `POST /v1/nodes/${id}/sync`, { body, ...options });
    },
    sync: async (fields, options) => {
      const answer = await agent.exchange(fields, options);
      if (answer.status !== 200) throw new Error(`sync: ${answer.status} ${answer.text}`);
      return answer.body.data;
    },
    say: async (commandId, state, data) => {
      events += 1;
      return await agent.sync({
        events: [event(events, "command.state", { command_id: commandId, state, ...data })],
      });
    },
  };
  return agent;
}

/** An event whose id rises with `number`. */
export function event(number: number, type: string, data: Record<string, unknown>): Record<string, unknown> {
  const id = `01K9ZQ7Y3W${String(number).padStart(16, "0")}`;
  return { id, at: "2026-11-20T12:00:00.000Z", type, severity: "info", data };
}

function defaults(agent: TestAgent): Record<string, unknown> {
  return {
    instance: agent.instance,
    seq: agent.seq,
    boot_id: agent.bootId,
    sent_at: "2026-11-20T12:00:00.000Z",
    agent_version: "0.1.0",
    next_due_s: 60,
    status: "online",
    hashes: {},
    sections: {},
    volatile: {},
    events: [],
    wait_s: 0,
  };
}
