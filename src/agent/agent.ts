/**
 * The house on one screen: what the daemon is made of, in the order it comes up and goes down.
 *
 * configuration → state → identity → conditions → collectors and control APIs (configured.ts) → sockets.
 */

import { type LoadedConfig, problemText } from "../config/config.ts";
import { changeTimes, watchConfig } from "../config/watch.ts";
import { errorText } from "../model/errors.ts";
import type { Logger } from "../model/log.ts";
import type { AgentView } from "../sockets/agent-view.ts";
import { listenOrTell } from "../sockets/metrics/listener.ts";
import { textfileWriter } from "../sockets/metrics/textfile.ts";
import { startStatusServer } from "../sockets/server.ts";
import { openStore } from "../store/store.ts";
import { openHousekeeping } from "../system/housekeeping.ts";
import type { Machine } from "../system/machine.ts";
import type { Notify } from "../system/notify.ts";
import { openBootWatch } from "./commands/boot-event.ts";
import { askedReboot, commandStatus, openCommanding } from "./commands/open.ts";
import { clockConditions } from "./conditions/clock.ts";
import { configConditions } from "./conditions/config.ts";
import { openHealth } from "./conditions/health.ts";
import { settleConditions } from "./conditions/settling.ts";
import { problemOf, statusLine } from "./conditions/status-line.ts";
import { openRunning, type Running } from "./configured.ts";
import { openDiagnostics } from "./diagnostics/make.ts";
import { openIdentity } from "./identity/identity.ts";
import type { LogTail } from "./log.ts";
import { viewOf } from "./view.ts";

export interface AgentOptions {
  /** Reads the configuration; called again at each reload. */
  readonly load: () => LoadedConfig;
  readonly machine: Machine;
  readonly log: Logger;
  /** Lines of `log`, for a diagnostics bundle. */
  readonly logTail?: LogTail;
  readonly notify: Notify;
  readonly version: string;
  /** Fires when it is to stop; a start under way then waits for no collector any more. */
  readonly signal?: AbortSignal;
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
 * @throws AgentError `config_invalid`, `state_locked`, `already_running`, `run_folder`, `socket_path`
 */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { machine, log, notify } = options;
  const { clock, files } = machine;
  const loaded = options.load();
  const asRead = changeTimes(loaded.watch);
  const startedAt = clock.now();
  const bootId = files.text("/proc/sys/kernel/random/boot_id") ?? "unknown";

  const store = openStore(loaded.config.agent.stateDir, { clock });
  /** What was built last: `running`, or what a reload is about to put in its place. */
  let newest: Running | null = null;
  const health = openHealth(
    clock,
    log,
    (event) => store.appendEvents([event], clock.now()),
    store.memory("agent.conditions"),
  );
  const identity = openIdentity(store, machine, { version: options.version });
  const housekeeping = openHousekeeping({ enabled: loaded.config.memory.housekeeping, log });

  function tick(): void {
    // First: it is what finds that the disk takes things again, or takes them no more.
    store.flush(clock.now());
    health.set("state", [...problemOf(store), ...identity.conditions(), ...textfile(view)]);
    health.set("clock", clockConditions(clock.now()));
    notify.watchdog();
    notify.status(statusLine(health, running, commands));
    housekeeping.tick();
  }

  function build(config: LoadedConfig, before: Running | null): Running {
    const built = openRunning({
      before,
      config: config.config,
      machine,
      log,
      store,
      health,
      identity,
      bootId,
      onTick: tick,
      onSynced: () => void setImmediate(housekeeping.tick),
      onSection: () => undefined,
      deliver: (source, outcome) => commands.deliver({ ...outcome, source }),
      commandStatus: () => commandStatus(commands),
    });
    newest = built;
    return built;
  }

