/**
 * Memory and CPU over time: idle at the default intervals against the sandbox, then one cycle a second.
 * node_exporter runs beside it, scraped every 15 s (Prometheus' usual interval), then every second.
 *
 * Watching begins when both have settled: starting, registering and the first full report have rows of their own.
 */
import { allCollectors } from "../../src/collectors/index.ts";
import { type Bench, megabytes, type Part, type Row } from "./bench-types.ts";
import {
  type RunningAgent,
  type RunningExporter,
  startAgent,
  startExporter,
  startSandbox,
} from "./daemons.ts";
import { cpuMsOf, type Memory, median, memoryOf, wait } from "./figures.ts";

const SETTLE_MS = 30_000;

interface Course {
  /** One a second. */
  readonly samples: readonly Memory[];
  readonly cpuMs: number;
}

/** Watch a process for some seconds. */
async function watch(pid: number, seconds: number, eachSecond: (second: number) => unknown): Promise<Course> {
  const samples: Memory[] = [];
  const before = cpuMsOf(pid);
  for (let second = 1; second <= seconds; second++) {
    await wait(1000);
    await eachSecond(second);
    samples.push(memoryOf(pid));
  }
  return { samples, cpuMs: cpuMsOf(pid) - before };
}

function rows(
  label: string,
  ours: Course,
  peer: Course | null,
  targets: { rss: string; dirty: string; cpu: string },
): Row[] {
  // The last quarter is the steady state; the middle of it, and the most in it.
  const late = (course: Course): readonly Memory[] =>
    course.samples.slice(-Math.ceil(course.samples.length / 4));
  const show = (course: Course | null, key: keyof Memory): string => {
    if (course === null) return "";
    const values = late(course).map((sample) => sample[key]);
    return `${megabytes(median(values))} (max ${megabytes(Math.max(...values))})`;
  };
  const cpu = (course: Course | null): string =>
    course === null ? "" : `${(course.cpuMs / 1000).toFixed(2)} s`;
  return [
    { what: `${label}: RSS`, ours: show(ours, "rssKb"), peer: show(peer, "rssKb"), target: targets.rss },
    { what: `${label}: PSS`, ours: show(ours, "pssKb"), peer: show(peer, "pssKb"), target: "" },
    {
      what: `${label}: private dirty`,
      ours: show(ours, "privateDirtyKb"),
      peer: show(peer, "privateDirtyKb"),
      target: targets.dirty,
    },
    { what: `${label}: CPU`, ours: cpu(ours), peer: cpu(peer), target: targets.cpu },
  ];
}

/** The course of RSS in ten steps: flat is what it should be. */
function trend(label: string, course: Course): Row {
  const step = Math.max(1, Math.floor(course.samples.length / 10));
  const parts = Array.from({ length: 10 }, (_, index) =>
    course.samples.slice(index * step, (index + 1) * step),
  );
  const shown = parts
    .filter((part) => part.length > 0)
    .map((part) => (median(part.map((sample) => sample.rssKb)) / 1024).toFixed(0));
  return { what: `${label}: RSS in tenths of the time`, ours: shown.join(" "), peer: "", target: "flat" };
}

async function both(
  bench: Bench,
  toml: string,
  seconds: number,
  scrapeEveryS: number,
): Promise<{ ours: Course; peer: Course | null }> {
  await using sandbox = await startSandbox(bench);
  await using agent: RunningAgent = await startAgent(bench, `${toml}[nodefoundry]\nurl = "${sandbox.url}"\n`);
  await agent.control("POST", "/v1/enroll", { key: sandbox.testKey });
  const exporter: RunningExporter | null =
    bench.exporter === null ? null : await startExporter(bench, bench.exporter);
  try {
    await wait(SETTLE_MS);
    const [ours, peer] = await Promise.all([
      watch(agent.pid, seconds, () => undefined),
      exporter === null
        ? null
        : watch(exporter.pid, seconds, (second) =>
            second % scrapeEveryS === 0 ? exporter.scrape() : undefined,
          ),
    ]);
    return { ours, peer };
  } finally {
    await exporter?.[Symbol.asyncDispose]();
  }
}

export const idle: Part = {
  name: "idle",
  async run(bench: Bench): Promise<Row[]> {
    const seconds = bench.quick ? 10 : 120;
    const { ours, peer } = await both(bench, "", seconds, 15);
    const label = `idle ${seconds} s`;
    return rows(label, ours, peer, { rss: "≤ 40 MB", dirty: "≤ 22 MB", cpu: "≤ node_exporter" });
  },
};

export const load: Part = {
  name: "load",
  async run(bench: Bench): Promise<Row[]> {
    const seconds = bench.quick ? 60 : 600;
    const everySecond = allCollectors()
      .map(({ name }) => `[collectors.${name}]\ninterval_s = 1\n`)
      .join("");
    const { ours, peer } = await both(bench, everySecond, seconds, 1);
    const label = `one cycle a second, ${seconds} s`;
    return [...rows(label, ours, peer, { rss: "≤ 40 MB", dirty: "≤ 22 MB", cpu: "" }), trend(label, ours)];
  },
};
