/** How the daemon is, in one answer: for the sockets, the metrics and a diagnostics bundle. */

import type { Executor } from "../commands/executor/types.ts";
import type { ControlStatus } from "../control/control-api.ts";
import type { AgentStatus, ApiStatus } from "../sockets/agent-view.ts";
import type { Store } from "../store/types.ts";
import type { Clock } from "../system/clock.ts";
import { armedBy, lookAtPolicy } from "./commands/armed.ts";
import type { Health } from "./conditions/health.ts";
import { type Configured, monthOf } from "./configured.ts";
import type { IdentityKeeper } from "./identity/identity.ts";
import type { SyncLoop } from "./reporting/sync-types.ts";

export interface StatusOptions {
  readonly running: () => Configured;
  readonly store: Store;
  readonly commands: Executor;
  readonly health: Health;
  readonly identity: IdentityKeeper;
  readonly version: string;
  readonly bootId: string;
  /** Wall clock, milliseconds. */
  readonly startedAt: number;
  readonly clock: Clock;
  /** Of this process. */
  readonly uid: number;
}

/** @returns asked anew at each call */
export function statusOf(options: StatusOptions): () => AgentStatus {
  const { running, store, commands, health, identity, version, bootId, startedAt, clock, uid } = options;

  function apiStatus(loop: SyncLoop): ApiStatus {
    const traffic = store.traffic(monthOf(clock.now())).find((item) => item.api === loop.api.name);
    const pace = loop.pace.status();
    const [api, rounds] = [loop.api.status(), loop.status()];
    // Without a key nothing is asked, so nothing fails: the pace only counts how often a key was looked for.
    const keyless = !api.enrolled && rounds.lastError === null;
    return {
      name: loop.api.name,
      ...api,
      ...rounds,
      breaker: pace.backingOff && !keyless ? "open" : "closed",
      failures: keyless ? 0 : pace.failures,
      intervalS: pace.intervalS,
      pendingEvents: store.pendingCount(loop.api.name),
      sentBytesThisMonth: traffic?.sentBytes ?? 0,
      receivedBytesThisMonth: traffic?.receivedBytes ?? 0,
      requestsThisMonth: traffic?.requests ?? 0,
    };
  }

  return () => {
    const { config, schedule, collectors, loops, nodeStatus } = running();
    const apis = loops.map(apiStatus);
    return {
      version,
      startedAt,
      bootId,
      hostname: config.agent.name ?? identity.current().hostname,
      nodeId: apis.find((api) => api.nodeId !== null)?.nodeId ?? null,
      mode: strictest(apis.map((api) => api.mode)),
      localOnly: apis.length === 0,
      status: nodeStatus(),
      hardware: config.agent.hardware,
      armed: armedBy(
        lookAtPolicy(config.commands.policyFile, uid),
        config.agent.hardware,
        apis.map((api) => api.mode),
      ),
      networkProfile: config.network.profile,
      stateFolder: config.agent.stateDir,
      conditions: health.list(),
      notYetKnown: health.notYetKnown(),
      controlApis: apis,
      collectors: collectors.map((collector) => {
        const record = schedule.records().get(collector.name);
        return {
          name: collector.name,
          state: schedule.section(collector.name)?.state ?? "pending",
          everyMs: schedule.everyMs(collector.name),
          durationMs: record?.durationMs ?? null,
          runs: record?.runs ?? 0,
          failures: record?.failures ?? 0,
          lastRunAt: record?.lastRunAt ?? null,
          nextRunAt: record === undefined ? null : clock.now() + (record.dueAt - clock.monotonic()),
        };
      }),
      spool: store.spool(),
      runningCommand: commands.active(),
      waitingCommands: commands.waiting(),
      hold: commands.held(),
    };
  };
}

/** What holds for whoever asks on this host: where any control API lets nothing be touched, nothing is. */
function strictest(modes: readonly ControlStatus["mode"][]): ControlStatus["mode"] {
  return (["test", "read-only", "live"] as const).find((mode) => modes.includes(mode)) ?? null;
}
