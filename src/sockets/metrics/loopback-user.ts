/**
 * Of which user a connection from this host is. TCP has no peer credentials, but the kernel's table of sockets has the
 * owner of the other end. The table is long on a host with many connections and is read for each new one, so the time
 * for it is bounded: beyond that nobody is told apart.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { isIPv6 } from "node:net";
import { isLoopback } from "../../model/config-key.ts";

/** The ends of one connection, as the server's socket has them. */
export interface Ends {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
}

const PIECE = 64 * 1024;
/** Bytes of a table; a row has 150. */
const MOST = 8 * 1024 * 1024;
/** Milliseconds that may be spent at once, and how many come back in a second. */
const BURST_MS = 200;
const A_SECOND_MS = 20;
const TABLES = ["/proc/net/tcp", "/proc/net/tcp6"] as const;

/** @param monotonic milliseconds; given in tests, as the tables are @returns the uid of the other end, or null: not known */
export function openLoopbackUsers({
  tables = TABLES,
  monotonic = () => performance.now(),
}: {
  tables?: readonly [string, string];
  monotonic?: () => number;
} = {}): (ends: Ends) => number | null {
  let left = BURST_MS;
  let at = monotonic();
  return (ends) => {
    const { remoteAddress = "", remotePort = 0, localAddress = "", localPort = 0 } = ends;
    if (!isLoopback(plain(remoteAddress))) return null;
    const started = monotonic();
    left = Math.min(BURST_MS, left + ((started - at) * A_SECOND_MS) / 1_000);
    at = started;
    if (left <= 0) return null;
    const found = uidOf(tables, [remoteAddress, remotePort], [localAddress, localPort]);
    left -= monotonic() - started;
    return found;
  };
}

type End = readonly [address: string, port: number];

/** Also one of IPv6 that reached an address of IPv4 is in the table of IPv6. */
function uidOf(tables: readonly [string, string], from: End, to: End): number | null {
  for (const [path, isSix] of [
    [tables[0], false],
    [tables[1], true],
  ] as const) {
    const [one, other] = [kernelEnd(from, isSix), kernelEnd(to, isSix)];
    const rest = one === null || other === null ? null : afterRow(path, ` ${one} ${other} `);
    // State, queues, timer and retransmissions stand before the uid.
    const uid = rest?.trim().split(/\s+/)[4];
    if (uid !== undefined && /^\d{1,10}$/.test(uid)) return Number(uid);
  }
  return null;
}

/** What follows `row` in its line; null: it is not there, or nobody may look. */
function afterRow(path: string, row: string): string | null {
  let fd = -1;
  try {
    fd = openSync(path, "r");
    const piece = Buffer.alloc(PIECE);
    let before = "";
    for (let read = 0; read < MOST; ) {
      const got = readSync(fd, piece, 0, PIECE, null);
      if (got === 0) return null;
      read += got;
      const text = before + piece.toString("latin1", 0, got);
      const start = text.indexOf(row);
      const end = start === -1 ? -1 : text.indexOf("\n", start);
      if (end !== -1) return text.slice(start + row.length, end);
      // A row may be cut in two.
      before = text.slice(text.lastIndexOf("\n") + 1);
    }
    return null;
  } catch {
    return null; // no such table: a kernel without IPv6, another system
  } finally {
    if (fd !== -1) closeSync(fd);
  }
}

/** As the kernel prints it: words of 32 bits in the byte order of the machine, which is little on all that are built for. */
function kernelEnd([address, port]: End, isSix: boolean): string | null {
  const words = isSix ? sixWords(address) : fourWord(plain(address));
  if (words === null) return null;
  return `${words}:${port.toString(16).toUpperCase().padStart(4, "0")}`;
}

function fourWord(address: string): string | null {
  const parts = address.split(".").map(Number);
  if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255))) return null;
  return parts
    .reverse()
    .map((part) => part.toString(16).toUpperCase().padStart(2, "0"))
    .join("");
}

/** Of what is on loopback only: ::1, and addresses of IPv4 in it. */
function sixWords(address: string): string | null {
  if (address === "::1") return `${"0".repeat(24)}01000000`;
  const four = fourWord(plain(address));
  return four === null ? null : `${"0".repeat(16)}FFFF0000${four}`;
}

function plain(address: string): string {
  return isIPv6(address) ? address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, "") : address;
}
