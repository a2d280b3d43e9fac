/**
 * The half of the agent that follows the configuration: collectors, ledger, control APIs and their loops, metrics.
 * A reload stops it and builds another on the same store, identity and conditions, so there is no state in
 * here that a change of configuration could leave half applied.
 */

import { type AnyCollector, allCollectors } from "../collectors/index.ts";
import type { AckBook } from "../collectors/smart/acks/book.ts";
import { type Config, collectorConfig } from "../config/config.ts";
import type { ControlContext, SyncOutcome } from "../control/control-api.ts";
import { controlApi, controlApis } from "../control/index.ts";
import { METERED_WIDENS } from "../control/metered.ts";
import { openPace } from "../control/pace.ts";
import { wakes } from "../control/rhythm.ts";
import type { HelperPort } from "../helper/port.ts";
import type { EventDraft } from "../model/event.ts";
import type { Logger } from "../model/log.ts";
import type { NodeStatus, Report, Section } from "../model/report.ts";
import type { AgentView } from "../sockets/agent-view.ts";
import { listenOrTell, type MetricsListener } from "../sockets/metrics/listener.ts";
import { textfileWriter } from "../sockets/metrics/textfile.ts";
import type { Store } from "../store/types.ts";
import type { Machine } from "../system/machine.ts";
import { type DampedConditions, dampedConditions } from "./conditions/damped.ts";
import type { Health } from "./conditions/health.ts";
import { forget, judge, ownerOf } from "./conditions/judging.ts";
import { HELPER_OWNERS, openHelperAccess, POLICY_OWNER } from "./helper-access.ts";
import type { IdentityKeeper } from "./identity/identity.ts";
import { excludeConditions } from "./reporting/exclude-check.ts";
import { excludedFields } from "./reporting/excluded-fields.ts";
import { type Ledger, openLedger } from "./reporting/ledger.ts";
import { openSyncLoop } from "./reporting/sync-loop.ts";
import type { SyncLoop } from "./reporting/sync-types.ts";
import { openSchedule } from "./schedule/schedule.ts";
import type { Schedule } from "./schedule/types.ts";

export interface Configured {
  readonly config: Config;
  readonly collectors: readonly AnyCollector[];
  readonly schedule: Schedule;
  readonly ledger: Ledger;
  readonly loops: readonly SyncLoop[];
  /** Who does what only root may. */
  readonly helper: HelperPort;
  /** A gate has read the policy. */
  policySeen(usable: boolean): void;
  report(): Report;
  nodeStatus(): NodeStatus;
  /** First collection of everything, then the clockwork. Resolves when every section is there or given up. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** After the first start: which conditions of an earlier life are over, and which nobody has looked at yet. */
  settle(): void;
}

export interface ConfiguredOptions {
  readonly config: Config;
  readonly machine: Machine;
  readonly log: Logger;
  readonly store: Store;
  readonly health: Health;
  readonly identity: IdentityKeeper;
  readonly bootId: string;
  /** What is known and accepted of drives, over reloads. */
  readonly acks: AckBook;
  /** At a reload: what ran until now. */
  readonly before: Configured | null;
  readonly onTick: () => void;
  /** What the metrics show. */
  readonly view: AgentView;
  /** A round with a control API was answered. */
  readonly onSynced: () => void;
  /** Takes in what a control API asks for. @returns ids of commands that are new */
  readonly deliver: (api: string, outcome: SyncOutcome) => readonly string[];
  /** What a command or a hold makes of this node's status; null: nothing. */
  readonly commandStatus: () => NodeStatus | null;
}

