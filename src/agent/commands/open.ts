/**
 * The executor of commands in its place: fed with this host's facts, the policy and the configuration as they are
 * at the moment of each look. It outlives reloads, so that a command under way is no business of a new configuration.
 */

import { openExecutor } from "../../commands/executor/executor.ts";
import type { Executor } from "../../commands/executor/types.ts";
import { readUptime } from "../../commands/facts/facts.ts";
import { COMMAND_TYPES } from "../../commands/index.ts";
import { parseRecord } from "../../commands/record.ts";
import { isFinal } from "../../model/command.ts";
import type { EventDraft } from "../../model/event.ts";
import type { Logger } from "../../model/log.ts";
import type { NodeStatus } from "../../model/report.ts";
import { openHoldFile } from "../../store/hold-file.ts";
import type { Store } from "../../store/types.ts";
import type { Machine } from "../../system/machine.ts";
import type { Health } from "../conditions/health.ts";
import type { Configured } from "../configured.ts";
import { type AfterBoot, openAfterBoot } from "./after-boot/open.ts";
import { openCommandGates } from "./gate-facts.ts";

export interface CommandingOptions {
  readonly machine: Machine;
  readonly log: Logger;
  readonly store: Store;
  /** Its folder. */
  readonly stateDir: string;
  readonly health: Health;
  readonly bootId: string;
  readonly running: () => Configured;
}

export interface Commanding {
  readonly executor: Executor;
  readonly afterBoot: AfterBoot;
}

export function openCommanding(options: CommandingOptions): Commanding {
  const { machine, log, store, health, bootId, running } = options;
  const { clock, files } = machine;
  const gates = openCommandGates(options);

  /** Round by round until everything is told, or it took too long. */
  async function report(source: string, signal: AbortSignal): Promise<void> {
    const loop = running().loops.find(({ api }) => api.name === source);
    if (loop === undefined) return;
    const late = new Promise<void>((resolve) =>
      signal.addEventListener("abort", () => resolve(), { once: true }),
    );
    const told = (async () => {
      while (!signal.aborted && store.pendingCount(source) > 0) if (!(await loop.now()).ok) return;
    })();
    await Promise.race([told, late]);
  }

  /** As the section has it, which knows a container from a host. */
  const way = (): "firmware" | "kexec" | null => {
    const system = running().report().sections.system?.data as
      | { last_boot?: { way?: "firmware" | "kexec" | null } }
      | null
      | undefined;
    return system?.last_boot?.way ?? null;
  };
  const values = store.values("commands");
  const emit = (event: EventDraft): void => void store.appendEvents([event], clock.now());
  const afterBoot = openAfterBoot({ machine, health, emit, values, running });
  const executor = openExecutor({
    types: COMMAND_TYPES,
    state: {
      journal: store,
      values,
      durable: () => store.mode === "ok",
      memory: store.memory("commands.server_time"),
      holds: openHoldFile(options.stateDir),
      lost: {
        get: () => store.lost,
        set: store.keepLost,
        sources: () => running().loops.map(({ api }) => api.name),
      },
    },
    host: { bootId, uptimeMs: () => readUptime(files) ?? 0, clock, way },
    gates,
    hands: { helper: () => running().helper, undo: {} },
    afterBoot,
    tell: {
      log,
      report,
      conditions: (conditions) => health.set("commands", [...conditions, ...gates.conditions()]),
    },
  });
  return { executor, afterBoot };
}

/** For `systemctl status` and the report: what is going on, or what waits. */
export function commandLine(executor: Executor): string | null {
  const active = executor.active();
  if (active !== null && !isFinal(active.progress.state)) {
    const { asked, progress } = active;
    return `${asked.type} ${asked.id}: ${progress.state}${progress.step === null ? "" : ` (${progress.step})`}`;
  }
  // Anybody may ask systemd for this line: who holds it and why is on control.sock.
  if (executor.held() !== null) return "held: commands from the network wait";
  const [first] = executor.waiting();
  return first?.progress.why == null ? null : `${first.asked.type} waits: ${first.progress.why.text}`;
}

/** `rebooting` while the host is on its way down or up, `held` while commands are. */
export function commandStatus(executor: Executor): NodeStatus | null {
  const state = executor.active()?.progress.state;
  if (state === "rebooting" || state === "verifying") return "rebooting";
  return executor.held() === null ? null : "held";
}

/** Id of the command that ended the boot `from`, whatever became of it since; null: nobody asked us. */
export function askedReboot(store: Store, from: string): string | null {
  for (const row of store.rebootedFrom(from)) {
    const record = parseRecord(row.command, row.progress ?? null);
    if (record?.asked.mode === "live" && record.progress.reboot?.fromBootId === from) return row.id;
  }
  return null;
}
