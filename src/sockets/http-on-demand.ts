/**
 * A server that listens at once and loads Node's HTTP for the first who connects: that is 6 ms of a start, and
 * many an agent is not asked for days.
 *
 * Connections are counted by who opened them (seats.ts), so that nobody keeps others out.
 */
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer, type Server as Listener, type Socket } from "node:net";
import { openSeats, type Seat } from "../helper/link/seats.ts";
import { AgentError } from "../model/errors.ts";
import type { BugLog } from "./bug-log.ts";
import { errorBody } from "./wire/error-body.ts";

/** Connections of one user, and of all but root and the agent's own user, who have theirs beside. */
const CONNECTIONS = { each: 16, together: 64 };
/** Milliseconds. */
const LIMITS = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  // Looked at by a timer that also wakes a process nobody asks; what is late may be so for this long more.
  connectionsCheckingInterval: 30_000,
};

/** Who sent a request. */
export interface Guest {
  /** -1: not known. */
  readonly uid: number;
  /** Of the connection: not ended for others while it is busy. */
  readonly seat: Seat;
}

export type Handler = (request: IncomingMessage, response: ServerResponse, guest: Guest) => Promise<void>;

export interface HttpOnDemand {
  /** What is to listen; not listening yet. */
  readonly listener: Listener;
  /** Listen no more, and end every connection. */
  close(): Promise<void>;
}

export interface HttpOptions {
  readonly bugs: BugLog;
  /** Uid of who is connected; -1 where it can't be known. */
  readonly uidOf: (socket: Socket) => number;
  readonly limits?: typeof LIMITS;
}

/** Root and whoever the agent runs as: they can end it anyhow, and must always get in. */
export function isPrivileged(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.();
}

/** @param handler answers one request; what it throws is logged as a bug, and the connection is gone */
export function httpOnDemand(handler: Handler, options: HttpOptions): HttpOnDemand {
  const { bugs, uidOf } = options;
  const guests = new Map<Socket, Guest>();
  const seats = openSeats<number>({ ...CONNECTIONS, isPrivileged });
  let http: Server | null = null;
  // Half open, as http.Server has it, which ends such a connection itself.
  const listener = createServer({ allowHalfOpen: true }, (socket) => {
    const uid = uidOf(socket);
    const seat = seats.take(uid, () => void socket.destroy());
    if (seat === null) return void socket.on("error", () => undefined).destroy();
    guests.set(socket, { uid, seat });
    socket.once("close", () => {
      guests.delete(socket);
      seat.leave();
    });
    http ??= httpServer(options.limits ?? LIMITS, answer);
    http.emit("connection", socket);
  });
  // A connection that could not be accepted (no descriptor left) is for whoever wanted it to try again.
  listener.on("error", (error) => bugs.log(error, "a socket of the agent failed"));

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const guest = guests.get(request.socket);
    if (guest === undefined) return void response.destroy(); // it is gone already
    guest.seat.idle();
    handler(request, response, guest).catch((error: unknown) => {
      bugs.log(error, "a request could not be answered");
      response.destroy();
    });
  }

  return {
    listener,
    close: () =>
      new Promise((resolve) => {
        listener.close(() => resolve());
        http?.closeAllConnections();
        http?.close();
      }),
  };
}

function httpServer(
  limits: typeof LIMITS,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  const server = createHttpServer(
    {
      maxHeaderSize: 8 * 1024,
      keepAliveTimeout: 5_000,
      ...limits,
      requireHostHeader: false, // http.ts judges the host, and none at all is fine on a socket
    },
    answer,
  );
  server.setTimeout(30_000);
  server.on("clientError", answerBroken);
  // It gets its connections handed over; what counts them and ends late ones begins with this.
  server.emit("listening");
  return server;
}

/** What Node could not read as a request still gets a sentence, where there is somebody to read it. */
function answerBroken(error: NodeJS.ErrnoException, socket: Socket): void {
  // In the middle of an answer to what came before it would be taken for a part of that.
  const { _httpMessage: unfinished } = socket as { _httpMessage?: ServerResponse | null };
  if (error.code === "ECONNRESET" || !socket.writable || unfinished?.headersSent === true) {
    socket.destroy();
    return;
  }
  const [status, reason, sentence] =
    error.code === "HPE_HEADER_OVERFLOW"
      ? [431, "Request Header Fields Too Large", "the head of a request may have 8 KiB"]
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? [408, "Request Timeout", "the request was not sent in time"]
        : [400, "Bad Request", "this is not HTTP/1.1"];
  const body = `${errorBody(new AgentError("bad_request", sentence))}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
  socket.destroySoon();
}
