/** The daemon as the two sockets see it: every answer from what is there, every action through its owner. */

import { forgetDrive } from "../collectors/drives/missing.ts";
import type { AckBook } from "../collectors/smart/acks/book.ts";
import type { Executor } from "../commands/executor/types.ts";
import { apiToEnroll, controlSections, refuseKeyOfAnother } from "../control/index.ts";
import { AgentError, errorCode } from "../model/errors.ts";
import type { Logger } from "../model/log.ts";
import { ownFile } from "../model/text/own-file.ts";
import type { AgentView } from "../sockets/agent-view.ts";
import type { openLive } from "../sockets/metrics/live/live.ts";
import type { Store } from "../store/types.ts";
import type { AfterBoot } from "./commands/after-boot/open.ts";
import { driveAcks } from "./commands/drive-acks.ts";
import { driveActs } from "./commands/drive-acts.ts";
import type { Health } from "./conditions/health.ts";
import type { Current } from "./current.ts";
import type { IdentityKeeper } from "./identity/identity.ts";
import type { SyncLoop } from "./reporting/sync-types.ts";

export interface ViewOptions {
  readonly current: Current;
  readonly store: Store;
  readonly commands: Executor;
  readonly afterBoot: AfterBoot;
  readonly health: Health;
  readonly identity: IdentityKeeper;
  readonly acks: AckBook;
  readonly log: Logger;
  readonly status: AgentView["status"];
  readonly diagnostics: AgentView["diagnostics"];
  readonly live: ReturnType<typeof openLive>;
  readonly now: () => number;
  /** What is wrong with the state and the identity is looked at now, not at the next tick. */
  readonly look: () => void;
}

const CHECK_MS = 60_000;

export function viewOf(options: ViewOptions): AgentView {
  const { current, store, commands, health, identity, now } = options;
  const { running, settled } = current;

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
        ? `write ${controlSections()} and enabled = true into ${ownFile(running().config.file)}`
        : `foundry-agent status  # there is: ${names}`,
    );
  }

  return {
    status: options.status,
    report: () => running().report(),
    hashes: () => running().ledger.hashes(),
    confidential: current.confidential,
    collectors: () => running().collectors,
    live: () => options.live(new Set(running().collectors.map(({ name }) => name))),
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
    ackReboot: options.afterBoot.accept,
    dryRunCommand: (request) => commands.dryRun(request),
    hold: (hold) => commands.hold(hold),
    release: (by) => commands.release(by),
    async collect(name) {
      // During the start it joins the first collection, of which another may hang.
      if (current.started()) await settled();
      return await running().schedule.runNow(name);
    },
    async sync(name) {
      await settled();
      return await Promise.all(
        loops(name).map(async (loop) => {
          const { ok, text, nextStep } = await loop.now();
          return { name: loop.api.name, ok, text, nextStep };
        }),
      );
    },
    reload: current.reload,
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
    ...driveActs(current),
    ...driveAcks({ current, store, acks: options.acks, log: options.log, now }),
    async check(name) {
      return await Promise.all(
        loops(name).map(async (loop) => ({
          name: loop.api.name,
          results: await loop.api.check(AbortSignal.timeout(CHECK_MS)),
        })),
      );
    },
    async enroll(name, key, enrolOptions) {
      await settled();
      const configured = running().loops.map(({ api }) => ({ name: api.name, ...api.status() }));
      const known = configured.length > 0 && (name === null || configured.some((one) => one.name === name));
      const [loop] = loops(known ? apiToEnroll(name, configured) : (name ?? "")) as [SyncLoop];
      refuseKeyOfAnother(key, loop.api.name);
      await loop.api.enroll(key, enrolOptions, AbortSignal.timeout(CHECK_MS));
      commands.forgetTime();
      loop.forget();
      await loop.now();
      const { nodeId, mode, nodeName = null } = loop.api.status();
      return { nodeId: nodeId ?? "", mode: mode ?? "", nodeName };
    },
    async adopt(undo) {
      await settled();
      const wasLost = !undo && commands.settleLost();
      if (undo) identity.undoAdopt();
      else if (identity.isDoubtful() || !wasLost) identity.adopt();
      // The same node as before to everybody.
      else return;
      options.look();
      commands.look();
      health.tellAgain();
      for (const loop of running().loops) loop.forget();
    },
    async resetIdentity() {
      await settled();
      identity.reset();
      options.look();
      commands.look();
      health.tellAgain();
      for (const loop of running().loops) loop.forget();
    },
    async leave(name) {
      await settled();
      for (const loop of loops(name)) {
        await loop.api.leave(AbortSignal.timeout(CHECK_MS));
        commands.forgetTime();
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
