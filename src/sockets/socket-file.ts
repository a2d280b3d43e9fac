/**
 * The file of a unix socket: made so that nobody reaches it before its mode is right, put in the place of
 * a dead daemon's, never of a living one's.
 *
 * It is bound in a folder of our own (0700), given its mode and group there, and renamed to its place:
 * no umask of the whole process, no moment in which others could connect.
 */
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { connect, type Server } from "node:net";
import { dirname, join } from "node:path";
import { AgentError, errorCode } from "../model/errors.ts";
import { systemWords, wordsOf } from "../model/text/system-words.ts";

/** sockaddr_un.sun_path is 108 bytes with its NUL (unix(7)). */
const MAX_PATH = 107;
const PROBE_MS = 1_000;

/**
 * The folder the sockets are in, made when it is not there.
 * @throws AgentError `run_folder` when it can't be made or others could put their own sockets into it
 */
export function prepareRunFolder(folder: string, uid: number = process.geteuid?.() ?? 0): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    const found = lstatSync(folder);
    // In /tmp somebody else can have been there first: a folder of theirs, or a link to one.
    const foreign = found.uid !== uid && found.uid !== 0;
    if (found.isSymbolicLink() ? foreign : foreign || (found.mode & 0o022) !== 0)
      throw new AgentError(
        "run_folder",
        `${folder} can be changed by others, so sockets in it could be theirs`,
        `chown ${uid} ${folder} && chmod 0755 ${folder}`,
      );
  } catch (error) {
    if (error instanceof AgentError) throw error;
    throw new AgentError(
      "run_folder",
      `the folder for the sockets, ${folder}, can't be made or looked at: ${systemWords(error)}`,
      `ls -ld ${dirname(folder)} ${folder}  # or name a folder of your own: run_dir = "…" below [agent]`,
      { cause: error },
    );
  }
}

/**
 * Make sure that nothing alive is at `path`.
 * @throws AgentError `already_running`, `socket_path` (too long, no socket, not ours to look at)
 */
export async function refuseLiving(path: string): Promise<void> {
  if (
    Buffer.byteLength(join(dirname(path), ".sock-XXXXXX", "s")) > MAX_PATH ||
    Buffer.byteLength(path) > MAX_PATH
  )
    throw new AgentError(
      "socket_path",
      `${path} is too long for a socket (${MAX_PATH} bytes)`,
      'write run_dir = "/run/foundry-agent" below [agent], or another folder with a shorter name',
    );
  const code = isAbsent(path) ? "ENOENT" : await probe(path);
  if (code === "ENOENT") return;
  if (code === "ECONNREFUSED") {
    if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== false) return;
    throw new AgentError(
      "socket_path",
      `${path} is there but is no socket; it is not replaced`,
      `ls -l ${path}  # see what it is, and move it away`,
    );
  }
  if (code === "connected" || code === "EAGAIN" || code === "timeout")
    throw new AgentError(
      "already_running",
      `another foundry-agent answers on ${path}`,
      "foundry-agent status",
    );
  throw new AgentError("socket_path", `${path} can't be looked at: ${wordsOf(code)}`, `ls -l ${path}`);
}

/** Nothing is there, as after every orderly stop: no need to knock. */
function isAbsent(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false; // the probe finds out why
  }
}

/** "connected", "timeout", or the code of why not. A stopped daemon's backlog still takes connections. */
function probe(path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const done = (answer: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(done, PROBE_MS, "timeout");
    socket.once("connect", () => done("connected"));
    socket.once("error", (error) => done(errorCode(error)));
  });
}

export interface SocketFile {
  /** Remove it, unless another daemon's is there by now. */
  remove(): void;
}

/**
 * Let `server` listen at `path`; what is there is replaced (ask refuseLiving before).
 * @param gid group to give it to, or null for our own
 */
export async function listenAt(
  server: Server,
  path: string,
  mode: number,
  gid: number | null,
): Promise<SocketFile> {
  const own = mkdtempSync(join(dirname(path), ".sock-"));
  const bound = join(own, "s");
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ path: bound, backlog: 64 }, () => {
        server.off("error", reject);
        resolve();
      });
    });
    if (gid !== null) chownSync(bound, -1, gid);
    chmodSync(bound, mode);
    const { ino, dev } = statSync(bound);
    renameSync(bound, path);
    let isOurs = true;
    return {
      remove() {
        // Once: as soon as nobody listens at it, its number may be another file's.
        if (!isOurs) return;
        isOurs = false;
        const now = lstatSync(path, { throwIfNoEntry: false });
        if (now?.ino === ino && now.dev === dev) rmSync(path, { force: true });
      },
    };
  } catch (error) {
    server.close();
    throw new AgentError(
      "socket_path",
      `the socket ${path} can't be made: ${systemWords(error)}`,
      `ls -ld ${dirname(path)}`,
      {
        cause: error,
      },
    );
  } finally {
    // An empty folder that stays harms nobody, and must not change what came of it.
    try {
      rmSync(bound, { force: true });
      rmdirSync(own);
    } catch {}
  }
}

/** A group's id from /etc/group, or null. (Groups of a directory service are given as `adminGid`.) */
export function groupId(name: string, groups = "/etc/group"): number | null {
  let text: string;
  try {
    text = readFileSync(groups, "utf8");
  } catch {
    return null; // no such file: no such group
  }
  for (const line of text.split("\n")) {
    const [found, , gid] = line.split(":");
    if (found === name && gid !== undefined && /^\d+$/.test(gid)) return Number(gid);
  }
  return null;
}

/** Whether this process may give a file of its own to a group: root, or a member of it. */
export function mayGiveTo(gid: number): boolean {
  return (
    process.geteuid?.() === 0 || process.getegid?.() === gid || (process.getgroups?.() ?? []).includes(gid)
  );
}
