/**
 * Which socket of which daemon a sub-command talks to: the one that was named, else the system's, else
 * one's own. control.sock where it may be used, else status.sock, which shows less and changes nothing.
 */
import { existsSync, lstatSync } from "node:fs";
import { connect } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { AgentError, errorCode } from "../../model/errors.ts";
import { socketOwner } from "./owner.ts";

export interface FoundSocket {
  readonly path: string;
  readonly kind: "control" | "status";
}

export interface FindOptions {
  /** `--socket`: a socket, or the folder of both. */
  readonly socket?: string;
  /** control: only that one will do. */
  readonly needs: "any" | "control";
  readonly env: NodeJS.ProcessEnv;
  readonly uid: number;
  /** Given in tests. */
  readonly systemFolder?: string;
  /** Folders of systemd's units; given in tests. */
  readonly units?: readonly string[];
}

const SYSTEM_FOLDER = "/run/foundry-agent";
const UNITS = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];

/**
 * @throws AgentError `daemon_unreachable`, or `refused_permission` when only administrators may
 */
export async function findSocket(options: FindOptions): Promise<FoundSocket> {
  if (options.socket !== undefined && !isFolder(options.socket)) return await named(options.socket, options);
  const folders = options.socket === undefined ? defaultFolders(options) : [options.socket];
  let denied: string | null = null;
  for (const folder of folders) {
    const control = join(folder, "control.sock");
    const answer = await probe(control);
    if (answer === "connected") return { path: control, kind: "control" };
    const status = join(folder, "status.sock");
    const shown = await probe(status);
    if (shown === "connected" && options.needs === "any") return { path: status, kind: "status" };
    // One who may not even ask control.sock learns from status.sock whether there is a daemon behind it.
    if (shown === "connected" || (isDenied(answer) && shown !== "ECONNREFUSED")) denied ??= control;
  }
  if (denied !== null) throw permissionError(denied, options);
  throw new AgentError(
    "daemon_unreachable",
    `no agent answers (looked in ${folders.join(", ")})`,
    start(options),
  );
}

async function named(path: string, options: FindOptions): Promise<FoundSocket> {
  const kind = path.endsWith("status.sock") ? "status" : "control";
  const answer = await probe(path);
  if (isDenied(answer)) throw permissionError(path, options);
  if (answer !== "connected") {
    const why =
      answer === "ENOENT"
        ? "there is no such socket"
        : answer === "ECONNREFUSED"
          ? "its agent is not running"
          : answer;
    throw new AgentError("daemon_unreachable", `no agent answers at ${path} (${why})`, start(options));
  }
  if (options.needs === "control" && kind === "status")
    throw new AgentError(
      "refused_permission",
      `${path} only shows; this is asked on control.sock beside it`,
      `foundry-agent … --socket ${path.replace(/status\.sock$/, "control.sock")}`,
    );
  return { path, kind };
}

/** There is a service to start only where one is installed. */
function start({ units = UNITS }: FindOptions): string {
  return units.some((folder) => existsSync(join(folder, "foundry-agent.service")))
    ? "systemctl start foundry-agent  # or in the foreground: foundry-agent run"
    : "foundry-agent run  # in the foreground: no service is installed here";
}

function isDenied(answer: string): boolean {
  return answer === "EACCES" || answer === "EPERM";
}

function permissionError(path: string, { socket, systemFolder = SYSTEM_FOLDER }: FindOptions): AgentError {
  const { who, nextStep } = socketOwner(path, socket === undefined ? systemFolder : null);
  return new AgentError("refused_permission", `${path} is for ${who}`, nextStep);
}

/** Where a daemon of the system or of this user has its sockets. Folders of others are left out: they could be a trap. */
function defaultFolders({ env, uid, systemFolder }: FindOptions): string[] {
  const { XDG_RUNTIME_DIR: runtime, XDG_STATE_HOME: state, HOME: home, TMPDIR: temporary } = env;
  const own = [
    runtime?.startsWith("/") ? join(runtime, "foundry-agent") : null,
    join(state?.startsWith("/") ? state : join(home || homedir(), ".local", "state"), "foundry-agent"),
    join(temporary?.startsWith("/") ? temporary : tmpdir(), `foundry-agent-${uid}`),
  ];
  const trusted = own.filter((folder): folder is string => folder !== null && belongsTo(folder, uid));
  return [systemFolder ?? SYSTEM_FOLDER, ...trusted];
}

function belongsTo(folder: string, uid: number): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  return found?.uid === uid && found.isDirectory();
}

function isFolder(path: string): boolean {
  try {
    return lstatSync(path).isDirectory();
  } catch {
    return false; // what it is instead, the connection will tell
  }
}

/** "connected" or the code of why not. */
function probe(path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve("connected");
    });
    socket.once("error", (error) => resolve(errorCode(error)));
  });
}
