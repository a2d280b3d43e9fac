/** The daemon as the two sockets see it: every answer from what is there, every action through its owner. */

import { forgetDrive } from "../collectors/drives/missing.ts";
import type { Executor } from "../commands/executor/types.ts";
import { apiToEnroll, controlSections } from "../control/index.ts";
import { AgentError, errorCode } from "../model/errors.ts";
import type { AgentStatus, AgentView, ApiStatus } from "../sockets/agent-view.ts";
import type { Store } from "../store/types.ts";
import { driveActs } from "./commands/drive-acts.ts";
import { checkCommand } from "./conditions/config.ts";
import type { Health } from "./conditions/health.ts";
import { monthOf, type Running } from "./configured.ts";
import type { IdentityKeeper } from "./identity/identity.ts";
import type { SyncLoop } from "./reporting/sync-types.ts";

export interface ViewOptions {
  readonly running: () => Running;
  readonly store: Store;
  readonly commands: Executor;
  readonly health: Health;
  readonly identity: IdentityKeeper;
  readonly version: string;
  readonly bootId: string;
  readonly startedAt: number;
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly reload: () => Promise<{ ok: boolean; problems: string[] }>;
  readonly diagnostics: AgentView["diagnostics"];
  /** When the start or the reload under way is over: what is asked meanwhile must not reach what is being replaced. */
  readonly settled: () => Promise<unknown>;
  /** The start is over: what is under way, if anything, is a reload. */
  readonly started: () => boolean;
  /** What is wrong with the state and the identity is looked at now, not at the next tick. */
  readonly look: () => void;
}

const CHECK_MS = 60_000;
const CONFIGURE_ONE = `names the file: write ${controlSections()} and enabled = true into it, then foundry-agent reload`;

export function viewOf(options: ViewOptions): AgentView {
  const { store, commands, health, identity, now } = options;
  const running = options.running;

  function loops(name?: string): readonly SyncLoop[] {
    const all = running().loops;
    if (name === undefined) return all;
    const found = all.filter((loop) => loop.api.name === name);
    if (found.length > 0) return found;
    const names = all.map((loop) => loop.api.name).join(", ");
    throw new AgentError(
      "no_such_api",
      all.length === 0 ? "no control API is configured" : `there is no control API "${name}"`,
      all.length === 0
        ? `${checkCommand(running().config)}  # ${CONFIGURE_ONE}`
        : `foundry-agent status  # there is: ${names}`,
    );
  }

  function apiStatus(loop: SyncLoop): ApiStatus {
    const traffic = store.traffic(monthOf(now())).find((item) => item.api === loop.api.name);
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

  function status(): AgentStatus {
    const { config, schedule, collectors } = running();
    const apis = running().loops.map(apiStatus);
    return {
      version: options.version,
      startedAt: options.startedAt,
      bootId: options.bootId,
      hostname: config.agent.name ?? identity.current().hostname,
      nodeId: apis.find((api) => api.nodeId !== null)?.nodeId ?? null,
      mode: apis.find((api) => api.mode !== null)?.mode ?? null,
      localOnly: apis.length === 0,
      status: running().nodeStatus(),
      hardware: config.agent.hardware,
      stateFolder: config.agent.stateDir,
      conditions: health.list(),
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
          nextRunAt: record === undefined ? null : now() + (record.dueAt - options.monotonic()),
        };
      }),
      spool: store.spool(),
      runningCommand: commands.active(),
      waitingCommands: commands.waiting(),
      hold: commands.held(),
    };
  }

  return {
    status,
    report: () => running().report(),
    hashes: () => running().ledger.hashes(),
    collectors: () => running().collectors,
    preview(name) {
      const [loop] = loops(name) as [SyncLoop];
      return loop.api.preview(loop.input(0));
    },
    eventsSince: (id, limit) => store.eventsSince(id, limit),
    onEvent: (listener) => store.listen((events) => events.forEach(listener)),
    commands: (limit) => store.commands(limit),
    command: (id) => store.command(id),
    commandRecord: (id) => commands.record(id),
    commandHistory: (id) => store.commandHistory(id),
    submitCommand: (request) => commands.submit(request),
    cancelCommand: (id, by) => commands.cancel(id, by),
    dryRunCommand: (request) => commands.dryRun(request),
    hold: (hold) => commands.hold(hold),
    release: (by) => commands.release(by),
    async collect(name) {
      // During the start it joins the first collection, of which another may hang.
      if (options.started()) await options.settled();
      return await running().schedule.runNow(name);
    },
    async sync(name) {
      await options.settled();
      return await Promise.all(
        loops(name).map(async (loop) => {
          const { ok, text } = await loop.now();
          return { name: loop.api.name, ok, text };
        }),
      );
    },
    reload: options.reload,
    diagnostics: options.diagnostics,
    async forgetDrive(serial) {
      const forgotten = forgetDrive(store.memory("drives"), serial);
      if (!forgotten)
        throw new AgentError(
          "no_such_drive",
          `no missing drive has the serial number "${serial}"`,
          "foundry-agent drives",
        );
      store.flush(now(), true);
      await running().schedule.runNow("drives");
    },
    ...driveActs(options),
    async check(name) {
      return await Promise.all(
        loops(name).map(async (loop) => ({
          name: loop.api.name,
          results: await loop.api.check(AbortSignal.timeout(CHECK_MS)),
        })),
      );
    },
    async enroll(name, key, enrolOptions) {
      await options.settled();
      const configured = running().loops.map(({ api }) => api.name);
      const asked = configured.length === 0 ? (name ?? "") : apiToEnroll(name, configured);
      const [loop] = loops(asked) as [SyncLoop];
      await loop.api.enroll(key, enrolOptions, AbortSignal.timeout(CHECK_MS));
      loop.forget();
      await loop.now();
      const { nodeId, mode } = loop.api.status();
      return { nodeId: nodeId ?? "", mode: mode ?? "" };
    },
    async adopt(undo) {
      await options.settled();
      if (undo) identity.undoAdopt();
      else identity.adopt();
      options.look();
      commands.look();
      health.tellAgain();
      for (const loop of running().loops) loop.forget();
    },
    async resetIdentity() {
      await options.settled();
      identity.reset();
      options.look();
      commands.look();
      health.tellAgain();
      for (const loop of running().loops) loop.forget();
    },
    async leave(name) {
      await options.settled();
      for (const loop of loops(name)) {
        await loop.api.leave(AbortSignal.timeout(CHECK_MS));
        loop.forget();
        cancelAllOf(commands, loop.api.name);
      }
    },
    healthy() {
      const { schedule, collectors } = running();
      const all = collectors.map((collector) => schedule.section(collector.name));
      if (all.some((section) => section === undefined))
        return { ok: false, reason: "the first collection is not finished" };
      const failed = all.filter((section) => section?.state === "failed");
      if (all.length > 0 && failed.length === all.length)
        return { ok: false, reason: "every collector fails" };
      return { ok: true, reason: null };
    },
  };
}

/** A control API that this node has left has nothing more to say here; what can't be stopped any more goes on. */
function cancelAllOf(commands: Executor, source: string): void {
  for (const { asked } of [...commands.waiting(), commands.active()].filter((one) => one !== null)) {
    if (asked.source !== source) continue;
    try {
      commands.cancel(asked.id, `this node, which left ${source}`);
    } catch (error) {
      if (errorCode(error) !== "too_late") throw error;
    }
  }
}
