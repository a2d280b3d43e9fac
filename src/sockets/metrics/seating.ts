/** Who may be connected to the listener for metrics, so that nobody keeps a scraper out. */
import type { Server } from "node:http";
import type { Socket } from "node:net";
import { openSeats, type Seat } from "../../helper/link/seats.ts";
import { addressKey } from "./address-key.ts";
import { openLoopbackUsers } from "./loopback-user.ts";

/** Connections of one user of this host or of one address (address-key.ts), and of all together. */
const CONNECTIONS = { each: 8, together: 32 };
/** Root, and whoever the agent runs as: they can end it anyhow, and must always get in. */
const PRIVILEGED: ReadonlySet<string> = new Set([0, process.geteuid?.() ?? 0].map(userKey));

export interface Seated {
  readonly connections: ReadonlySet<Socket>;
  /** Also by the socket that TLS lays over a connection. */
  seatOf(socket: Socket): Seat | undefined;
}

/**
 * Nobody keeps others out by connecting and then doing nothing, nor ends what another is being told: whoever has most
 * connections loses his own. On this host that is a user, as on the status socket, beyond it an address.
 */
export function seatConnections(server: Server): Seated {
  const seats = openSeats<string>({ ...CONNECTIONS, isPrivileged: (key) => PRIVILEGED.has(key) });
  const userOf = openLoopbackUsers();
  const connections = new Set<Socket>();
  const taken = new Map<string, Seat>();
  server.on("connection", (socket: Socket) => {
    const uid = userOf(socket);
    const key = uid === null ? addressKey(socket.remoteAddress ?? "") : userKey(uid);
    const seat = seats.take(key, () => void socket.destroy());
    if (seat === null) return void socket.destroy();
    const name = nameOf(socket);
    connections.add(socket);
    taken.set(name, seat);
    socket.once("close", () => {
      connections.delete(socket);
      // The same port may have come back already.
      if (taken.get(name) === seat) taken.delete(name);
      seat.leave();
    });
  });
  return { connections, seatOf: (socket) => taken.get(nameOf(socket)) };
}

function userKey(uid: number): string {
  return `user ${uid}`;
}

function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
