/**
 * The agents behind the HTTP client: keep-alive connections, TLS context made once (parsing the CAs for
 * each connection costs megabytes), and every byte on the wire counted, handshakes included. For that a
 * TLS connection is laid over a TCP socket of ours: a TLSSocket alone counts what is inside only.
 */
import { readFileSync } from "node:fs";
import { type AgentOptions, Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createSecureContext, type SecureContext } from "node:tls";
import { AgentError, errorCode } from "../../model/errors.ts";
import { readSecretFile, secretPath } from "../../system/secret-file.ts";
import { type ProxyOptions, proxyUrlWithCredentials } from "./proxy.ts";

/** Without X25519MLKEM768: offered at any place, a server that prefers it asks for it with one more round trip. */
const SMALL_GROUPS = "X25519:P-256:P-384";

export interface TlsFiles {
  /** Replaces the public CAs. A path or `credential:NAME`, as the others. */
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
  /** A metered network: only the small key exchange (docs/adr/0005-metered-key-exchange.md). */
  readonly thrifty?: boolean;
}

export interface Sockets {
  readonly agent: HttpAgent;
  /** Report what went over the wire since the last call. */
  settle(): void;
  close(): void;
}

type CreateConnection = (
  options: AgentOptions & { host?: string; port?: number; socket?: Socket },
  callback?: (error: Error | null, stream?: Duplex) => void,
) => Duplex | null | undefined;

const MAX_SOCKETS = 4;

/**
 * @param proxy the proxy to go through, already decided for this host
 * @throws AgentError `tls_file_unreadable`, `tls_file_invalid`, codes of `readSecretFile`, `proxy_credentials_invalid`
 */
export function openSockets(
  secure: boolean,
  tls: TlsFiles,
  proxy: ProxyOptions | null,
  connectMs: number,
  traffic: (sent: number, received: number) => void,
): Sockets {
  const common: AgentOptions = { keepAlive: true, maxSockets: MAX_SOCKETS, scheduling: "lifo" };
  if (proxy) {
    const url = proxyUrlWithCredentials(proxy);
    common.proxyEnv = { HTTP_PROXY: url, HTTPS_PROXY: url };
  }
  const agent = secure
    ? new HttpsAgent({ ...common, secureContext: secureContext(tls), minVersion: "TLSv1.2" })
    : new HttpAgent(common);
  const counted = new Map<Socket, { sent: number; received: number }>();

  function settle(): void {
    let sent = 0;
    let received = 0;
    for (const [socket, last] of counted) {
      sent += socket.bytesWritten - last.sent;
      received += socket.bytesRead - last.received;
      last.sent = socket.bytesWritten;
      last.received = socket.bytesRead;
    }
    if (sent > 0 || received > 0) traffic(sent, received);
  }

  function count(socket: Socket): void {
    counted.set(socket, { sent: 0, received: 0 });
    socket.once("close", () => {
      settle();
      counted.delete(socket);
    });
  }

  const ownConnection = (agent as unknown as { createConnection: CreateConnection }).createConnection.bind(
    agent,
  );
  const createConnection: CreateConnection = (options, callback) => {
    if (!secure || proxy) {
      const socket = ownConnection(options, callback);
      if (socket) count(socket as Socket);
      return socket;
    }
    const socket = connect({ host: options.host, port: Number(options.port), noDelay: true });
    count(socket);
    // Should the request be given up meanwhile, nobody else ends a connection that never comes about.
    socket.setTimeout(connectMs, () => socket.destroy());
    let connected = false;
    // Stays on: once TLS runs over it, errors are the TLSSocket's to report.
    socket.on("error", (error) => {
      if (!connected) callback?.(error);
    });
    socket.once("connect", () => {
      connected = true;
      socket.setTimeout(0);
      callback?.(null, ownConnection({ ...options, socket }) ?? undefined);
    });
    return undefined;
  };
  Object.assign(agent, { createConnection });

  return {
    agent,
    settle,
    close() {
      agent.destroy();
      for (const socket of counted.keys()) socket.destroy();
    },
  };
}

function secureContext(files: TlsFiles): SecureContext {
  const ca = files.caFile === null ? undefined : readPem(files.caFile);
  const cert = files.certFile === null ? undefined : readPem(files.certFile);
  const key = files.keyFile === null ? undefined : readSecretFile(files.keyFile);
  try {
    return createSecureContext({
      ca,
      cert,
      key,
      minVersion: "TLSv1.2",
      ...(files.thrifty && { ecdhCurve: SMALL_GROUPS }),
    });
  } catch (error) {
    const named = [files.caFile, files.certFile, files.keyFile].filter((file) => file !== null).join(", ");
    throw new AgentError(
      "tls_file_invalid",
      `${named}: not PEM, or key and certificate do not belong together (${errorCode(error)}).`,
      `openssl x509 -noout -subject -in ${files.certFile ?? files.caFile}`,
      { cause: error },
    );
  }
}

/** A certificate is no secret: it may be readable by all. */
function readPem(reference: string): string {
  const path = secretPath(reference);
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new AgentError(
      "tls_file_unreadable",
      `${path} can't be read (${errorCode(error)}).`,
      `ls -l ${path}`,
      { cause: error },
    );
  }
}
