/**
 * The house on one screen: what the daemon is made of, in the order it comes up and goes down.
 *
 * configuration → state → conditions → identity → commands → what the configuration says (configured.ts, exchanged by
 * current.ts at a reload: collectors, control APIs, metrics) → sockets. Each names only what stands above it.
 */

import { openAcks } from "../collectors/smart/acks/book.ts";
import { readUptime } from "../commands/facts/facts.ts";
import type { LoadedConfig } from "../config/config.ts";
import { changeTimes, watchConfig } from "../config/watch.ts";
import { errorText } from "../model/errors.ts";
import type { EventDraft } from "../model/event.ts";
import type { Logger } from "../model/log.ts";
import type { AgentView } from "../sockets/agent-view.ts";
import { openLive } from "../sockets/metrics/live/live.ts";
import { startStatusServer } from "../sockets/server.ts";
import { openAckFile } from "../store/file/ack-file.ts";
import { openStore } from "../store/store.ts";
import { openHousekeeping } from "../system/housekeeping.ts";
import type { Machine } from "../system/machine.ts";
import type { Notify } from "../system/notify.ts";
import { commandActs } from "./commands/acts.ts";
import { openBootWatch } from "./commands/boot-event.ts";
import { askedReboot, commandStatus, openCommanding } from "./commands/open.ts";
import { openRetelling } from "./commands/retelling/retelling.ts";
import { clockConditions } from "./conditions/clock.ts";
import { openFirstMinute } from "./conditions/first-minute.ts";
import { openHealth } from "./conditions/health.ts";
import { SETTLE_MS } from "./conditions/settling.ts";
import { problemOf, statusLine } from "./conditions/status-line.ts";
import { openConfigured } from "./configured.ts";
import { type Build, openCurrent } from "./current.ts";
import { openDiagnostics } from "./diagnostics/make.ts";
import { openIdentity } from "./identity/identity.ts";
import type { LogTail } from "./log.ts";
import { statusOf } from "./status.ts";
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
  /** How long what is absent may still come after the start, milliseconds; a minute when left out. */
  readonly settleMs?: number;
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
  const { machine, log, notify, load, version, settleMs = SETTLE_MS } = options;
  const { clock, files } = machine;
  const loaded = load();
  const asRead = changeTimes(loaded.watch);
  const startedAt = clock.now();
  const bootId = files.text("/proc/sys/kernel/random/boot_id") ?? "unknown";

  const { runDir, stateDir } = loaded.config.agent;
  const store = openStore(stateDir, { clock });
  const emit = (event: EventDraft): void => void store.appendEvents([event], clock.now());
  const health = openHealth(clock, log, emit, store.memory("agent.conditions"), settleMs);
  const firstMinute = openFirstMinute({ health, clock, settleMs, running: () => current.running() });
  const identity = openIdentity(store, machine, { version });
  const acks = openAcks(openAckFile(stateDir));
  const housekeeping = openHousekeeping({ enabled: loaded.config.memory.housekeeping, log });

  const current = openCurrent({ loaded, load, health, log, notify });
  const { running } = current;
  // Outlives reloads: what it carries out is no business of a new configuration.
  const commanding = openCommanding({
    machine,
    log,
    store,
    stateDir,
    health,
    bootId,
    running: current.newest,
  });
  const { executor: commands, afterBoot } = commanding;
  const retelling = openRetelling(store, clock, log);
  const uptimeMs = () => readUptime(files);
  const boot = openBootWatch(store, { bootId, clock, uptimeMs, systemd: afterBoot.systemd });
  const parts = { running, store, commands, afterBoot, health, identity, clock };
  const status = statusOf({ ...parts, version, bootId, startedAt, uid: machine.uid });
  const logTail = options.logTail ?? null;
  const diagnostics = openDiagnostics({ ...parts, status, loaded: current.loaded, log, logTail });
  const tellStatus = (): void => notify.status(statusLine(health, running(), commands));

  const tellFloods = (): void => health.set("commands.quota", commands.conditions());

  function look(): void {
    // First: it is what finds that the disk takes things again, or takes them no more.
    store.flush(clock.now());
    health.set("state", [...problemOf(store), ...identity.conditions()]);
    health.set("clock", clockConditions(clock.now()));
    tellFloods();
    afterBoot.ticked();
    firstMinute.look();
  }

  const view = viewOf({
    ...{ ...parts, current, acks, log, status, diagnostics: diagnostics.make, now: clock.now, look },
    live: openLive(machine),
  });
  const build: Build = ({ config }, before) =>
    openConfigured({
      ...{ before, config, machine, log, store, health, identity, bootId, acks, view },
      onTick() {
        look();
        notify.watchdog();
        tellStatus();
        boot.ticked();
        housekeeping.tick();
      },
      onSynced: () => void setImmediate(housekeeping.tick),
      deliver(source, outcome) {
        afterBoot.reached(source);
        const { api } = running().loops.find((loop) => loop.api.name === source) ?? {};
        if (outcome.epoch !== undefined)
          retelling.answered(source, outcome.epoch, api?.status().nodeId ?? null);
        const fresh = commands.deliver({ ...outcome, source });
        tellFloods();
        return fresh;
      },
      commandStatus: () => commandStatus(commands),
    });
  current.begin(build, commands.look);

  const metrics = () => running().config.metrics;
  const sockets = await startStatusServer({ view, runDir, log, metrics, now: clock.now }).catch(
    (error: unknown) => {
      store.close();
      throw error;
    },
  );
  await current.start(options.signal);
  afterBoot.start();
  notify.ready();
  store.markStart();
  boot.started(running().report(), (from) => askedReboot(store, from));
  commands.start({ acts: commandActs(current.newest, diagnostics.carryOut), changed: tellStatus });
  // Last: whoever has something to say that held before the start has said it by now.
  running().settle();

  const reload = (): void => {
    current
      .reload()
      .catch((error: unknown) => log.error({ err: error }, `reload failed: ${errorText(error)}`));
  };
  // Not before: loading what watches files is 8 ms of a start. What was written meanwhile is found by `onReady`.
  const watch = watchConfig(loaded.watch, reload, {
    // What was written between reading and watching is seen by nobody else.
    onReady: () => {
      if (changeTimes(loaded.watch) !== asRead) reload();
    },
    onError: (error) =>
      log.warn(`changes of the configuration are not seen (${errorText(error)}); SIGHUP reads it again`),
  });

  return {
    view,
    ...sockets,
    async stop() {
      current.freeze();
      firstMinute.stop();
      notify.stopping();
      watch.close();
      afterBoot.stop();
      await commands.stop();
      await current.stop();
      await sockets.close();
      boot.stopped();
      store.flush(clock.now(), true);
      store.close();
    },
  };
}
