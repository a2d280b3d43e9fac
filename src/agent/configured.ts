/**
 * The half of the agent that follows the configuration: collectors, ledger, control APIs and their loops.
 * A reload stops it and builds another on the same store, identity and conditions, so there is no state in
 * here that a change of configuration could leave half applied.
 */

import { type AnyCollector, allCollectors } from "../collectors/index.ts";
import { type Config, collectorConfig } from "../config/config.ts";
import type { ControlContext, SyncOutcome } from "../control/control-api.ts";
import { controlApi, controlApis } from "../control/index.ts";
import { openPace } from "../control/pace.ts";
import { wakes } from "../control/rhythm.ts";
import type { HelperPort } from "../helper/port.ts";
import type { ConditionDraft } from "../model/condition.ts";
import { errorText } from "../model/errors.ts";
import type { Logger } from "../model/log.ts";
import type { NodeStatus, Report, Section } from "../model/report.ts";
import type { Store } from "../store/types.ts";
import type { Machine } from "../system/machine.ts";
import type { Health } from "./conditions/health.ts";
import { OF_THE_HELPER, openHelperAccess } from "./helper-access.ts";
import type { IdentityKeeper } from "./identity/identity.ts";
import { excludeConditions } from "./reporting/exclude-check.ts";
import { excludedFields } from "./reporting/excluded-fields.ts";
import { type Ledger, openLedger } from "./reporting/ledger.ts";
import { openSyncLoop } from "./reporting/sync-loop.ts";
import type { SyncLoop } from "./reporting/sync-types.ts";
import { openSchedule, PENDING } from "./schedule/schedule.ts";
import type { Schedule } from "./schedule/types.ts";

export interface Running {
  readonly config: Config;
  readonly collectors: readonly AnyCollector[];
  readonly schedule: Schedule;
  readonly ledger: Ledger;
  readonly loops: readonly SyncLoop[];
  /** Who does what only root may. */
  readonly helper: HelperPort;
  report(): Report;
  nodeStatus(): NodeStatus;
  /** First collection of everything, then the clockwork. Resolves when every section is there or given up. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface RunningOptions {
  readonly config: Config;
  readonly machine: Machine;
  readonly log: Logger;
  readonly store: Store;
  readonly health: Health;
  readonly identity: IdentityKeeper;
  readonly bootId: string;
  /** At a reload: what ran until now. */
  readonly before: Running | null;
  readonly onTick: () => void;
  /** A round with a control API was answered. */
  readonly onSynced: () => void;
  readonly onSection: (section: Section) => void;
  /** Takes in what a control API asks for. @returns ids of commands that are new */
  readonly deliver: (api: string, outcome: SyncOutcome) => readonly string[];
  /** What a command or a hold makes of this node's status; null: nothing. */
  readonly commandStatus: () => NodeStatus | null;
}

/** Tolerances are this much wider on a metered network. */
const METERED_WIDENS = 4;
/** A condition only after this many failures in a row: one lost run is no news. */
const FAILURES_TO_TELL = 2;

export function openRunning(options: RunningOptions): Running {
  const { config, machine, log, store, health, identity } = options;
  const clock = machine.clock;
  const metered = config.network.profile === "metered";
  const ledger = openLedger(() => (metered ? METERED_WIDENS : 1));
  const access = openHelperAccess({ config, uid: machine.uid, files: machine.files, clock, health, log });
  const collectors = allCollectors({
    helper: access.port,
    smartHistory: store.smart,
    again: (name) => void schedule.runNow(name).catch(() => undefined),
  }).filter((collector) => collectorConfig(config, collector.name).enabled);
  const excluded = excludedFields(config.report.exclude);
  health.set("exclude", excludeConditions(config.report.exclude, collectors));
  const emit = (drafts: Parameters<Store["appendEvents"]>[0]): void => {
    store.appendEvents(drafts, clock.now());
  };

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
    onSection(section, before, collector) {
      ledger.update(excluded.from(section), collector);
      judge(section, before, collector);
      options.onSection(section);
    },
    onTick: options.onTick,
    random: Math.random,
    known: (name) => options.before?.schedule.section(name),
  });

  /** Conditions and events of a new section. A collector's mistake in this costs a condition, not the daemon. */
  function judge(section: Section, before: Section | undefined, collector: AnyCollector): void {
    const { name } = collector;
    const inRow = schedule.records().get(name)?.failuresInRow ?? 0;
    // A helper that is out of order has a condition of its own, and not one more for each section.
    const lasting =
      section.reason !== null && inRow >= FAILURES_TO_TELL && !OF_THE_HELPER.has(section.reason.code);
    health.set(
      `failing ${name}`,
      lasting ? [failing(name, section.reason.text, section.reason.nextStep)] : [],
    );
    // What a failing one said last stays; what is not there any more has nothing wrong with it.
    if (section.state === "absent" && section.reason?.code !== PENDING) health.set(ownerOf(name), []);
    if (section.state !== "ok") return;
    try {
      // Judged by all there is, told without what must not leave this host.
      const hide = excluded.hider([before, section]);
      health.set(ownerOf(name), hide.conditions(collector.conditions?.(section.data) ?? []));
      const happened = hide.events(collector.changes?.(before?.data ?? null, section.data) ?? []);
      if (happened.length > 0) emit(happened);
    } catch (error) {
      log.error({ err: error, collector: name }, "what was collected could not be judged");
      health.set(`failing ${name}`, [failing(name, errorText(error), null)]);
    }
  }

  function report(): Report {
    const sections: Record<string, Section> = {};
    for (const [name, state] of ledger.states()) sections[name] = state.section;
    return { bootId: options.bootId, sections };
  }

  const nodeStatus = (): NodeStatus =>
    options.commandStatus() ??
    (health.list().some((condition) => condition.severity === "error") ? "degraded" : "online");

  const loops: SyncLoop[] = controlApis(config).map(({ name, open, intervalS }) => {
    const context: ControlContext = {
      values: store.values(`api.${name}`),
      conditions: health,
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
      health,
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
    if (!events.some(wakes)) return;
    for (const loop of loops) loop.wake(events.some(({ type }) => type === "command.state"));
  });
  forgetWhatIsOff(health, collectors, loops);

  return {
    config,
    collectors,
    schedule,
    ledger,
    loops,
    helper: access.port,
    report,
    nodeStatus,
    async start() {
      await schedule.runAll();
      schedule.start();
      for (const loop of loops) loop.start();
      void access.lookAtPolicy();
    },
    async stop() {
      unlisten();
      await Promise.all([schedule.stop(), ...loops.map((loop) => loop.stop())]);
      access.close();
    },
  };
}

/** Whose the conditions of a collector are, for Health. */
export function ownerOf(collector: string): string {
  return `collector ${collector}`;
}

function failing(name: string, why: string, nextStep: string | null): ConditionDraft {
  return {
    code: "collector_failed",
    subject: name,
    severity: "warning",
    text: `The section ${name} can't be collected: ${why}`,
    nextStep: nextStep ?? `foundry-agent collect ${name}`,
  };
}

/** Conditions of what the configuration before had and this one has not: nobody would ever clear them. */
function forgetWhatIsOff(
  health: Health,
  collectors: readonly AnyCollector[],
  loops: readonly SyncLoop[],
): void {
  const on = new Set(collectors.map((collector) => collector.name));
  for (const { name } of allCollectors()) {
    if (on.has(name)) continue;
    health.set(ownerOf(name), []);
    health.set(`failing ${name}`, []);
  }
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
