/**
 * The embedded control plane, for trying the agent out and for tests: a real HTTP server on loopback with
 * the APIs of the table (index.ts) mounted on it, faults to switch on, and a memory that can be kept in a file.
 */
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { AgentError } from "../model/errors.ts";
import { faultCall } from "./fault-calls.ts";
import { createFaultList, type FaultControl } from "./faults.ts";
import { helpPage } from "./help.ts";
import { type Answer, ApiError, errorAnswer, type Request } from "./http.ts";
import { SANDBOX_APIS } from "./index.ts";
import type { Keys, MountedApi } from "./mounted-api.ts";
import { newSecret } from "./secret.ts";
import { serve } from "./serve.ts";
import { notUnderstood, readStateFile, writeStateFile } from "./state-file.ts";

export interface SandboxOptions {
  /** `127.0.0.1:0` (any free port) is the default; loopback addresses only. */
  listen?: string;
  /** Kept here over restarts, keys included; null or left out: in memory only. */
  stateFile?: string | null;
  /** Wall clock, milliseconds; limits, expiries and simulated work follow it. Long polls run on real time. */
  now?: () => number;
  log?: (line: string) => void;
  /** Those left out are taken from the state file, else made at random. */
  keys?: Keys;
  /** Each API's own, by its name. */
  apis?: Readonly<Record<string, object>>;
  /** Serve https with this certificate and key (PEM). */
  tls?: { cert: string; key: string };
}

export interface Sandbox {
  /** `http://127.0.0.1:PORT`, no slash at the end. */
  readonly url: string;
  /** Of all APIs, by name. */
  readonly keys: Keys;
  readonly apis: readonly MountedApi[];
  readonly faults: FaultControl;
  /** Requests of any kind that reached the server, /sandbox calls excepted. */
  requestCount(): number;
  /** Cut every connection, write the state file, free the port. */
  close(): Promise<void>;
}

/**
 * @throws AgentError `not_loopback`, `invalid_listen`, `address_in_use`, `cannot_listen`, `state_file_unreadable`,
 *   `state_file_unwritable`
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { host, port } = parseListen(options.listen ?? "127.0.0.1:0");
  const now = options.now ?? Date.now;
  const log = options.log ?? (() => {});
  const stateFile = options.stateFile ?? null;
  const begins: Keys = Object.assign({}, ...SANDBOX_APIS.map((api) => api.keys));
  const saved = stateFile === null ? null : readStateFile(stateFile, SANDBOX_APIS);
  const keys: Keys = { ...newKeys(begins), ...saved?.keys, ...options.keys };
  const apis = SANDBOX_APIS.map((api) => api.open(keys, options.apis?.[api.name] ?? {}, { now, log }));
  if (saved) loadApis(apis, saved.apis, stateFile ?? "");

  const stopping = new AbortController();
  const list = createFaultList();
  let remembered: Map<string, unknown> | null = null;
  const faults: FaultControl = {
    set: list.set,
    clear: list.clear,
    list: list.list,
    snapshot: () => {
      remembered = new Map(apis.map((api) => [api.name, api.snapshot()]));
    },
    restore: () => {
      if (!remembered) throw new Error("Nothing to restore; take a snapshot first.");
      for (const api of apis) api.restore(remembered.get(api.name));
      log("restored from an old state");
    },
  };

  const save = (): void => {
    if (stateFile === null) return;
    writeStateFile(stateFile, {
      version: 1,
      keys,
      apis: Object.fromEntries(apis.map((api) => [api.name, api.snapshot()])),
    });
  };
  const saver = lazily(save, 100, log);

  let requestCount = 0;
  let url = "";
  const answer = async (request: Request, hostName: string): Promise<Answer> => {
    try {
      if (request.path === "/") return { status: 200, body: helpPage(url, apis) };
      if (isOwnPath(request.path)) return faultCall(faults, request);
      requestCount += 1;
      const api = apis.find((each) => each.owns(hostName, request.path));
      if (!api) throw new ApiError(404, "not_found", `There is nothing at ${request.path}; see ${url}/.`);
      const said = await api.handle(request);
      log(`${request.method} ${request.path} ${said.status} ${request.requestId}`);
      return said;
    } catch (error) {
      if (error instanceof ApiError) return errorAnswer(error, request.requestId);
      throw error;
    } finally {
      if (request.method !== "GET") saver.due();
    }
  };
  const fault = (method: string, path: string) => {
    const taken = isOwnPath(path) ? null : list.take(method, path);
    if (taken !== null) log(`${method} ${path} meets the fault ${taken.kind}`);
    return taken;
  };
  const listener: RequestListener = (incoming, response) => {
    void serve(incoming, response, { fault, answer, stopping: stopping.signal });
  };
  const server = options.tls ? createTlsServer(options.tls, listener) : createServer(listener);
  // Longer than an agent's usual interval, so that its connection can be kept.
  server.keepAliveTimeout = 75_000;
  await listenOn(server, host, port);
  const bound = server.address() as AddressInfo;
  url = `${options.tls ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${bound.port}`;
  try {
    save();
  } catch (error) {
    server.close();
    throw error;
  }
  return {
    url,
    keys,
    apis,
    faults,
    requestCount: () => requestCount,
    close: async () => {
      stopping.abort();
      for (const api of apis) api.wake();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      saver.stop();
      save();
    },
  };
}

/** Fresh random ones. @param begins how each begins, by name */
function newKeys(begins: Keys): Keys {
  return Object.fromEntries(Object.entries(begins).map(([name, prefix]) => [name, newSecret(prefix)]));
}