  // Outlives reloads: what it carries out is no business of a new configuration.
  const commands = openCommanding({
    machine,
    log,
    store,
    health,
    bootId,
    running: () => newest ?? running,
    diagnostics: (...args) => diagnostics.carryOut(...args),
    changed: () => notify.status(statusLine(health, running, commands)),
  });
  const boot = openBootWatch(store, bootId, clock.now);
  let running: Running = build(loaded, null);
  let stopping = false;
  let started = false;
  let reloading: Promise<unknown> = Promise.resolve();
  let textfile = textfileWriter(loaded.config.metrics);
  let inEffect = loaded;
  const diagnostics = openDiagnostics({
    status: () => view.status(),
    running: () => running,
    loaded: () => inEffect,
    store,
    identity,
    clock,
    log,
    logTail: options.logTail ?? null,
  });
  const view = viewOf({
    running: () => running,
    store,
    commands,
    health,
    identity,
    version: options.version,
    bootId,
    startedAt,
    now: clock.now,
    monotonic: clock.monotonic,
    reload: () => reload(),
    diagnostics: diagnostics.make,
    settled: () => reloading,
    started: () => started,
    look: tick,
  });
  const sockets = await startStatusServer({
    view,
    runDir: loaded.config.agent.runDir,
    log,
    metrics: () => running.config.metrics,
    now: clock.now,
  }).catch((error: unknown) => {
    store.close();
    throw error;
  });
  let metrics = await listenOrTell(loaded.config.metrics, view, log, (found) => health.set("metrics", found));
  health.set("config", configConditions(loaded, loaded.config));

  /** One at a time: a changed file and the SIGHUP of whoever changed it come together. */
  function reload(): Promise<{ ok: boolean; problems: string[] }> {
    const next = reloading.then(readAgain);
    reloading = next.catch(() => undefined);
    return next;
  }

  /** A bad new configuration changes nothing but the condition that says so. */
  async function readAgain(): Promise<{ ok: boolean; problems: string[] }> {
    if (stopping) return { ok: false, problems: ["the agent is stopping"] };
    const next = options.load();
    health.set("config", configConditions(next, loaded.config));
    const problems = next.problems.map(problemText);
    if (problems.length > 0) return { ok: false, problems };
    notify.reloading();
    await running.stop();
    await metrics.close();
    if (stopping) return { ok: false, problems: ["the agent is stopping"] };
    log.level = next.config.agent.logLevel;
    const built = build(next, running);
    textfile = textfileWriter(next.config.metrics);
    metrics = await listenOrTell(next.config.metrics, view, log, (found) => health.set("metrics", found));
    await built.start();
    // Only now: until it has collected everything, what the one before knows is the better answer.
    running = built;
    inEffect = next;
    commands.look();
    notify.ready();
    log.info({ files: next.files }, "configuration read again");
    return { ok: true, problems: [] };
  }

  const changed = (): void => {
    reload().catch((error: unknown) => log.error({ err: error }, `reload failed: ${errorText(error)}`));
  };
  reloading = running.start();
  const endStart = (): void => void newest?.stop();
  if (options.signal?.aborted) endStart();
  else options.signal?.addEventListener("abort", endStart, { once: true });
  await reloading;
  started = true;
  settleConditions(health, running);
  notify.ready();
  boot.started(running.report(), (from) => askedReboot(store, from));
  commands.start();
  // Not before: loading what watches files is 8 ms of a start. What was written meanwhile is found by `onReady`.
  const watch = watchConfig(loaded.watch, changed, {
    // What was written between reading and watching is seen by nobody else.
    onReady: () => {
      if (changeTimes(loaded.watch) !== asRead) changed();
    },
    onError: (error) =>
      log.warn(`changes of the configuration are not seen (${errorText(error)}); SIGHUP reads it again`),
  });

  return {
    view,
    ...sockets,
    async stop() {
      stopping = true;
      notify.stopping();
      watch.close();
      await commands.stop();
      // A reload under way may wait for a collector that hangs: it ends with what it was making.
      await newest?.stop();
      await reloading;
      await sockets.close();
      await metrics.close();
      await running.stop();
      boot.stopped();
      store.flush(clock.now(), true);
      store.close();
    },
  };
}
