/**
 * The helper behind its socket: one request a connection, carried out, answered, closed. Whoever connects is not
 * trusted: each connection has a time for its request and for taking its answer, their number is bounded, and
 * what is no request costs one line in the journal. Exits when nobody has wanted anything for a while, so that
 * it costs nothing at rest; systemd keeps the socket and starts the next one.
 */
import { createServer, type Server, type Socket } from "node:net";
import { AgentError, errorCode } from "../../model/errors.ts";
import { monotonic } from "../../system/clock.ts";
import { type Native, openNative, type PeerCredentials } from "../../system/native.ts";
import { type HelperOptions, openParts } from "../parts.ts";
import { openClient } from "./connection.ts";
import { decodeUntrusted } from "./frame.ts";
import { agentUids, peerOf } from "./peer.ts";
import { type Answer, type HelperRequest, readRequest, wireError } from "./request.ts";

/** From the connection to the last byte of the request, and for the answer to be taken. */
const TRANSFER_MS = 5_000;
/** Connections that are served at once; beyond them `helper_busy`, beyond twice as many a closed door. */
const MAX_CONNECTIONS = 128;

export interface HelperServerOptions extends HelperOptions {
  /** What systemd handed over, or a path to make a socket of mode 0600 at. */
  readonly listen: { readonly fd: number } | { readonly path: string };
  /** Milliseconds without a connection, a running operation or other work until it ends; 10 s. */
  readonly idleExitMs?: number;
  /** Uids besides root's and the agent's; this process' own if not given. */
  readonly servedUids?: ReadonlySet<number>;
  readonly transferMs?: number;
  /** Null: as if the kernel did not tell who is connected. */
  readonly native?: Native | null;
}

export interface HelperServer {
  /** Resolves when it is over: nobody wanted anything, or `close` was called. */
  readonly ended: Promise<"idle" | "closed">;
  /** Take no more, end what runs, resolve when all connections are gone. */
  close(): Promise<void>;
}

/** @throws AgentError `helper_socket` when it can't listen, `helper_state` */
export async function openHelperServer(options: HelperServerOptions): Promise<HelperServer> {
  const parts = openParts(options);
  const native = options.native === undefined ? openNative() : options.native;
  const served = options.servedUids ?? new Set([...agentUids(), parts.owner]);
  const transferMs = options.transferMs ?? TRANSFER_MS;
  const connections = new Set<Socket>();
  const stopping = new AbortController();
  const ended = Promise.withResolvers<"idle" | "closed">();
  let idleTimer: NodeJS.Timeout | undefined;

  function restartIdle(): void {
    clearTimeout(idleTimer);
    if (stopping.signal.aborted) return;
    idleTimer = setTimeout(() => {
      if (connections.size > 0 || parts.busy()) restartIdle();
      else void stop("idle");
    }, options.idleExitMs ?? 10_000);
  }

  async function stop(why: "idle" | "closed"): Promise<void> {
    clearTimeout(idleTimer);
    if (!stopping.signal.aborted) {
      parts.close();
      stopping.abort(new AgentError("helper_failed", "the helper is being stopped", "ask again"));
      server.close(() => ended.resolve(why));
    }
    await ended.promise;
  }

  const server = createServer((socket) => {
    restartIdle();
    const crowded = connections.size >= MAX_CONNECTIONS;
    connections.add(socket);
    socket.once("close", () => {
      connections.delete(socket);
      restartIdle();
    });
    void serve(socket, crowded);
  });
  server.maxConnections = 2 * MAX_CONNECTIONS;

  /** Never throws: whatever happens is the answer, or an ended connection. */
  async function serve(socket: Socket, crowded: boolean): Promise<void> {
    const started = monotonic();
    const peer = peerOf(socket, native);
    if (peer !== null && !served.has(peer.uid)) {
      // Without a word: what a stranger sends is not even read.
      socket.on("error", () => undefined).destroy();
      const { code, message } = wireError(notServed(peer));
      return parts.audit({ request: null, peer, outcome: code, message, durationMs: 0 });
    }
    const client = openClient(socket, transferMs);
    let answer: Answer;
    let request: HelperRequest | null = null;
    try {
      request = readRequest(decodeUntrusted(await client.request), monotonic());
      if (crowded) throw new AgentError("helper_busy", `${MAX_CONNECTIONS} calls are being served already`);
    } catch (error) {
      const { code, message } = wireError(error);
      parts.audit({ request, peer, outcome: code, message, durationMs: monotonic() - started });
      return client.answer({ ok: false, error: wireError(error) });
    }
    try {
      const gone = AbortSignal.any([client.gone, stopping.signal]);
      answer = { ok: true, result: (await parts.carryOut.perform(request, gone, peer)) ?? null };
    } catch (error) {
      answer = { ok: false, error: wireError(error) };
    }
    client.answer(answer);
  }

  await listen(server, options.listen);
  parts.begin();
  restartIdle();
  return { ended: ended.promise, close: () => stop("closed") };
}

function notServed(peer: PeerCredentials): AgentError {
  return new AgentError("helper_refused", `uid ${peer.uid} is not served: only the agent and root are`);
}

async function listen(server: Server, where: HelperServerOptions["listen"]): Promise<void> {
  // A socket of our own is closed to others from its first moment on.
  const umask = "path" in where ? process.umask(0o177) : null;
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen("fd" in where ? { fd: where.fd } : { path: where.path, backlog: 128 }, () => {
        server.off("error", reject);
        resolve();
      });
    });
  } catch (error) {
    throw new AgentError(
      "helper_socket",
      `the helper can't listen (${errorCode(error)})`,
      "systemctl status foundry-agent-helper.socket",
      { cause: error },
    );
  } finally {
    if (umask !== null) process.umask(umask);
  }
  // A connection that could not be accepted (no descriptor left) is the client's to try again.
  server.on("error", () => undefined);
}
