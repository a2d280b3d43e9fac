/**
 * Which of Ceph's ports somebody listens on: /proc/net/tcp and tcp6, where listening sockets come first, so that a node
 * with thousands of connections costs no more. Whose a socket is only root can tell, so ports are named, not daemons.
 */
import type { Files } from "../../system/files.ts";
import { readWhole } from "../linux/text.ts";
import type { Network } from "./schema.ts";

type Listening = NonNullable<Network["listening"]>;

/** docs.ceph.com: network configuration reference, cephadm, mgr modules, radosgw. */
const PORTS: Readonly<Record<number, string>> = {
  3300: "mon (msgr2)",
  6789: "mon (msgr1)",
  7480: "rgw",
  8080: "rgw or other HTTP",
  80: "rgw or other HTTP",
  443: "rgw or other HTTPS",
  8443: "mgr dashboard",
  9283: "mgr prometheus",
  8765: "mgr cephadm",
  9926: "ceph-exporter",
  2049: "nfs",
  5000: "iscsi gateway",
};
/** ms_bind_port_min and ms_bind_port_max: OSDs, MDSs and managers take what is free. */
const RANGE = { from: 6800, to: 7568 };
const LISTEN = "0A";
/** For 50, 400 and 1 700 listening sockets: what comes after them costs the kernel as much, and is not looked at. */
const BYTES = [8, 64, 256].map((kib) => kib * 1024);

/** The kernel walks its table of all connections for these files: a millisecond and more, however few there are. */
const HOLDS_MS = 300_000;

/** @returns what reads them, at most once in five minutes. `at`: monotonic, milliseconds; null: neither file can be read */
export function listeningReader(): (files: Files, at: number) => Listening | null {
  let last: { at: number; found: Listening | null } | null = null;
  return (files, at) => {
    if (last === null || at - last.at >= HOLDS_MS) last = { at, found: read(files) };
    return last.found;
  };
}

function read(files: Files): Listening | null {
  const found = ["tcp", "tcp6"].map((name) => readSockets(files, `/proc/net/${name}`));
  return found.every((sockets) => sockets === null) ? null : listeningOf(found.flatMap((all) => all ?? []));
}

function readSockets(files: Files, path: string): Socket[] | null {
  for (const bytes of BYTES) {
    const text = readWhole(files, path, bytes);
    if (text === "") return null;
    const { sockets, whole } = parseListening(text);
    if (whole || text.length < bytes || bytes === BYTES.at(-1)) return sockets;
  }
  return null;
}

function listeningOf(sockets: readonly Socket[]): Listening {
  const ports = new Map<number, boolean>();
  const ranged = new Set<number>();
  for (const { port, loopback } of sockets) {
    if (PORTS[port] !== undefined) ports.set(port, (ports.get(port) ?? true) && loopback);
    else if (port >= RANGE.from && port <= RANGE.to) ranged.add(port);
  }
  return {
    ports: [...ports]
      .sort(([a], [b]) => a - b)
      .map(([port, loopback_only]) => ({ port, usual: PORTS[port] ?? "", loopback_only })),
    osd_range: ranged.size,
  };
}

interface Socket {
  readonly port: number;
  readonly loopback: boolean;
}

/** `   0: 00000000:0CE4 00000000:0000 0A …`, whole up to the first that does not listen; what was cut off is none. */
function parseListening(text: string): { sockets: Socket[]; whole: boolean } {
  const sockets: Socket[] = [];
  for (const line of text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .slice(1)) {
    const [, address = "", port = "", state] =
      /^ *\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) /.exec(line) ??
      [];
    if (state === undefined) continue;
    if (state !== LISTEN) return { sockets, whole: true };
    sockets.push({ port: Number.parseInt(port, 16), loopback: isLoopback(address) });
  }
  return { sockets, whole: false };
}

/** As the kernel prints them: words of 32 bits in the machine's own order, on all we run on the lowest byte first. */
function isLoopback(hex: string): boolean {
  return hex.length === 8
    ? hex.endsWith("7F")
    : hex === "00000000000000000000000001000000" || /^0{16}FFFF0000[0-9A-F]{6}7F$/.test(hex);
}
