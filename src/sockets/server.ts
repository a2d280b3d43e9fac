/**
 * The daemon's two sockets: status.sock for everybody (read-only, redacted) and control.sock for
 * administrators. HTTP/1.1, so that `curl --unix-socket` is enough to look at an agent.
 */
import type { Socket } from "node:net";
import { join } from "node:path";
import { peerOf } from "../helper/link/peer.ts";
import type { Logger } from "../model/log.ts";
import { type Native, openNative } from "../system/native.ts";
import type { AgentView } from "./agent-view.ts";
import { openBugLog } from "./bug-log.ts";
import { type SocketCaller, socketCaller } from "./caller.ts";
import { requestHandler } from "./http.ts";
import { httpOnDemand } from "./http-on-demand.ts";
import type { MetricsOptions } from "./metrics/prometheus-text.ts";
import { openSocketTexts } from "./redacted-texts.ts";
import type { RouteContext } from "./routes/route.ts";
import {
  groupId,
  listenAt,
  mayGiveTo,
  prepareRunFolder,
  refuseLiving,
  type SocketFile,
} from "./socket-file.ts";

export const ADMIN_GROUP = "foundry-admin";

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

  let opened: Native | null | undefined; // looked for at the first connection: most daemons never get one
  const native = (): Native | null => {
    if (opened === undefined) opened = openNative();
    return opened;
  };
  const uidOf = (socket: Socket): number =>
    options.callerOf?.(socket).uid ?? peerOf(socket, native())?.uid ?? -1;
  const context: RouteContext = {
    callerOf: options.callerOf ?? ((socket) => socketCaller(socket, native())),
    view,
    texts: openSocketTexts(view),
    now: options.now ?? Date.now,
    get metrics() {
      return options.metrics?.() ?? { serials: false, exclude: [] };
    },
  };
  const bugs = openBugLog(log);
  const control = httpOnDemand(requestHandler("control", context, bugs), { bugs, uidOf });
  const status = httpOnDemand(requestHandler("status", context, bugs), { bugs, uidOf });
  const gid = adminGroup(options.adminGid, log);
  // Without that group only ourselves and root: our own group may be one that every user is in.
  const controlFile = await listenAt(control.listener, controlSocket, gid === null ? 0o600 : 0o660, gid);
  let statusFile: SocketFile;
  try {
    statusFile = await listenAt(status.listener, statusSocket, 0o666, null);
  } catch (error) {
    controlFile.remove();
    await control.close();
    throw error;
  }
  return {
    statusSocket,
    controlSocket,
    async close() {
      controlFile.remove();
      statusFile.remove();
      await Promise.all([control.close(), status.close()]);
    },
  };
}

function adminGroup(wanted: number | null | undefined, log: Logger): number | null {
  const gid = wanted === undefined ? groupId(ADMIN_GROUP) : wanted;
  if (gid === null || mayGiveTo(gid)) return gid;
  log.warn(`control.sock can't be given to the group ${gid}, of which this process is no member: root only`);
  return null;
}
