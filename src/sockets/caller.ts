/** Who is on the other side of control.sock, as the kernel says: it stands in the journal beside what they asked for. */
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { peerOf } from "../helper/link/peer.ts";
import type { Native } from "../system/native.ts";

export interface SocketCaller {
  /** -1: not known. */
  readonly uid: number;
  readonly name: string;
}

const UNKNOWN: SocketCaller = { uid: -1, name: "unknown" };

/**
 * @param native null where the kernel can't be asked: then the caller is "unknown", since the socket's mode and
 * group have decided already that they may
 */
export function socketCaller(socket: Socket, native: Native | null, passwd = "/etc/passwd"): SocketCaller {
  const peer = peerOf(socket, native);
  return peer === null || peer.uid < 0 ? UNKNOWN : { uid: peer.uid, name: userName(peer.uid, passwd) };
}

/** `uid 1234` for a user that only a directory service knows. */
function userName(uid: number, passwd: string): string {
  let text = "";
  try {
    text = readFileSync(passwd, "utf8");
  } catch {
    // no such file: a user without a name
  }
  for (const line of text.split("\n")) {
    const [name, , number] = line.split(":");
    if (number === String(uid) && name !== undefined && /^[\w.@+-]{1,64}\$?$/.test(name)) return name;
  }
  return `uid ${uid}`;
}
