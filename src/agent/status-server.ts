/**
 * The daemon's two sockets: status.sock for everybody (read-only, redacted) and control.sock for
 * administrators. HTTP/1.1, so that `curl --unix-socket` is enough to look at an agent.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { join } from "node:path";
import { AgentError } from "../model/errors.ts";
import type { Logger } from "../model/log.ts";
import { type Native, openNative } from "../system/native.ts";
import type { MetricsOptions } from "./metrics.ts";
import type { RouteContext } from "./route-types.ts";
import { type SocketCaller, socketCaller } from "./socket-caller.ts";
import {
  groupId,
  listenAt,
  mayGiveTo,
  prepareRunFolder,
  refuseLiving,
  type SocketFile,
} from "./socket-file.ts";
import { openSocketTexts } from "./socket-texts.ts";
import { errorBody, requestHandler } from "./status-http.ts";
import type { AgentView } from "./view.ts";

export const ADMIN_GROUP = "foundry-admin";
const CONNECTIONS = 32;

export interface StatusServerOptions {
  readonly view: AgentView;
  /** Folder of the two sockets; made when it is not there. */
  readonly runDir: string;
  readonly log: Logger;
  /** Group of control.sock; undefined: foundry-admin where it exists; null: none. */
  readonly adminGid?: number | null;
  /** Asked at each request, so that a reload needs no new server. */
  readonly metrics?: () => MetricsOptions;
  /** Wall clock, milliseconds since the epoch. */
  readonly now?: () => number;
  /** Who is connected; given in tests. */
  readonly callerOf?: (socket: Socket) => SocketCaller;
}

export interface StatusServer {
  /** Paths of the two sockets. */
  readonly statusSocket: string;
  readonly controlSocket: string;
  close(): Promise<void>;
}

/**
 * Make both sockets and answer on them.
 * @throws AgentError `already_running` (a living daemon has them), `run_folder`, `socket_path`
 */
export async function startStatusServer(options: StatusServerOptions): Promise<StatusServer> {
  const { view, runDir, log } = options;
  const statusSocket = join(runDir, "status.sock");
  const controlSocket = join(runDir, "control.sock");
  prepareRunFolder(runDir);
  await refuseLiving(controlSocket);
  await refuseLiving(statusSocket);

  let native: Native | null | undefined; // looked for at the first request: most daemons never get one
  const context: RouteContext = {
    callerOf(socket) {
      if (options.callerOf !== undefined) return options.callerOf(socket);
      native ??= openNative();
      return socketCaller(socket, native);
    },
    view,
    texts: openSocketTexts(view),
    now: options.now ?? Date.now,
    get metrics() {
      return options.metrics?.() ?? { serials: false, exclude: [] };
    },
  };
  const control = makeServer(requestHandler("control", context, log), log);
  const status = makeServer(requestHandler("status", context, log), log);
  const gid = adminGroup(options.adminGid, log);
  // Without that group only ourselves and root: our own group may be one that every user is in.
  const controlFile = await listenAt(control, controlSocket, gid === null ? 0o600 : 0o660, gid);
  let statusFile: SocketFile;
  try {
    statusFile = await listenAt(status, statusSocket, 0o666, null);
  } catch (error) {
    controlFile.remove();
    await closed(control);
    throw error;
  }
  return {
    statusSocket,
    controlSocket,
    async close() {
      controlFile.remove();
      statusFile.remove();
      await Promise.all([closed(control), closed(status)]);
    },
  };
}

function adminGroup(wanted: number | null | undefined, log: Logger): number | null {
  const gid = wanted === undefined ? groupId(ADMIN_GROUP) : wanted;
  if (gid === null || mayGiveTo(gid)) return gid;
  log.warn(`control.sock can't be given to the group ${gid}, of which this process is no member: root only`);
  return null;
}

function makeServer(
  handler: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  log: Logger,
): Server {
  const server = createServer(
    {
      maxHeaderSize: 8 * 1024,
      headersTimeout: 5_000,
      requestTimeout: 10_000,
      keepAliveTimeout: 5_000,
      // Looked at by a timer that also wakes a process nobody asks; what is late may be so for this long more.
      connectionsCheckingInterval: 30_000,
      requireHostHeader: false, // status-http.ts judges the host, and none at all is fine on a socket
    },
    (request, response) => {
      handler(request, response).catch((error: unknown) => {
        log.error({ err: error }, "a request could not be answered");
        response.destroy();
      });
    },
  );
  server.maxConnections = CONNECTIONS;
  server.setTimeout(30_000);
  server.on("clientError", answerBroken);
  server.on("error", (error) => log.error({ err: error }, "a socket of the agent failed"));
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

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
