import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import type { Metric } from "../../src/collectors/collector.ts";
import { drivesCollector } from "../../src/collectors/drives/drives.ts";
import type { AnyCollector } from "../../src/collectors/index.ts";
import type { AgentView } from "../../src/sockets/agent-view.ts";
import { type MetricsOptions, metricsText } from "../../src/sockets/metrics/prometheus-text.ts";
import { bareView } from "../support/agent/bare-view.ts";
import { pretendSections, pretendStatus, section } from "../support/agent/pretend.ts";
import { treeAgent } from "../support/agent/tree-agent.ts";
import { jbod, jbodSerial } from "../support/drives/jbod.ts";
import { collectFrom } from "../support/machine/tree.ts";
import { NOW } from "../support/now.ts";
import { parsePrometheus } from "../support/text/prometheus.ts";

const PLAIN: MetricsOptions = { serials: false, exclude: [] };

function parsed(view: AgentView, options = PLAIN) {
  return parsePrometheus(metricsText(view, options, NOW));
}

/** A view of one collector with these metrics over `data`. */
function viewOf(metrics: Metric<unknown>[], data: unknown = {}, sensitive: string[] = []): AgentView {
  const collector = { ...drivesCollector(), name: "made", metrics, sensitive } as unknown as AnyCollector;
  return bareView({ made: section("made", data) }, [collector]);
}

function gauge(
  name: string,
  ...samples: { value: number; labels?: Record<string, string> }[]
): Metric<unknown> {
  return { name, help: `What ${name} is.`, type: "gauge", samples: () => samples };
}

test("every node's metrics are what a strict reader takes", async () => {
  for (const name of ["ceph-node", "pi4", "container"]) {
    const { view } = await treeAgent({ tree: name, registered: "test" });
    const families = parsed(view);
    expect(families.size).toBeGreaterThan(30);
    for (const collector of view.collectors()) {
      const { data } = view.report().sections[collector.name] as { data: unknown };
      if (data === null) continue;
      // Every declared family that has a value is there.
      for (const metric of collector.metrics)
        if ([...metric.samples(data)].some(({ value }) => !Number.isNaN(value)))
          expect(families.has(metric.name), metric.name).toBe(true);
    }
    expect(families.has("foundry_agent_metrics_failed")).toBe(false);
  }
});

test("promtool finds nothing to say", async (context) => {
  const found = spawnSync("promtool", ["--version"]);
  if (found.error) {
    console.warn("skipped: promtool is not installed (Debian package prometheus)");
    return context.skip("promtool is not installed");
  }
  for (const name of ["ceph-node", "pi4"]) {
    const { status, stderr } = spawnSync("promtool", ["check", "metrics"], {
      input: metricsText((await treeAgent({ tree: name, registered: "test" })).view, PLAIN, NOW),
      encoding: "utf8",
    });
    // Names are node_exporter's where the meaning is, and some of those are not to promtool's own taste (exit 3).
    const complaints = stderr
      .split("\n")
      .filter((line) => line !== "" && !/^node_\S+ .*(?:snake_case|"_total\\?")/.test(line));
    expect([status === 0 || status === 3, complaints]).toEqual([true, []]);
  }
});

