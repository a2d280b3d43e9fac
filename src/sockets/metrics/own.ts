/** The agent's own figures for /metrics: its collectors, control APIs, spool, conditions and process. Pure but for the process' own figures. */
import type { Sample } from "../../collectors/collector.ts";
import type { AgentStatus, ApiStatus, CollectorStatus } from "../agent-view.ts";

/** One family of the agent's own. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "gauge" | "counter";
  readonly samples: readonly Sample[];
}

/**
 * @param failed collectors whose metrics could not be made
 * @param now wall clock, milliseconds since the epoch
 */
export function ownFamilies(
  status: AgentStatus,
  healthy: boolean,
  failed: readonly string[],
  now: number,
): Family[] {
  const { collectors, controlApis: apis, spool } = status;
  const ranCollectors = collectors.filter((one) => one.state !== "pending");
  return [
    gauge("build_info", "1; the labels say which agent this is", [
      {
        value: 1,
        labels: { version: status.version, node_version: process.versions.node, arch: process.arch },
      },
    ]),
    gauge("healthy", "1 as long as /healthz answers 200", [{ value: healthy ? 1 : 0 }]),
    gauge("start_time_seconds", "When the agent started, Unix time", [{ value: status.startedAt / 1000 }]),
    gauge("status", "1; the label says what control APIs show for this node", [
      { value: 1, labels: { status: status.status } },
    ]),
    gauge(
      "armed",
      "1 where a command from the network could change this host; the labels say by which switches",
      [{ value: status.armed.armed ? 1 : 0, labels: armedLabels(status.armed) }],
    ),
    gauge("conditions", "Conditions that hold now: how many of one code", conditionSamples(status)),
    gauge(
      "collector_duration_seconds",
      "How long the collector's last run took",
      ofCollectors(ranCollectors, (one) => seconds(one.durationMs)),
    ),
    gauge(
      "collector_success",
      "1 when the last run gave a value or found that there is no such thing",
      ofCollectors(ranCollectors, (one) => (one.state === "ok" || one.state === "absent" ? 1 : 0)),
    ),
    gauge(
      "collector_last_run_age_seconds",
      "Time since the collector's last run",
      ofCollectors(collectors, (one) => age(one.lastRunAt, now)),
    ),
    gauge(
      "collector_last_run_timestamp_seconds",
      "When the collector last ran, Unix time: true also in a file that is read later",
      ofCollectors(collectors, (one) => seconds(one.lastRunAt)),
    ),
    counter(
      "collector_runs_total",
      "Runs of the collector since the agent started",
      ofCollectors(collectors, (one) => one.runs),
    ),
    counter(
      "collector_failures_total",
      "Failed runs of the collector since the agent started",
      ofCollectors(collectors, (one) => one.failures),
    ),
    gauge(
      "metrics_failed",
      "1 for a collector whose metrics could not be made",
      failed.map((collector) => ({ value: 1, labels: { collector } })),
    ),
    gauge(
      "sync_age_seconds",
      "Time since the control API last answered a round",
      ofApis(apis, (one) => age(one.lastSyncAt, now)),
    ),
    gauge(
      "sync_failures",
      "Failed rounds in a row",
      ofApis(apis, (one) => one.failures),
    ),
    gauge(
      "sync_breaker_open",
      "1 while the agent waits before it tries the control API again",
      ofApis(apis, (one) => (one.breaker === "open" ? 1 : 0)),
    ),
    gauge(
      "enrolled",
      "1 when this node is registered with the control API",
      ofApis(apis, (one) => (one.enrolled ? 1 : 0)),
    ),
    gauge(
      "pending_events",
      "Events the control API has not acknowledged",
      ofApis(apis, (one) => one.pendingEvents),
    ),
    counter(
      "sent_bytes_total",
      "Bytes sent to the control API; starts at 0 with each month (UTC)",
      ofApis(apis, (one) => one.sentBytesThisMonth),
    ),
    counter(
      "received_bytes_total",
      "Bytes received from the control API; starts at 0 with each month (UTC)",
      ofApis(apis, (one) => one.receivedBytesThisMonth),
    ),
    counter(
      "requests_total",
      "Requests to the control API; starts at 0 with each month (UTC)",
      ofApis(apis, (one) => one.requestsThisMonth),
    ),
    gauge("spool_events", "Events kept", [{ value: spool.events }]),
    gauge("spool_bytes", "Bytes of the events kept", [{ value: spool.bytes }]),
    counter("spool_dropped_total", "Events dropped because there were too many", [{ value: spool.dropped }]),
    ...processFamilies(),
  ];
}

/** Own names, not the usual `process_…`: those would clash with node_exporter's in a textfile. */
function processFamilies(): Family[] {
  const { user, system } = process.cpuUsage();
  return [
    counter("process_cpu_seconds_total", "CPU time the agent used", [{ value: (user + system) / 1e6 }]),
    gauge("process_resident_memory_bytes", "Memory of the agent that is in RAM (RSS)", [
      { value: process.memoryUsage.rss() },
    ]),
  ];
}

function armedLabels({ remote, hardware, mode, signed }: AgentStatus["armed"]): Record<string, string> {
  return {
    remote,
    hardware: hardware ? "yes" : "no",
    mode: mode ?? "none",
    signing: signed === null ? "unknown" : signed ? "required" : "not_required",
  };
}

function conditionSamples(status: AgentStatus): Sample[] {
  const counted = new Map<string, { code: string; severity: string; value: number }>();
  for (const { code, severity } of status.conditions) {
    const key = `${code} ${severity}`;
    counted.set(key, { code, severity, value: (counted.get(key)?.value ?? 0) + 1 });
  }
  return [...counted.values()].map(({ code, severity, value }) => ({ value, labels: { code, severity } }));
}

function gauge(name: string, help: string, samples: readonly Sample[]): Family {
  return { name: `foundry_agent_${name}`, help, type: "gauge", samples };
}

function counter(name: string, help: string, samples: readonly Sample[]): Family {
  return { name: `foundry_agent_${name}`, help, type: "counter", samples };
}

function ofCollectors(all: readonly CollectorStatus[], value: (one: CollectorStatus) => number): Sample[] {
  return all.map((one) => ({ value: value(one), labels: { collector: one.name } }));
}

function ofApis(all: readonly ApiStatus[], value: (one: ApiStatus) => number): Sample[] {
  return all.map((one) => ({ value: value(one), labels: { api: one.name } }));
}

/** NaN (and so no sample) for null. */
function seconds(ms: number | null): number {
  return ms === null ? Number.NaN : ms / 1000;
}

/** A clock that stepped back makes no negative age. */
function age(at: number | null, now: number): number {
  return at === null ? Number.NaN : Math.max(0, now - at) / 1000;
}
