/**
 * A server that listens at once and loads Node's HTTP for the first who connects: that is 6 ms of a start, and
 * many an agent is not asked for days.
 */
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer, type Server as Listener, type Socket } from "node:net";
import { AgentError } from "../model/errors.ts";
import type { Logger } from "../model/log.ts";
import { errorBody } from "./http.ts";

const CONNECTIONS = 32;
/** Milliseconds. */
const LIMITS = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  // Looked at by a timer that also wakes a process nobody asks; what is late may be so for this long more.
  connectionsCheckingInterval: 30_000,
};

export interface HttpOnDemand {
  /** What is to listen; not listening yet. */
  readonly listener: Listener;
  /** Listen no more, and end every connection. */
  close(): Promise<void>;
}

/** @param handler answers one request; what it throws is logged as a bug, and the connection is gone */
export function httpOnDemand(
  handler: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  log: Logger,
  limits = LIMITS,
): HttpOnDemand {
  let http: Server | null = null;
  // Half open, as http.Server has it, which ends such a connection itself.
  const listener = createServer({ allowHalfOpen: true }, (socket) => {
    http ??= httpServer(handler, log, limits);
    http.emit("connection", socket);
  });
  listener.maxConnections = CONNECTIONS;
  listener.on("error", (error) => log.error({ err: error }, "a socket of the agent failed"));
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
  handler: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  log: Logger,
  limits: typeof LIMITS,
): Server {
  const server = createHttpServer(
    {
      maxHeaderSize: 8 * 1024,
      keepAliveTimeout: 5_000,
      ...limits,
      requireHostHeader: false, // http.ts judges the host, and none at all is fine on a socket
    },
    (request, response) => {
      handler(request, response).catch((error: unknown) => {
        log.error({ err: error }, "a request could not be answered");
        response.destroy();
      });
    },
  );
  server.setTimeout(30_000);
  server.on("clientError", answerBroken);
  // It gets its connections handed over; what counts them and ends late ones begins with this.
  server.emit("listening");
  return server;
}

/** What Node could not read as a request still gets a sentence, where there is somebody to read it. */
function answerBroken(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
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