test("the agent's own figures", async () => {
  const { view } = await treeAgent({ registered: "test" });
  const [first, ...others] = view.status().collectors;
  const [api] = view.status().controlApis;
  if (!first || !api) throw new Error("the agent has no collector, or no control API");
  pretendStatus(view, {
    collectors: [
      { ...first, state: "failed", failures: 3, durationMs: 250, lastRunAt: NOW - 30_000 },
      { ...first, name: "later", state: "pending", lastRunAt: null, durationMs: null, runs: 0 },
      ...others,
    ],
    controlApis: [
      { ...api, breaker: "open", failures: 2, pendingEvents: 7, sentBytesThisMonth: 1_234_567 },
      { ...api, name: "netbox", lastSyncAt: null },
    ],
    conditions: ["sda", "sdb"].map((subject) => ({
      code: "drive_missing",
      subject,
      severity: "warning" as const,
      text: "gone",
      nextStep: null,
      since: NOW,
    })),
    spool: { events: 9, bytes: 1234, dropped: 1 },
  });
  const families = parsed(view);
  const value = (name: string, labels: Record<string, string> = {}) =>
    families
      .get(`foundry_agent_${name}`)
      ?.samples.find((sample) => Object.entries(labels).every(([key, one]) => sample.labels[key] === one))
      ?.value;
  expect(families.get("foundry_agent_build_info")?.samples[0]?.labels).toMatchObject({
    version: "0.0.0-test",
    arch: process.arch,
  });
  expect(value("collector_success", { collector: first.name })).toBe(0);
  expect(value("collector_success", { collector: others[0]?.name ?? "" })).toBe(1);
  expect(value("collector_success", { collector: "later" })).toBeUndefined();
  expect(value("collector_last_run_age_seconds", { collector: "later" })).toBeUndefined();
  expect(value("collector_duration_seconds", { collector: first.name })).toBe(0.25);
  expect(value("collector_last_run_age_seconds", { collector: first.name })).toBe(30);
  expect(value("collector_failures_total", { collector: first.name })).toBe(3);
  expect(value("sync_age_seconds", { api: "nodefoundry" })).toBe(12);
  expect(value("sync_age_seconds", { api: "netbox" })).toBeUndefined();
  expect(value("sync_breaker_open", { api: "nodefoundry" })).toBe(1);
  expect(value("sync_breaker_open", { api: "netbox" })).toBe(0);
  expect(value("pending_events", { api: "nodefoundry" })).toBe(7);
  expect(value("sent_bytes_total", { api: "nodefoundry" })).toBe(1_234_567);
  expect(value("conditions", { code: "drive_missing", severity: "warning" })).toBe(2);
  expect([value("spool_events"), value("spool_bytes"), value("spool_dropped_total")]).toEqual([9, 1234, 1]);
  expect(value("process_resident_memory_bytes")).toBeGreaterThan(1e6);
  expect(value("process_cpu_seconds_total")).toBeGreaterThan(0);
});

describe("what Prometheus would refuse", () => {
  test("a family of two collectors is announced once, a doubled series is told once", () => {
    const one = {
      ...drivesCollector(),
      name: "one",
      metrics: [gauge("shared", { value: 1, labels: { a: "1" } }, { value: 2, labels: { a: "1" } })],
    };
    const two = {
      ...drivesCollector(),
      name: "two",
      metrics: [gauge("shared", { value: 3, labels: { a: "2" } }, { value: 4, labels: { a: "1" } })],
    };
    const collectors = [one, two] as unknown as AnyCollector[];
    const families = parsed(bareView({ one: section("one", {}), two: section("two", {}) }, collectors));
    expect(families.get("shared")?.samples).toEqual([
      { labels: { a: "1" }, value: 1 },
      { labels: { a: "2" }, value: 3 },
    ]);
  });

  test("nothing known is no sample, and a family without samples is not announced", () => {
    const families = parsed(
      viewOf([
        gauge("nothing", { value: Number.NaN }),
        gauge("none"),
        gauge("endless", { value: Infinity }, { value: -Infinity, labels: { a: "" } }),
      ]),
    );
    expect([families.has("nothing"), families.has("none")]).toEqual([false, false]);
    expect(families.get("endless")?.samples.map(({ value }) => value)).toEqual([Infinity, -Infinity]);
  });

  test("labels and help of any text are escaped", () => {
    const text = 'a"b\\c\nd é \ud800';
    const families = parsed(
      viewOf([{ ...gauge("odd", { value: 1, labels: { model: text } }), help: "two\nlines \\ here" }]),
    );
    expect(families.get("odd")?.samples[0]?.labels.model).toBe('a"b\\c\nd é \ufffd');
    expect(families.get("odd")?.help).toBe("two\\nlines \\\\ here");
  });

  test("a collector whose metrics break costs only its own, and that is shown", () => {
    const broken: Metric<unknown> = {
      ...gauge("broken"),
      samples: () => {
        throw new TypeError("bug");
      },
    };
    for (const bad of [
      broken,
      gauge("no name"),
      gauge("labelled", { value: 1, labels: { "no-name": "x" } }),
    ]) {
      const families = parsed(viewOf([gauge("before", { value: 1 }), bad]));
      expect(families.get("foundry_agent_metrics_failed")?.samples).toEqual([
        { labels: { collector: "made" }, value: 1 },
      ]);
      expect(families.has("foundry_agent_build_info")).toBe(true);
    }
  });
});

