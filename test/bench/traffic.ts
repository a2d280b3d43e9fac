/**
 * What an idle node sends and writes, normal and metered, over long enough to see the slow things
 * (lazy writes are every 15 min): counted on the wire by a proxy, on the disk by /proc/PID/io and, where
 * strace is installed, fsync by fsync. What happens once at the start is not scaled up to a day.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Bench, kilobytes, type Part, type Row } from "./bench-types.ts";
import { type CountingProxy, countingProxy } from "./counting-proxy.ts";
import { type RunningSandbox, startAgent, startSandbox } from "./daemons.ts";
import { wait, writtenBytesOf } from "./figures.ts";

/** Between the start and the counting: registration and first full report. */
const SETTLE_MS = 5_000;
const HOUR_S = 3_600;
const MONTH_H = 24 * 30;

interface Counted {
  readonly seconds: number;
  readonly requests: number;
  readonly bytes: number;
  readonly diskBytes: number;
  readonly fsyncs: number | null;
  readonly first: {
    readonly requests: number;
    readonly bytes: number;
    readonly diskBytes: number;
    readonly fsyncs: number | null;
  };
}

async function count(bench: Bench, toml: string, seconds: number): Promise<Counted> {
  // One each: a sandbox would take the second agent on this machine for a copy of the first.
  await using sandbox: RunningSandbox = await startSandbox(bench);
  await using proxy: CountingProxy = await countingProxy(sandbox.url);
  const traced = spawnSync("strace", ["-V"], { stdio: "ignore" }).status === 0;
  const trace = join(
    process.env.TMPDIR ?? "/tmp",
    `foundry-bench-${process.pid}-${proxy.url.split(":")[2]}.strace`,
  );
  const wrapper = traced
    ? ["strace", "-f", "-qq", "-e", "trace=fsync,fdatasync,sync_file_range", "-o", trace]
    : [];
  await using agent = await startAgent(bench, `${toml}[nodefoundry]\nurl = "${proxy.url}"\n`, wrapper);
  await agent.control("POST", "/v1/enroll", { key: sandbox.testKey });
  await agent.control("POST", "/v1/sync");
  await wait(SETTLE_MS);
  const fsyncs = (): number | null =>
    traced ? (readFileSync(trace, "latin1").match(/f(?:data)?sync\(/g) ?? []).length : null;
  const now = () => ({
    requests: proxy.requests(),
    bytes: proxy.sentBytes() + proxy.receivedBytes(),
    diskBytes: writtenBytesOf(agent.pid),
    fsyncs: fsyncs(),
  });
  const first = now();
  await wait(seconds * 1000);
  const last = now();
  return {
    seconds,
    first,
    requests: last.requests - first.requests,
    bytes: last.bytes - first.bytes,
    diskBytes: last.diskBytes - first.diskBytes,
    fsyncs: last.fsyncs === null || first.fsyncs === null ? null : last.fsyncs - first.fsyncs,
  };
}

function network(label: string, counted: Counted, targets: { requests: string; month: string }): Row[] {
  const perHour = HOUR_S / counted.seconds;
  const each = counted.requests === 0 ? 0 : counted.bytes / counted.requests;
  return [
    {
      what: `${label}: registration and first report`,
      ours: `${counted.first.requests} requests, ${kilobytes(counted.first.bytes)}`,
      peer: "",
      target: "",
    },
    {
      what: `${label}: requests an hour, each`,
      ours: `${(counted.requests * perHour).toFixed(0)}, ${kilobytes(each)} both ways`,
      peer: "",
      target: targets.requests,
    },
    {
      what: `${label}: bytes an hour, a month`,
      ours: `${kilobytes(counted.bytes * perHour)}, ${kilobytes(counted.bytes * perHour * MONTH_H)}`,
      peer: "",
      target: targets.month,
    },
  ];
}

export const traffic: Part = {
  name: "traffic",
  async run(bench: Bench): Promise<Row[]> {
    // Metered rounds are 15 min apart: two of them, and two lazy writes.
    const seconds = bench.quick ? 130 : 35 * 60;
    bench.say(`counting traffic and writes of two idle agents for ${seconds} s`);
    const [normal, metered] = await Promise.all([
      count(bench, "", seconds),
      count(bench, '[network]\nprofile = "metered"\n', seconds),
    ]);
    const perDay = (24 * HOUR_S) / seconds;
    const fsyncs = (value: number | null, times: number): string =>
      value === null ? "fsyncs not counted (needs strace)" : `${(value * times).toFixed(0)} fsyncs`;
    return [
      ...network(`idle, ${seconds} s`, normal, { requests: "≤ 60, ≤ 2 KiB", month: "" }),
      ...network(`metered, ${seconds} s`, metered, { requests: "", month: "≤ 3 MB" }),
      {
        what: "written at the first start",
        ours: `${kilobytes(normal.first.diskBytes)}, ${fsyncs(normal.first.fsyncs, 1)}`,
        peer: "",
        target: "",
      },
      {
        what: "written a day when idle",
        ours: `${kilobytes(normal.diskBytes * perDay)}, ${fsyncs(normal.fsyncs, perDay)}`,
        peer: "",
        target: "≤ 5 MiB",
      },
    ];
  },
};
