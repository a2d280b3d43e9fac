/**
 * What an idle node sends and writes, normal and metered, over long enough to see the slow things (lazy writes
 * are every 15 min): counted on the wire by a proxy, on the disk by /proc/PID/io and, where strace is
 * installed, fsync by fsync. What happens once at the start is shown apart and not scaled up.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bench, kilobytes, type Part, type Row } from "./bench-types.ts";
import { countingProxy } from "./counting-proxy.ts";
import { startAgent, startSandbox } from "./daemons.ts";
import { wait, writtenBytesOf } from "./figures.ts";

/** Between the start and the counting: registration, first full report, what follows from it. */
const SETTLE_MS = 65_000;
const HOUR_S = 3_600;
const MONTH_H = 24 * 30;
/** Metered rounds are an hour apart by default; measured at the floor, so that there are some. */
const METERED_ROUND_S = 900;

interface Count {
  readonly requests: number;
  readonly connections: number;
  readonly bytes: number;
  readonly diskBytes: number;
  /** NaN without strace. */
  readonly fsyncs: number;
}

interface Counted {
  readonly first: Count;
  readonly steady: Count;
}

async function count(bench: Bench, toml: (control: string) => string, seconds: number): Promise<Counted> {
  // One each: a sandbox would take the second agent on this machine for a copy of the first.
  await using sandbox = await startSandbox(bench);
  await using proxy = await countingProxy(sandbox.url);
  const traced = spawnSync("strace", ["-V"], { stdio: "ignore" }).status === 0;
  const trace = join(tmpdir(), `foundry-bench-${process.pid}-${new URL(proxy.url).port}.strace`);
  const wrapper = traced ? ["strace", "-f", "-qq", "-e", "trace=fsync,fdatasync", "-o", trace] : [];
  const control = `url = "${proxy.url}"\nca_file = "${proxy.caFile}"\n`;
  await using agent = await startAgent(bench, toml(control), wrapper);
  await agent.control("POST", "/v1/enroll", { key: sandbox.testKey });
  await agent.control("POST", "/v1/sync");
  await wait(SETTLE_MS);
  const now = (): Count => ({
    requests: proxy.requests(),
    connections: proxy.connections(),
    bytes: proxy.bytes(),
    diskBytes: writtenBytesOf(agent.pid),
    fsyncs: traced ? (readFileSync(trace, "latin1").match(/sync\(/g) ?? []).length : Number.NaN,
  });
  const first = now();
  await wait(seconds * 1000);
  const last = now();
  rmSync(trace, { force: true });
  const steady = Object.fromEntries(
    Object.entries(last).map(([key, value]) => [key, value - first[key as keyof Count]]),
  ) as unknown as Count;
  return { first, steady };
}

function row(what: string, ours: string, target = ""): Row {
  return { what, ours, peer: "", target };
}

function writes(count: Count, times = 1): string {
  const fsyncs = Number.isNaN(count.fsyncs)
    ? "fsyncs not counted (needs strace)"
    : `${Math.round(count.fsyncs * times)} fsyncs`;
  return `${kilobytes(count.diskBytes * times)}, ${fsyncs}`;
}

export const traffic: Part = {
  name: "traffic",
  async run(bench: Bench): Promise<Row[]> {
    // Two metered rounds and two lazy writes.
    const seconds = bench.quick ? 130 : 35 * 60;
    bench.say(`counting traffic and writes of two idle agents for ${seconds} s`);
    const [normal, metered] = await Promise.all([
      count(bench, (control) => `[nodefoundry]\n${control}`, seconds),
      count(
        bench,
        (control) =>
          `[network]\nprofile = "metered"\n[nodefoundry]\n${control}interval_s = ${METERED_ROUND_S}\n`,
        seconds,
      ),
    ]);
    const hours = seconds / HOUR_S;
    const { requests, connections, bytes } = normal.steady;
    const eachMetered = metered.steady.bytes / metered.steady.requests;
    return [
      row(
        "registration and first report",
        `${normal.first.requests} requests, ${kilobytes(normal.first.bytes)}`,
      ),
      row(`idle ${seconds} s: requests an hour`, (requests / hours).toFixed(0), "≤ 60"),
      row(
        `idle ${seconds} s: a request, both ways, with TLS`,
        `${kilobytes(bytes / requests)}, ${connections} connections for ${requests}`,
        "≤ 2 KiB",
      ),
      row(
        `idle ${seconds} s: an hour, a month`,
        `${kilobytes(bytes / hours)}, ${kilobytes((bytes / hours) * MONTH_H)}`,
      ),
      row(
        "metered: a request, both ways, with TLS",
        metered.steady.requests === 0
          ? "none came in this time"
          : `${kilobytes(eachMetered)} (${metered.steady.requests} seen)`,
      ),
      row(
        "metered: a month at one an hour",
        metered.steady.requests === 0 ? "" : kilobytes(eachMetered * MONTH_H),
        "≤ 3 MB",
      ),
      row("written in the first minute of a new node", writes(normal.first)),
      row("written a day when idle", writes(normal.steady, 24 / hours), "≤ 5 MiB"),
    ];
  },
};
