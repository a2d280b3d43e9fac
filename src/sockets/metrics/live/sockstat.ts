/** Sockets in use and the memory they hold: /proc/net/sockstat and sockstat6. */
import type { Metric } from "../../../collectors/collector.ts";
import type { Files } from "../../../system/files.ts";
import type { Reader } from "./reader.ts";

/** `TCP_inuse` → how many; memory of TCP and UDP also in bytes. */
export type SocketCounts = ReadonlyMap<string, number>;

/** Of each protocol what the kernel tells (net/ipv4/proc.c, net/ipv6/proc.c). */
const SHOWN: Readonly<Record<string, string>> = {
  sockets: "used",
  TCP: "inuse orphan tw alloc mem mem_bytes",
  UDP: "inuse mem mem_bytes",
  UDPLITE: "inuse",
  RAW: "inuse",
  FRAG: "inuse memory",
  TCP6: "inuse",
  UDP6: "inuse",
  UDPLITE6: "inuse",
  RAW6: "inuse",
  FRAG6: "inuse memory",
};

/** Pure. `TCP: inuse 3 orphan 0 …` @param pageBytes null: not known, so no bytes */
export function parseSockstat(text: string, pageBytes: number | null): SocketCounts {
  const found = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [protocol = "", rest = ""] = line.split(/:\s*/, 2);
    const words = rest.trim().split(/\s+/);
    for (let at = 0; at + 1 < words.length; at += 2) {
      const value = words[at + 1] ?? "";
      if (!/^\d{1,15}$/.test(value)) continue;
      found.set(`${protocol}_${words[at]}`, Number(value));
      if (words[at] === "mem" && pageBytes !== null)
        found.set(`${protocol}_mem_bytes`, Number(value) * pageBytes);
    }
  }
  return found;
}

/** AT_PAGESZ of the auxiliary vector, which the kernel gives each process: pairs of 64-bit numbers. Pure. */
export function pageBytesOf(auxv: Uint8Array): number | null {
  const view = new DataView(auxv.buffer, auxv.byteOffset, auxv.byteLength);
  for (let at = 0; at + 16 <= auxv.length; at += 16) {
    const value = Number(view.getBigUint64(at + 8, true));
    if (view.getBigUint64(at, true) === 6n) return value >= 4096 && value <= 2 ** 20 ? value : null;
  }
  return null;
}

export function sockstatReader(): Reader<SocketCounts> {
  let pageBytes: number | null | undefined;
  return {
    name: "sockstat",
    section: "network",
    read({ text, files }) {
      if (pageBytes === undefined) pageBytes = readPageBytes(files);
      const found = new Map([
        ...parseSockstat(text("/proc/net/sockstat"), pageBytes),
        ...parseSockstat(text("/proc/net/sockstat6"), pageBytes),
      ]);
      return found.size === 0 ? null : found;
    },
    metrics: Object.entries(SHOWN).flatMap(([protocol, names]) =>
      names.split(" ").map((name) => family(protocol, name)),
    ),
  };
}

function readPageBytes(files: Files): number | null {
  try {
    return pageBytesOf(files.bytes("/proc/self/auxv", 4096));
  } catch {
    return null;
  }
}

function family(protocol: string, name: string): Metric<SocketCounts> {
  return {
    name: `node_sockstat_${protocol}_${name}`,
    help: `Number of ${protocol} sockets in state ${name}.`,
    type: "gauge",
    *samples(counts) {
      const value = counts.get(`${protocol}_${name}`);
      if (value !== undefined) yield { value };
    },
  };
}