function isOwnPath(path: string): boolean {
  return path === "/sandbox" || path.startsWith("/sandbox/");
}

/** `HOST:PORT` with a loopback host. */
function parseListen(listen: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(listen);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) {
    throw new AgentError(
      "invalid_listen",
      `${listen} is not HOST:PORT.`,
      "foundry-agent sandbox --listen 127.0.0.1:8484",
    );
  }
  const host = match[1] ?? match[2] ?? "";
  if (host !== "localhost" && host !== "::1" && !/^127(?:\.\d{1,3}){3}$/.test(host)) {
    throw new AgentError(
      "not_loopback",
      `The sandbox listens on loopback addresses only, and ${host} is not one: its keys are for trying out.`,
      "foundry-agent sandbox --listen 127.0.0.1:8484",
    );
  }
  return { host, port };
}

function listenOn(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const taken = error.code === "EADDRINUSE";
      const text = taken
        ? `Port ${port} is taken by another program.`
        : `Cannot listen on ${host}:${port}: ${error.message}.`;
      reject(
        new AgentError(
          taken ? "address_in_use" : "cannot_listen",
          text,
          "foundry-agent sandbox --listen 127.0.0.1:0",
          {
            cause: error,
          },
        ),
      );
    });
    server.listen(port, host, () => resolve());
  });
}

function loadApis(apis: readonly MountedApi[], saved: Record<string, unknown>, path: string): void {
  for (const api of apis) {
    if (!Object.hasOwn(saved, api.name)) continue;
    try {
      api.load(saved[api.name]);
    } catch (cause) {
      throw notUnderstood(path, api.name, cause);
    }
  }
}

/** Run `work` once, `ms` after the first of many calls; what it throws is logged and does not end the server. */
function lazily(work: () => void, ms: number, log: (line: string) => void): { due(): void; stop(): void } {
  let timer: NodeJS.Timeout | null = null;
  const run = (): void => {
    timer = null;
    try {
      work();
    } catch (error) {
      log(`the state file could not be written: ${error instanceof Error ? error.message : error}`);
    }
  };
  return {
    due: () => {
      timer ??= setTimeout(run, ms);
    },
    stop: () => {
      if (timer) clearTimeout(timer);
      timer = null;
    },
  };
}
