/**
 * /metrics over TCP (`metrics.listen`): freely on loopback, beyond it only with TLS and proof of who asks.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, isIP } from "node:net";
import type { Config } from "../../config/types.ts";
import type { ConditionDraft } from "../../model/condition.ts";
import { isLoopback, type ListenAddress } from "../../model/config-key.ts";
import { AgentError, errorCode, errorText } from "../../model/errors.ts";
import type { Logger } from "../../model/log.ts";
import { systemWords } from "../../model/text/system-words.ts";
import { readSecretFile, secretPath } from "../../system/secret-file.ts";
import type { AgentView } from "../agent-view.ts";
import { type BugLog, openBugLog } from "../bug-log.ts";
import { headProblem } from "../request.ts";
import { metricsText, PROMETHEUS_TYPE } from "./prometheus-text.ts";
import { seatConnections } from "./seating.ts";

type Metrics = Config["metrics"];

export interface MetricsListener {
  /** Where it listens; the port is the real one for port 0. null: metrics.listen is off. */
  readonly address: ListenAddress | null;
  close(): Promise<void>;
}

const BACKLOG = 32;
/** Metrics are worth a condition, not the daemon: without the listener all else goes on. */
export async function listenOrTell(
  wanted: Metrics,
  view: AgentView,
  log: Logger,
  tell: (conditions: readonly ConditionDraft[]) => void,
): Promise<MetricsListener> {
  try {
    const listener = await startMetricsListener(wanted, view, log);
    tell([]);
    return listener;
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    const { code, message: text, nextStep } = error;
    tell([{ code, severity: "warning", text, nextStep }]);
    return { address: null, close: async () => undefined };
  }
}

/**
 * Serve GET /metrics over TCP where `listen` says so. Files are read once: start anew after a reload.
 * @throws AgentError `metrics_exposed` (not loopback, and no TLS with bearer or client CA), `metrics_listen`
 *   (address in use, not ours, …), the codes of readSecretFile, `metrics_tls`
 */
export async function startMetricsListener(
  wanted: Metrics,
  view: AgentView,
  log: Logger,
  now: () => number = Date.now,
): Promise<MetricsListener> {
  if (wanted.listen === null) return { address: null, close: async () => undefined };
  const { host, port } = wanted.listen;
  const text = (): string => metricsText(view, wanted, now());
  const tls = wanted.tlsCertFile !== null && wanted.tlsKeyFile !== null;
  const proof = wanted.bearerFile !== null || wanted.clientCaFile !== null;
  if (!isLoopback(host) && !(tls && proof))
    throw new AgentError(
      "metrics_exposed",
      `${host} can be reached from other hosts, so metrics are served there only with TLS and a bearer file or a client CA.`,
      'write listen = "127.0.0.1:9105" below [metrics]; beyond loopback also tls_cert_file, tls_key_file and bearer_file',
    );
  const bearer = wanted.bearerFile === null ? null : digest(`Bearer ${readSecretFile(wanted.bearerFile)}`);
  const bugs = openBugLog(log);
  const handler = (request: IncomingMessage, response: ServerResponse): void => {
    // What was asked last is the last to go for another.
    seatOf(request.socket)?.idle();
    try {
      answer(request, response, { bearer, loopback: isLoopback(host) }, text);
    } catch (error) {
      bugs.log(error, "metrics could not be made");
      refuse(response, 500, "the metrics could not be made; the agent's log says why");
    }
  };
  const server = tls ? tlsServer(wanted, handler) : createServer(limits(), handler);
  server.setTimeout(30_000);
  const { connections, seatOf } = seatConnections(server);
  await listening(server, host, port, bugs);
  return {
    address: { host, port: (server.address() as AddressInfo).port },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        // Also those whose handshake is not over, of which the server of HTTP does not know.
        for (const connection of connections) connection.destroy();
      }),
  };
}

function limits() {
  return { maxHeaderSize: 8 * 1024, headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 75_000 };
}

