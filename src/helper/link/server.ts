/**
 * The helper behind its socket: one request a connection, carried out, answered, closed. Whoever connects is not
 * trusted: each connection has a time for its request and for taking its answer, and their number is bounded for each
 * user, so that connections that do nothing keep nobody out. Exits when nobody has wanted anything for a while, so that
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
import { openSeats, type Seat } from "./seats.ts";

/** From the connection to the last byte of the request, and for the answer to be taken. */
const TRANSFER_MS = 5_000;
/** Connections of one user, and of all but root. One more takes the place of the longest idle. */
const CONNECTIONS = { each: 128, together: 128 };
/** Where all are busy so many more are told so at once, others find a closed door. */
const MAX_STANDING = 64;

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
  const seats = openSeats<number>({ ...CONNECTIONS, isPrivileged: (uid) => uid === 0 });
  let standing = 0;
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
      server.close(() => {
        parts.tellRest();
        ended.resolve(why);
      });
    }
    await ended.promise;
  }

  const server = createServer((socket) => {
    restartIdle();
    connections.add(socket);
    socket.once("close", () => {
      connections.delete(socket);
      restartIdle();
    });
    const peer = peerOf(socket, native);
    if (peer !== null && !served.has(peer.uid)) {
      // Without a word: what a stranger sends is not even read.
      socket.on("error", () => undefined).destroy();
      const { code, message } = wireError(notServed(peer));
      return parts.audit({ request: null, peer, outcome: code, message, durationMs: 0 });
    }
    const seat = seats.take(peer?.uid ?? -1, () => void socket.destroy());
    if (seat === null && standing >= MAX_STANDING) {
      socket.on("error", () => undefined).destroy();
      const { code, message } = wireError(busy());
      return parts.audit({ request: null, peer, outcome: code, message, durationMs: 0 });
    }
    if (seat === null) standing++;
    socket.once("close", () => {
      if (seat === null) standing--;
      else seat.leave();
    });
    void serve(socket, peer, seat);
  });

  /** Never throws: whatever happens is the answer, or an ended connection. */
  async function serve(socket: Socket, peer: PeerCredentials | null, seat: Seat | null): Promise<void> {
    const started = monotonic();
    const client = openClient(socket, transferMs);
    let answer: Answer;
    let request: HelperRequest | null = null;
    try {
      request = readRequest(decodeUntrusted(await client.request), monotonic());
      if (seat === null) throw busy();
    } catch (error) {
      const { code, message } = wireError(error);
      parts.audit({ request, peer, outcome: code, message, durationMs: monotonic() - started });
      return client.answer({ ok: false, error: wireError(error) });
    }
    seat?.busy();
    try {
      const gone = AbortSignal.any([client.gone, stopping.signal]);
      answer = { ok: true, result: (await parts.carryOut.perform(request, gone, peer)) ?? null };
    } catch (error) {
      answer = { ok: false, error: wireError(error) };
    }
    seat?.idle(); // whoever does not take his answer waits for nothing
    client.answer(answer);
  }

  await listen(server, options.listen);
  parts.begin();
  restartIdle();
  return { ended: ended.promise, close: () => stop("closed") };
}

function busy(): AgentError {
  return new AgentError("helper_busy", `${CONNECTIONS.each} calls are being served already`);
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
