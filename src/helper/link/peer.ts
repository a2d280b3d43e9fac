/**
 * Who may be served: the user of the main process, and root. The socket's own mode (0600) is what keeps everybody
 * else out; the kernel's word on who is connected is a second lock, where it can be had (node:ffi).
 */
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import type { Native, PeerCredentials } from "../../system/native.ts";

const AGENT_USER = "foundry-agent";

/** Uids that are served: root's and that of the user foundry-agent, if this host has one. */
export function agentUids(passwd = "/etc/passwd"): ReadonlySet<number> {
  const served = new Set([0]);
  let text = "";
  try {
    text = readFileSync(passwd, "utf8");
  } catch {
    return served; // no such file: no such user
  }
  for (const line of text.split("\n")) {
    const [name, , uid] = line.split(":");
    if (name === AGENT_USER && uid !== undefined && /^\d{1,10}$/.test(uid)) served.add(Number(uid));
  }
  return served;
}

/** The client of an accepted connection, or null where the kernel's word can't be had. */
export function peerOf(socket: Socket, native: Native | null): PeerCredentials | null {
  // Node has no public way to the descriptor; without it there is just no second lock.
  const { _handle: handle } = socket as { _handle?: { fd?: number } | null };
  return native === null || typeof handle?.fd !== "number" || handle.fd < 0
    ? null
    : native.peerCredentials(handle.fd);
}
