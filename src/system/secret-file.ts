/**
 * Secrets come from files only: a key for a control API, a bearer token, a proxy's password. A file that
 * other users may read is refused, with the line to type that mends it.
 *
 * systemd credentials are named `credential:NAME` (systemd.exec(5), LoadCredential=). Those and mounted
 * secrets of Kubernetes are symbolic links, so links are followed and the file at their end is checked:
 * opened once, and what was opened is what is judged and read.
 */

import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { AgentError, errorCode } from "../model/errors.ts";
import { shellWord } from "../model/text/shell-word.ts";

export const MAX_SECRET_BYTES = 64 * 1024;
const GROUP = "foundry-agent";

/** Who reads; given in tests. */
export interface SecretReader {
  readonly env: NodeJS.ProcessEnv;
  /** Effective uid of this process. */
  readonly uid: number;
}

/**
 * The path a configuration value names: itself, or the file of a systemd credential.
 * @throws AgentError `secret_missing` when this process was given no credentials
 */
export function secretPath(reference: string, env: NodeJS.ProcessEnv = process.env): string {
  const name = /^credential:([A-Za-z0-9_.-]+)$/.exec(reference)?.[1];
  if (name === undefined || /^\.+$/.test(name)) return reference;
  const { CREDENTIALS_DIRECTORY: folder } = env;
  if (folder?.startsWith("/")) return `${folder}/${name}`;
  throw new AgentError(
    "secret_missing",
    `the systemd credential ${name} was not given to this process`,
    `systemctl edit foundry-agent  # below [Service]: LoadCredential=${name}:/path/of/the/file`,
  );
}

/**
 * Content of a secret's file, trimmed: a regular file of at most 64 KiB, owned by root or by whom this
 * process runs as, closed to others (0640 root:foundry-agent, or 0600). Never blocks.
 * @param reference an absolute path or `credential:NAME`
 * @throws AgentError `secret_missing`, `secret_unreadable`, `secret_exposed`; the next step is a line to type
 */
export function readSecretFile(reference: string, reader: SecretReader = thisProcess()): string {
  const path = secretPath(reference, reader.env);
  let fd: number;
  try {
    // O_NONBLOCK: opening a FIFO must not wait for somebody who writes into it.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    throw notOpened(path, error, reader.uid);
  }
  try {
    const { mode, uid, size } = fstatSync(fd);
    if ((mode & constants.S_IFMT) !== constants.S_IFREG)
      throw unreadable(path, "is no regular file", `ls -lL ${shellWord(path)}`);
    refuseExposed(path, mode, uid, reader.uid);
    if (size > MAX_SECRET_BYTES)
      throw unreadable(
        path,
        `has ${size} bytes, a secret has at most ${MAX_SECRET_BYTES}`,
        `ls -lL ${shellWord(path)}`,
      );
    const text = readAll(fd, path);
    if (text === "")
      throw unreadable(path, "is empty", `${editCommand(path)}  # and paste the secret, then Ctrl-D`);
    return text;
  } finally {
    closeSync(fd);
  }
}

function thisProcess(): SecretReader {
  return { env: process.env, uid: process.geteuid?.() ?? 0 };
}

function refuseExposed(path: string, mode: number, owner: number, uid: number): void {
  if (owner !== 0 && owner !== uid)
    throw new AgentError(
      "secret_exposed",
      `${path} belongs to another user (uid ${owner}), who can read and change it`,
      mend(path, uid),
    );
  if ((mode & 0o007) !== 0)
    throw new AgentError("secret_exposed", `every user of this host can reach ${path}`, mend(path, uid));
  if ((mode & 0o020) !== 0)
    throw new AgentError(
      "secret_exposed",
      `a group can write ${path}, expected its owner only`,
      mend(path, uid),
    );
}

/** The service's own group exists where it is installed: for what is elsewhere nobody can be told to name it. */
function isServices(path: string): boolean {
  return path.startsWith("/etc/");
}

/** The exact line that makes the file right for whom this process runs as. */
function mend(path: string, uid: number): string {
  const word = shellWord(path);
  return isServices(path)
    ? `chown root:${GROUP} ${word} && chmod 0640 ${word}`
    : `chown ${uid} ${word} && chmod 0600 ${word}`;
}

function notOpened(path: string, error: unknown, uid: number): AgentError {
  const code = errorCode(error);
  const cause = { cause: error };
  if (code === "ENOENT" || code === "ENOTDIR")
    return new AgentError(
      "secret_missing",
      `${path} does not exist`,
      `${editCommand(path)}  # and paste the secret, then Ctrl-D`,
      cause,
    );
  if (code === "EACCES" || code === "EPERM")
    return new AgentError(
      "secret_unreadable",
      `${path} may not be read by uid ${uid}`,
      mend(path, uid),
      cause,
    );
  return unreadable(path, `can't be opened (${code})`, `ls -lL ${shellWord(path)}`, error);
}

function unreadable(path: string, what: string, nextStep: string, cause?: unknown): AgentError {
  return new AgentError("secret_unreadable", `${path} ${what}`, nextStep, { cause });
}

function editCommand(path: string): string {
  const mode = isServices(path) ? `0640 -g ${GROUP}` : "0600";
  return `install -m ${mode} /dev/stdin ${shellWord(path)}`;
}

function readAll(fd: number, path: string): string {
  const buffer = Buffer.alloc(MAX_SECRET_BYTES + 1);
  let length = 0;
  try {
    for (let got = -1; got !== 0 && length < buffer.length; length += got)
      got = readSync(fd, buffer, length, buffer.length - length, null);
  } catch (error) {
    throw unreadable(path, `can't be read (${errorCode(error)})`, `ls -lL ${shellWord(path)}`, error);
  }
  if (length > MAX_SECRET_BYTES) throw unreadable(path, "grew while it was read", "try again");
  const text = buffer.toString("utf8", 0, length).trim();
  buffer.fill(0);
  return text;
}
