/**
 * The house on one screen: what the daemon is made of, in the order it comes up and goes down.
 *
 * configuration → state → identity → conditions → collectors and control APIs (running.ts) → sockets.
 */
import type { Logger } from "pino";
import { errorText } from "../model/errors.ts";
import type { AgentEvent, EventDraft } from "../model/event.ts";
import { openHousekeeping } from "../system/housekeeping.ts";
import type { Machine } from "../system/machine.ts";
import type { Notify } from "../system/notify.ts";
import { type LoadedConfig, problemText } from "./config.ts";
import { watchConfig } from "./config-watch.ts";
import { type Health, openHealth } from "./health.ts";
import { openIdentity } from "./identity.ts";
import { startMetricsListener } from "./metrics-listener.ts";
import { textfileWriter } from "./metrics-textfile.ts";
import { openRunning, type Running } from "./running.ts";
import { startStatusServer } from "./status-server.ts";
import { openStore } from "./store.ts";
import type { Store } from "./store-types.ts";
import type { AgentView } from "./view.ts";
import { viewOf } from "./view-of.ts";

export interface AgentOptions {
  /** Reads the configuration; called again at each reload. */
  readonly load: () => LoadedConfig;
  readonly machine: Machine;
  readonly log: Logger;
  readonly notify: Notify;
  readonly version: string;
}

export interface Agent {
  readonly view: AgentView;
  readonly statusSocket: string;
  readonly controlSocket: string;
  /** Flush, close, leave no socket behind. */
  stop(): Promise<void>;
}

/**
 * Bring the daemon up; resolves when every section was collected once and the sockets answer.
 * @throws AgentError `config_invalid`, `state_locked`, `already_running`
 */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { machine, log, notify } = options;
  const { clock, files } = machine;
  const loaded = options.load();
  const startedAt = clock.now();
  const bootId = files.text("/proc/sys/kernel/random/boot_id") ?? "unknown";

  const store = openStore(loaded.config.agent.stateDir, { clock });
  const listeners = new Set<(event: AgentEvent) => void>();
  const loops = (): Running["loops"] => (running as Running | undefined)?.loops ?? [];
  const announced = announcing(store, listeners, () => {
    for (const loop of loops()) loop.wake();
  });
  const health = openHealth(clock, log, (event) => announced.appendEvents([event], clock.now()));
  const identity = openIdentity(store, machine, { version: options.version });
  const housekeeping = openHousekeeping({ enabled: loaded.config.memory.housekeeping, log });

  function tick(): void {
    health.set("state", [...problemOf(store), ...identity.conditions(), ...textfile(view)]);
    store.flush(clock.now());
    notify.watchdog();
    notify.status(statusLine(health, running));
    housekeeping.tick();
  }

  function build(config: LoadedConfig): Running {
    return openRunning({
      config: config.config,
      machine,
      log,
      store: announced,
      health,
      identity,
      bootId,
      onTick: tick,
      onSynced: () => void setImmediate(housekeeping.tick),
      onSection: () => undefined,
    });
  }

  let running: Running = build(loaded);
  let textfile = textfileWriter(loaded.config.metrics);
  const view = viewOf({
    running: () => running,
    store: announced,
    health,
    identity,
    version: options.version,
    bootId,
    startedAt,
    now: clock.now,
    monotonic: clock.monotonic,
    listeners,
    reload: () => reload(),
  });
  const sockets = await startStatusServer({
    view,
    runDir: loaded.config.agent.runDir,
    log,
    metrics: () => running.config.metrics,
    now: clock.now,
  });
  let metrics = await startMetricsListener(loaded.config.metrics, view, log);
  configConditions(health, loaded);

  /** A bad new configuration changes nothing but the condition that says so. */
  async function reload(): Promise<{ ok: boolean; problems: string[] }> {
    const next = options.load();
    configConditions(health, next);
    const problems = next.problems.map(problemText);
    if (problems.length > 0) return { ok: false, problems };
    notify.reloading();
    await running.stop();
    await metrics.close();
    log.level = next.config.agent.logLevel;
    running = build(next);
    textfile = textfileWriter(next.config.metrics);
    metrics = await startMetricsListener(next.config.metrics, view, log);
    await running.start();
    notify.ready();
    log.info({ files: next.files }, "configuration read again");
    return { ok: true, problems: [] };
  }

  const watch = watchConfig(loaded.watch, () => {
    reload().catch((error: unknown) => log.error({ err: error }, `reload failed: ${errorText(error)}`));
  });
  await running.start();
  notify.ready();

  return {
    view,
    ...sockets,
    async stop() {
      notify.stopping();
      watch.close();
      await sockets.close();
      await metrics.close();
      await running.stop();
      store.flush(clock.now(), true);
      store.close();
    },
  };
}

/** The store, with everybody who follows events told of new ones, and the loops woken by urgent ones. */
function announcing(
  store: Store,
  listeners: ReadonlySet<(event: AgentEvent) => void>,
  wake: () => void,
): Store {
  function announce(events: readonly AgentEvent[]): void {
    for (const event of events) for (const listener of listeners) listener(event);
    if (events.some((event) => event.severity !== "info" || event.type === "command.state")) wake();
  }
  return {
    ...store,
    get mode() {
      return store.mode;
    },
    get problem() {
      return store.problem;
    },
    appendEvents(drafts: readonly EventDraft[], now: number) {
      const events = store.appendEvents(drafts, now);
      announce(events);
      return events;
    },
    setCommandState(...args) {
      const event = store.setCommandState(...args);
      announce([event]);
      return event;
    },
  };
}

function problemOf(store: Store) {
  return store.problem === null ? [] : [{ severity: "error" as const, ...store.problem }];
}

function configConditions(health: Health, loaded: LoadedConfig): void {
  const [first] = loaded.problems;
  if (first === undefined) {
    health.set("config", []);
    return;
  }
  const more = loaded.problems.length > 1 ? ` (and ${loaded.problems.length - 1} more)` : "";
  const text = `The configuration is not right, so the one before is kept: ${problemText(first)}${more}`;
  health.set("config", [
    { code: "config_invalid", severity: "error", text, nextStep: "foundry-agent config check" },
  ]);
}

function statusLine(health: Health, running: Running): string {
  const worst = health.list()[0];
  if (worst !== undefined && worst.severity !== "info") return worst.text;
  const apis = running.loops.map((loop) => loop.api.name);
  return apis.length === 0 ? "collecting, local only" : `reporting to ${apis.join(", ")}`;
}
