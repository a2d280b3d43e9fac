/** What the kernel's network says at a scrape: protocols, sockets, packets by CPU, tracked connections. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseConntrackStats } from "../../../../src/sockets/metrics/live/conntrack.ts";
import { openLive } from "../../../../src/sockets/metrics/live/live.ts";
import { parseCounters6, parseProtocolCounters } from "../../../../src/sockets/metrics/live/netstat.ts";
import { pageBytesOf, parseSockstat } from "../../../../src/sockets/metrics/live/sockstat.ts";
import { parseSoftnet } from "../../../../src/sockets/metrics/live/softnet.ts";
import { hostMachine } from "../../../../src/system/machine.ts";
import { forAll } from "../../../support/for-all.ts";
import { treeMachine } from "../../../support/machine/tree.ts";

function lines(files: Record<string, string | { base64: string }>): string[] {
  const { families, failed } = openLive(treeMachine({ files }))(new Set(["network"]));
  expect(failed).toEqual([]);
  return [...families]
    .filter(([name]) => name.startsWith("node_"))
    .flatMap(([, family]) => [...family.lines.values()])
    .map((line) => line.trim());
}

test("protocols, as node_exporter names them", () => {
  const found = lines({
    "/proc/net/snmp":
      "Ip: Forwarding DefaultTTL\nIp: 1 64\nTcp: RtoAlgorithm MaxConn RetransSegs CurrEstab\nTcp: 1 -1 4711 12\n",
    "/proc/net/netstat": "TcpExt: SyncookiesSent ListenDrops\nTcpExt: 1 7\nIpExt: InOctets\nIpExt: 9000\n",
    "/proc/net/snmp6": "Ip6InOctets                     \t77\nUdp6RcvbufErrors\t3\n",
  });
  expect(found).toEqual([
    "node_netstat_Ip_Forwarding 1",
    "node_netstat_Ip6_InOctets 77",
    "node_netstat_IpExt_InOctets 9000",
    "node_netstat_Tcp_CurrEstab 12",
    "node_netstat_Tcp_RetransSegs 4711",
    "node_netstat_TcpExt_ListenDrops 7",
    "node_netstat_TcpExt_SyncookiesSent 1",
    "node_netstat_Udp6_RcvbufErrors 3",
  ]);
});

test("sockets in use, and their memory in pages and bytes", () => {
  const auxv = Buffer.alloc(64);
  auxv.writeBigUInt64LE(33n, 0);
  auxv.writeBigUInt64LE(6n, 16);
  auxv.writeBigUInt64LE(16_384n, 24);
  const found = lines({
    "/proc/self/auxv": { base64: auxv.toString("base64") },
    "/proc/net/sockstat":
      "sockets: used 229\nTCP: inuse 4 orphan 0 tw 4 alloc 17 mem 1\nUDP: inuse 0 mem 3\nFRAG: inuse 0 memory 0\n",
    "/proc/net/sockstat6": "TCP6: inuse 17\n",
  });
  expect(found).toContain("node_sockstat_sockets_used 229");
  expect(found).toContain("node_sockstat_TCP_mem 1");
  expect(found).toContain("node_sockstat_TCP_mem_bytes 16384");
  expect(found).toContain("node_sockstat_UDP_mem_bytes 49152");
  expect(found).toContain("node_sockstat_TCP6_inuse 17");
});

test("packets by CPU: of a kernel that names it, and of one that has nine columns", () => {
  const now = "00015c73 00000001 0000000a 0 0 0 0 0 00000000 00000002 00000003 00000004 00000007 0 0";
  const wide = now.replaceAll(/\b0\b/g, "00000000");
  const found = lines({ "/proc/net/softnet_stat": `${wide}\n` });
  expect(found).toEqual([
    'node_softnet_processed_total{cpu="7"} 89203',
    'node_softnet_dropped_total{cpu="7"} 1',
    'node_softnet_times_squeezed_total{cpu="7"} 10',
    'node_softnet_cpu_collision_total{cpu="7"} 0',
    'node_softnet_received_rps_total{cpu="7"} 2',
    'node_softnet_flow_limit_count_total{cpu="7"} 3',
    'node_softnet_backlog_len{cpu="7"} 4',
  ]);
  const old = "00000002 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000\n".repeat(2);
  expect(parseSoftnet(old).map(({ cpu }) => cpu)).toEqual(["0", "1"]);
});

test("tracked connections and their limit; without the module nothing", () => {
  const found = lines({
    "/proc/sys/net/netfilter/nf_conntrack_count": "123\n",
    "/proc/sys/net/netfilter/nf_conntrack_max": "262144\n",
    "/proc/net/stat/nf_conntrack":
      "entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop icmp_error  expect_new expect_create expect_delete search_restart\n" +
      "0000007b  00000000 00000000 00000000 00000010 00000000 00000000 00000001 00000000 00000002 00000003 00000004 00000000  00000000 00000000 00000000 00000005\n".repeat(
        2,
      ),
  });
  expect(found).toContain("node_nf_conntrack_entries 123");
  expect(found).toContain("node_nf_conntrack_entries_limit 262144");
  expect(found).toContain("node_nf_conntrack_stat_invalid 32");
  expect(found).toContain("node_nf_conntrack_stat_drop 6");
  expect(found).toContain("node_nf_conntrack_stat_search_restart 10");
  expect(lines({ "/proc/sys/net/netfilter/nf_conntrack_max": "5\n" })).toEqual([]);
});

test("this machine has them", () => {
  const { families, failed } = openLive(hostMachine())(new Set(["network"]));
  expect(failed).toEqual([]);
  for (const name of [
    "node_netstat_Tcp_RetransSegs",
    "node_sockstat_sockets_used",
    "node_sockstat_TCP_mem_bytes",
  ])
    expect(families.get(name)?.lines.size, name).toBe(1);
  expect(families.get("node_softnet_processed_total")?.lines.size).toBeGreaterThan(0);
});

test("no text whatever makes them throw", () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom("Tcp:", "TCP:", "inuse", "1", "-1", "00000010", "\n", "entries", "Ip6In 3"),
  );
  const text = fc.array(word, { maxLength: 40 }).map((words) => words.join(" "));
  forAll(
    fc.property(text, fc.uint8Array({ maxLength: 100 }), (one, bytes) => {
      for (const value of [
        ...parseProtocolCounters(one).values(),
        ...parseCounters6(one).values(),
        ...parseSockstat(one, 4096).values(),
        ...parseConntrackStats(one).values(),
        ...parseSoftnet(one).flatMap(({ values }) => values),
      ])
        expect(Number.isFinite(value)).toBe(true);
      pageBytesOf(bytes);
    }),
    { seed: 5, cases: 1000 },
  );
});