export function openConfigured(options: ConfiguredOptions): Configured {
  const { config, machine, log, store, health, identity } = options;
  const clock = machine.clock;
  const metered = config.network.profile === "metered";
  const ledger = openLedger(() => (metered ? METERED_WIDENS : 1));
  const access = openHelperAccess({ config, uid: machine.uid, files: machine.files, clock, health, log });
  const collectors = allCollectors({
    helper: access.port,
    smartHistory: store.smart,
    acks: options.acks,
    again: (name) => void schedule.runNow(name).catch(() => undefined),
  }).filter((collector) => collectorConfig(config, collector.name).enabled);
  const excluded = excludedFields(config.report.exclude);
  health.set("exclude", excludeConditions(config.report.exclude, collectors));
  const judging = {
    ...{ health, log, excluded },
    emit: (happened: readonly EventDraft[]) => void store.appendEvents(happened, clock.now()),
  };
  const textfile = textfileWriter(config.metrics);
  let metrics: Promise<MetricsListener> | null = null;
  let policyStart: NodeJS.Timeout | undefined;

  const schedule = openSchedule({
    machine,
    log,
    plans: collectors.map((collector) => {
      const own = collectorConfig(config, collector.name);
      return {
        collector,
        everyMs: own.intervalS === null ? collector.everyMs : own.intervalS * 1000,
        timeoutMs: own.timeoutS === null ? collector.timeoutMs : own.timeoutS * 1000,
        options: own.options,
        memory: store.memory(collector.name),
      };
    }),
    onSection(section, before, collector, failuresInRow) {
      ledger.update(excluded.from(section), collector);
      judge(judging, section, before, collector, failuresInRow);
    },
    onTick() {
      options.onTick();
      access.policy.look();
      for (const conditions of damped) conditions.ticked();
      health.set("textfile", textfile(options.view));
    },
    random: Math.random,
    known: (name) => options.before?.schedule.section(name),
  });

  function report(): Report {
    const sections: Record<string, Section> = {};
    for (const [name, state] of ledger.states()) sections[name] = state.section;
    return { bootId: options.bootId, sections };
  }

  const nodeStatus = (): NodeStatus =>
    options.commandStatus() ??
    (health.list().some((condition) => condition.severity === "error") ? "degraded" : "online");

  const damped: DampedConditions[] = [];
  const loops: SyncLoop[] = controlApis(config).map(({ name, open, intervalS }) => {
    const conditions = dampedConditions(health, clock);
    damped.push(conditions);
    const context: ControlContext = {
      values: store.values(`api.${name}`),
      conditions,
      log: log.child({ api: name }),
      clock,
      identity: () =>
        excluded
          .hider([schedule.section("system"), schedule.section("network")])
          .identity(identity.current()),
      renewIdentity(reason) {
        identity.renew(reason);
        ledger.forget(name);
        // The tokens of all were set aside.
        for (const loop of loops) if (loop.api.name !== name) loop.forget();
      },
      traffic: (sent, received) => store.addTraffic(name, monthOf(clock.now()), sent, received),
    };
    const api = open(context);
    const pace = openPace({
      profile: config.network.profile,
      intervalS,
      machineId: identity.current().machineId,
      clock,
      random: Math.random,
    });
    return openSyncLoop({
      api,
      pace,
      ledger,
      store,
      health: conditions,
      clock,
      log,
      report,
      nodeStatus,
      onSynced: options.onSynced,
      deliver: options.deliver,
      before: options.before?.loops.find((loop) => loop.api.name === name)?.status() ?? null,
    });
  });
  store.setSubscribers(loops.map((loop) => loop.api.name));
  const unlisten = store.listen((events) => {
    const urgent = events.filter(wakes);
    if (urgent.length === 0) return;
    for (const loop of loops) loop.wake(urgent.some(({ type }) => type === "command.state"));
  });
  forgetWhatIsOff(health, collectors, loops);

  return {
    config,
    collectors,
    schedule,
    ledger,
    loops,
    helper: access.port,
    policySeen: (usable) => access.policy.seen(usable),
    report,
    nodeStatus,
    async start() {
      metrics = listenOrTell(config.metrics, options.view, log, (found) => health.set("metrics", found));
      await metrics;
      await schedule.runAll();
      schedule.start();
      for (const loop of loops) loop.start();
      // When the start is over: it loads what watches files.
      policyStart = setTimeout(() => access.policy.start(), 0);
    },
    async stop() {
      clearTimeout(policyStart);
      unlisten();
      await Promise.all([schedule.stop(), ...loops.map((loop) => loop.stop())]);
      // What comes after it does not know of them.
      for (const conditions of damped) conditions.endCleared();
      await (await metrics)?.close();
      access.close();
    },
    settle() {
      // What a control API had to say is judged by its next round.
      const apis = new Set(loops.map(({ api }) => api.name));
      // And a collector that could not look yet has not said that anything is over.
      const blind = collectors
        .map(({ name }) => name)
        .filter((name) => schedule.section(name)?.state !== "ok");
      const helpers = access.port.how.kind === "none" ? [POLICY_OWNER] : HELPER_OWNERS;
      const later = new Set<string | null>([...blind.map(ownerOf), ...helpers]);
      health.settle(({ subject }, owner) => (subject !== undefined && apis.has(subject)) || later.has(owner));
    },
  };
}

/** Conditions of what the configuration before had and this one has not: nobody would ever clear them. */
function forgetWhatIsOff(
  health: Health,
  collectors: readonly AnyCollector[],
  loops: readonly SyncLoop[],
): void {
  const on = new Set(collectors.map((collector) => collector.name));
  for (const { name } of allCollectors()) if (!on.has(name)) forget(health, name);
  const apis = new Set(loops.map((loop) => loop.api.name));
  for (const { code, subject } of health.list()) {
    if (subject !== undefined && controlApi(subject) !== null && !apis.has(subject))
      health.clear(code, subject);
  }
}

/** `2026-11`, UTC. */
export function monthOf(now: number): string {
  return new Date(now).toISOString().slice(0, 7);
}