describe("serial numbers", () => {
  test("are empty labels unless wished, whatever the label is called", async () => {
    const collector = drivesCollector();
    const view = bareView({ drives: section("drives", await collectFrom(collector, jbod(2))) }, [
      collector as unknown as AnyCollector,
    ]);
    const canaries = [jbodSerial(1), "5000c500cafe0010", "S64GNE0R000001"];
    const without = metricsText(view, PLAIN, NOW);
    const withThem = metricsText(view, { ...PLAIN, serials: true }, NOW);
    for (const canary of canaries) {
      expect([canary, without.includes(canary)]).toEqual([canary, false]);
    }
    expect(withThem).toContain(jbodSerial(1));
    const [sample] = parsePrometheus(without).get("node_disk_info")?.samples ?? [];
    expect(sample?.labels).toHaveProperty("serial", "");
    expect(sample?.labels.device).not.toBe("");
  });

  test("are found by their value too", () => {
    const metric: Metric<unknown> = {
      ...gauge("made_info"),
      samples: () => [{ value: 1, labels: { chassis: "SN-12345", slot: "3" } }],
    };
    const view = viewOf([metric], { sn: "SN-12345" }, ["sn"]);
    expect(parsed(view).get("made_info")?.samples[0]?.labels).toEqual({ chassis: "", slot: "3" });
    expect(parsed(view, { ...PLAIN, serials: true }).get("made_info")?.samples[0]?.labels.chassis).toBe(
      "SN-12345",
    );
  });
});

test("a label that is open to everybody stays, though a hidden field happens to have the same value", () => {
  const data = { hostname: "ceph-osd-07", hardware: { asset_tag: "ceph-osd-07", serial: "S318420X0C1" } };
  const info = gauge("made_info", {
    value: 1,
    labels: { nodename: "ceph-osd-07", chassis: "S318420X0C1", chassis_serial: "S318420X0C1" },
  });
  const view = viewOf([info], data, ["hardware.asset_tag", "hardware.serial"]);
  expect(parsed(view).get("made_info")?.samples[0]?.labels).toEqual({
    nodename: "ceph-osd-07",
    chassis: "",
    chassis_serial: "",
  });
});

test("families can be left out, our own too", async () => {
  const { view } = await treeAgent();
  const before = parsed(view);
  const exclude = [[...before.keys()].find((name) => name.startsWith("node_")) ?? "", "foundry_agent_status"];
  const after = parsed(view, { ...PLAIN, exclude });
  expect([...before.keys()].filter((name) => !after.has(name)).sort()).toEqual([...exclude].sort());
});

test("the last good value is shown while it is stale, none while there never was one", () => {
  const metrics = [{ ...gauge("one"), samples: (data: unknown) => [{ value: (data as { n: number }).n }] }];
  const view = viewOf(metrics, { n: 5 });
  pretendSections(view, { made: { state: "stale" } });
  expect(parsed(view).get("one")?.samples[0]?.value).toBe(5);
  pretendSections(view, { made: { data: null, state: "failed" } });
  expect(parsed(view).has("one")).toBe(false);
  pretendSections(view, { made: null });
  expect(parsed(view).has("one")).toBe(false);
});

test("numbers have the digits that mean something, and whole ones all of them", () => {
  const shown = (value: number): string | undefined =>
    /^made_value (.*)$/m.exec(metricsText(viewOf([gauge("made_value", { value })]), PLAIN, NOW))?.[1];
  for (const [value, text] of [
    [0.1 + 0.2, "0.3"],
    [1 - 0.9999, "0.0001"],
    [-4.35 * 100, "-435"],
    [1 / 3, "0.333333333333"],
    [1e-9, "1e-9"],
    [0, "0"],
    // Counters of bytes and times with milliseconds.
    [9_007_199_254_740_991, "9007199254740991"],
    [123_456_789_012_345, "123456789012345"],
    [1_760_000_000.123, "1760000000.123"],
    [1e21, "1e+21"],
    [Number.POSITIVE_INFINITY, "+Inf"],
    [Number.NEGATIVE_INFINITY, "-Inf"],
  ] as const)
    expect(shown(value)).toBe(text);
  expect(shown(Number.NaN)).toBeUndefined();
});
