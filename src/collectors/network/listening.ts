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
/** 1 700 listening sockets of 150 bytes. */
const MOST_BYTES = 256 * 1024;

/** null: neither file can be read. */
export function readListening(files: Files): Listening | null {
  const [four, six] = ["tcp", "tcp6"].map((name) => readWhole(files, `/proc/net/${name}`, MOST_BYTES));
  if (four === "" && six === "") return null;
  return listeningOf([...parseListening(four ?? ""), ...parseListening(six ?? "")]);
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

/** `   0: 00000000:0CE4 00000000:0000 0A …`, up to the first that does not listen; what was cut off is none. */
function parseListening(text: string): Socket[] {
  const found: Socket[] = [];
  for (const line of text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .slice(1)) {
    const [, address = "", port = "", state] =
      /^ *\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) /.exec(line) ??
      [];
    if (state === undefined) continue;
    if (state !== LISTEN) break;
    found.push({ port: Number.parseInt(port, 16), loopback: isLoopback(address) });
  }
  return found;
}

/** As the kernel prints them: words of 32 bits in the machine's own order, on all we run on the lowest byte first. */
function isLoopback(hex: string): boolean {
  return hex.length === 8
    ? hex.endsWith("7F")
    : hex === "00000000000000000000000001000000" || /^0{16}FFFF0000[0-9A-F]{6}7F$/.test(hex);
}