function tlsServer(
  wanted: Metrics,
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  const read = (reference: string | null): string | undefined =>
    reference === null ? undefined : readPublic(reference);
  try {
    return createTlsServer(
      {
        ...limits(),
        cert: read(wanted.tlsCertFile),
        key: readSecretFile(wanted.tlsKeyFile ?? ""),
        ca: read(wanted.clientCaFile),
        requestCert: wanted.clientCaFile !== null,
        rejectUnauthorized: wanted.clientCaFile !== null,
        minVersion: "TLSv1.2",
        handshakeTimeout: 5_000,
      },
      handler,
    );
  } catch (error) {
    if (error instanceof AgentError) throw error;
    throw new AgentError(
      "metrics_tls",
      `The certificate, key or client CA for metrics can't be used: ${errorText(error)}`,
      "foundry-agent config show  # names metrics.tls_cert_file, tls_key_file and client_ca_file: is each PEM, and the pair one?",
      { cause: error },
    );
  }
}

function readPublic(reference: string): string {
  const path = secretPath(reference);
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new AgentError("metrics_tls", `${path} can't be read: ${systemWords(error)}.`, `ls -lL ${path}`, {
      cause: error,
    });
  }
}

async function listening(server: Server, host: string, port: number, bugs: BugLog): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const failed = (error: Error): void =>
      reject(
        new AgentError(
          "metrics_listen",
          `Metrics can't be served on ${host} port ${port}: ${systemWords(error)}.`,
          errorCode(error) === "EADDRINUSE"
            ? `ss -ltnp 'sport = :${port}'  # who has the port; or choose another for metrics.listen`
            : "ip -brief address  # metrics.listen names one of these",
          { cause: error },
        ),
      );
    server.once("error", failed);
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.off("error", failed);
      resolve();
    });
  });
  // Of one connection that could not be accepted; all others go on.
  server.on("error", (error) => bugs.log(error, "the listener for metrics failed"));
}

interface Gate {
  readonly bearer: Buffer | null;
  readonly loopback: boolean;
}

function answer(request: IncomingMessage, response: ServerResponse, gate: Gate, text: () => string): void {
  request.resume();
  const refusal = refusalOf(request, gate);
  if (refusal === null) {
    response.writeHead(200, { "content-type": PROMETHEUS_TYPE });
    response.end(text());
  } else {
    if (refusal.status === 401)
      response.setHeader("www-authenticate", 'Bearer realm="foundry-agent metrics"');
    refuse(response, refusal.status, refusal.sentence);
  }
}

function refusalOf(request: IncomingMessage, gate: Gate): { status: number; sentence: string } | null {
  const problem = headProblem(request);
  if (problem !== null) return { status: 400, sentence: problem };
  const { host, origin, referer, authorization = "" } = request.headers;
  // On loopback a web page in a browser could ask through a name that it makes resolve to this address.
  if (origin !== undefined || referer !== undefined || (gate.loopback && !isOwnHost(host)))
    return { status: 403, sentence: "this is for Prometheus, not for web pages" };
  const shown = digest(authorization.replace(/^bearer +/i, "Bearer "));
  if (gate.bearer !== null && !timingSafeEqual(shown, gate.bearer))
    return { status: 401, sentence: "a bearer token is needed: metrics.bearer_file" };
  if ((request.url ?? "").split("?", 1)[0] !== "/metrics")
    return { status: 404, sentence: "only /metrics is here" };
  if (request.method !== "GET" && request.method !== "HEAD")
    return { status: 405, sentence: "only GET is answered" };
  return null;
}

function refuse(response: ServerResponse, status: number, sentence: string): void {
  if (!response.headersSent) response.writeHead(status, { "content-type": "text/plain" });
  response.end(`${sentence}\n`);
}

function isOwnHost(host: string | undefined): boolean {
  const name = (host ?? "")
    .toLowerCase()
    .replace(/:\d*$/, "")
    .replace(/^\[|\]$/g, "");
  return name === "" || name === "localhost" || isIP(name) !== 0;
}

/** Of equal length whatever was sent, so that the comparison tells nothing. */
function digest(value: string): Buffer {
  return createHash("sha256").update(value).digest();
}
