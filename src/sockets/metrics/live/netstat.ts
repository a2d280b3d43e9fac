/** Counters of the protocols: /proc/net/snmp and netstat (a line of names, a line of values each), snmp6 (a line each). */
import type { Metric } from "../../../collectors/collector.ts";
import type { Reader } from "./reader.ts";

/** `Tcp_RetransSegs` → how often. */
export type ProtocolCounters = ReadonlyMap<string, number>;

/** Those that node_exporter shows unless it is told otherwise (collector/netstat_linux.go). */
const SHOWN: Readonly<Record<string, string>> = {
  Icmp: "InErrors InMsgs OutMsgs",
  Icmp6: "InErrors InMsgs OutMsgs",
  Ip: "Forwarding",
  Ip6: "InOctets OutOctets",
  IpExt: "InOctets OutOctets",
  Tcp: "ActiveOpens CurrEstab InErrs InSegs OutRsts OutSegs PassiveOpens RetransSegs",
  TcpExt:
    "ListenDrops ListenOverflows SyncookiesFailed SyncookiesRecv SyncookiesSent TCPOFOQueue TCPRcvQDrop TCPSynRetrans TCPTimeouts",
  Udp: "InDatagrams InErrors NoPorts OutDatagrams RcvbufErrors SndbufErrors",
  Udp6: "InDatagrams InErrors NoPorts OutDatagrams RcvbufErrors SndbufErrors",
  UdpLite: "InErrors",
  UdpLite6: "InErrors",
};

/** Pure. Pairs of lines, `Tcp: A B` and `Tcp: 1 2`; what is no such pair is passed over. */
export function parseProtocolCounters(text: string): ProtocolCounters {
  const found = new Map<string, number>();
  const lines = text.split("\n");
  for (let at = 0; at + 1 < lines.length; at++) {
    const [names, values] = [lines[at] ?? "", lines[at + 1] ?? ""].map((line) => line.trim().split(/\s+/));
    const protocol = /^(\w+):$/.exec(names?.[0] ?? "")?.[1];
    if (protocol === undefined || values?.[0] !== names?.[0] || values?.length !== names?.length) continue;
    for (const [index, name] of (names ?? []).entries())
      if (index > 0) add(found, `${protocol}_${name}`, values?.[index]);
    at++;
  }
  return found;
}

/** Pure. `Udp6InErrors  3`: up to the first 6 is the protocol. */
export function parseCounters6(text: string): ProtocolCounters {
  const found = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, protocol, name, value] = /^([A-Za-z]+6)(\w+)\s+(\d+)$/.exec(line.trim()) ?? [];
    if (protocol !== undefined) add(found, `${protocol}_${name}`, value);
  }
  return found;
}

/** Some are negative where there is no limit (Tcp_MaxConn). */
function add(found: Map<string, number>, name: string, text: string | undefined): void {
  if (text !== undefined && /^-?\d{1,20}$/.test(text)) found.set(name, Number(text));
}

export function netstatReader(): Reader<ProtocolCounters> {
  return {
    name: "netstat",
    section: "network",
    read({ text }) {
      const found = new Map([
        ...parseProtocolCounters(text("/proc/net/snmp")),
        ...parseProtocolCounters(text("/proc/net/netstat")),
        ...parseCounters6(text("/proc/net/snmp6")),
      ]);
      return found.size === 0 ? null : found;
    },
    metrics: Object.entries(SHOWN).flatMap(([protocol, names]) =>
      names.split(" ").map((name) => family(protocol, name)),
    ),
  };
}

function family(protocol: string, name: string): Metric<ProtocolCounters> {
  return {
    name: `node_netstat_${protocol}_${name}`,
    help: `Statistic ${protocol}${name}.`,
    type: "untyped",
    *samples(counters) {
      const value = counters.get(`${protocol}_${name}`);
      if (value !== undefined) yield { value };
    },
  };
}
