/**
 * One life of the main process: the real store and the real executor, a server that is a few lines in a file, and a
 * host whose uptime moves when somebody waits for it.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { Picture } from "../../../src/commands/after-boot/picture.ts";
import type { AfterBootPort } from "../../../src/commands/after-boot/verify.ts";
import { openExecutor } from "../../../src/commands/executor/executor.ts";
import type { OwnFacts } from "../../../src/commands/executor/ports.ts";
import type { Facts, GateVerdict, Subject } from "../../../src/commands/gates/gate.ts";
import { evaluateGates } from "../../../src/commands/gates/gates.ts";
import { whyOf } from "../../../src/commands/journal/event.ts";
import type { CommandRecord } from "../../../src/commands/record.ts";
import { socketHelper } from "../../../src/helper/link/client.ts";
import { readPolicy } from "../../../src/helper/policy/policy.ts";
import type { HelperPort } from "../../../src/helper/port.ts";
import type { RebootLook } from "../../../src/helper/reboot/look.ts";
import { isFinal } from "../../../src/model/command.ts";
import type { Logger } from "../../../src/model/log.ts";
import { openHoldFile } from "../../../src/store/hold-file.ts";
import { openStore } from "../../../src/store/store.ts";
import { hostClock } from "../../../src/system/clock.ts";
import { commandTypes, theCommand, unmark } from "./commands.ts";
import { copyJournal } from "./disk.ts";
import { openDirect } from "./helper.ts";
import type { Points } from "./points.ts";
import { watchStore } from "./store.ts";
import { COMMAND_ID, type Job, places, SOURCE } from "./types.ts";

/** Looks at a host that is going down before it is down. */
const LOOKS_BEFORE_DOWN = 2;

/** Until nothing is left to be done in this life. @returns whether something is left to be told */
export async function liveMain(job: Job, points: Points): Promise<{ pending: number }> {
  const at = places(job.world);
  const { point } = points;
  const clock = hostClock();
  const log = silent(job.world);
  const opened = openStore(at.state, { clock });
  opened.setSubscribers([SOURCE]);
  copyJournal(job);
  point("main: state opened");
  const { store, writeLate } = watchStore(job, opened, points);
  const own = job.together ? openDirect(job, points) : null;
  const asked = own?.port ?? socketHelper({ path: at.socket });
  const bootId = readFileSync(at.bootId, "utf8").trim();
  const uptimeMs = (): number => Math.round(Number(readFileSync(at.uptime, "utf8").split(" ")[0]) * 1_000);
  const online = job.server !== "gone" || job.life > 1;
  let waits = 0;

  const helper: HelperPort = {
    how: { kind: "socket" },
    async call(operation, args, signal, options) {
      point(`main: ask ${operation}`);
      try {
        return await asked.call(operation, args, signal, options);
      } finally {
        point(`main: answer of ${operation}`);
        if (operation === "reboot") writeLate();
      }
    },
  };

  /** One round with the server: what is pending arrives, and is acknowledged where the answer comes back. */
  function round(): void {
    const events = store.pendingEvents(SOURCE, 100);
    if (!online || events.length === 0) return;
    for (const { id, type, data } of events) points.say({ kind: "arrived", id, type, data });
    point("main: told");
    if (job.server === "answer_lost" && job.life === 1) return;
    store.acknowledgeEvents(
      SOURCE,
      events.map(({ id }) => id),
    );
  }

  async function verdicts(
    record: CommandRecord,
    known: OwnFacts,
    look: boolean,
    signal: AbortSignal,
  ): Promise<readonly GateVerdict[]> {
    const args = { id: null, source: SOURCE, method: "graceful" };
    let seen: RebootLook | null = null;
    try {
      if (look) seen = (await helper.call("reboot.look", args, signal)) as RebootLook;
    } catch (error) {
      return [{ gate: "helper", verdict: "wait", why: { ...whyOf(error), code: "helper_silent" } }];
    }
    const policy = readPolicy(at.policy, process.geteuid?.() ?? 0);
    return evaluateGates(subject(record), facts(known, seen), {
      ...{ policy, policyFile: at.policy, forceAllowed: false, windows: [], timeZone: "UTC" },
      ...{ configFile: "config.toml", waitForSessions: false, uptimeGuardMs: 0 },
    });
  }

  const executor = openExecutor({
    types: commandTypes(job, points),
    state: {
      journal: store,
      values: store.values("commands"),
      durable: () => true,
      memory: store.memory("commands.server_time"),
      holds: openHoldFile(at.state),
      lost: { get: () => store.lost, set: store.keepLost, sources: () => [SOURCE] },
    },
    host: {
      ...{ bootId, uptimeMs, clock, way: () => null },
      async pause(ms) {
        if (existsSync(at.stopping) && ++waits > LOOKS_BEFORE_DOWN) points.hostDown();
        writeFileSync(at.uptime, `${((uptimeMs() + ms) / 1_000).toFixed(3)} 1.00\n`);
        // Time is only written down here; a helper that is being started takes its own.
        await pause(job.together || existsSync(at.socket) ? 2 : 200);
      },
    },
    gates: {
      settings: () => ({ graceS: 0, splayS: 0 }),
      policy: () => ({
        policy: readPolicy(at.policy, process.geteuid?.() ?? 0),
        problem: null,
        file: "policy.toml",
      }),
      nodeId: () => "node_1",
      signature: () => null,
      verdicts,
    },
    hands: { helper: () => helper, undo: unmark(job, points) },
    afterBoot: afterBoot(points),
    tell: {
      log,
      async report() {
        point("main: report");
        round();
        point("main: after report");
      },
      conditions: () => undefined,
    },
  });

  function deliver(): void {
    const row = store.command(COMMAND_ID);
    const again = row !== null && isFinal(row.state) && !store.answerPending(SOURCE, COMMAND_ID);
    points.say({ kind: "delivered", again });
    const none = { source: SOURCE, cancel: [], openCommands: [], rejected: [], serverNow: clock.now() };
    executor.deliver({ ...none, commands: [theCommand(job)] });
    round();
  }

  if (job.life === 1 || job.redelivery === "always" || !hasArrived(job.world)) deliver();
  if (job.mutant === "calls_again" && store.command(COMMAND_ID)?.state === "rebooting") {
    const again = { id: COMMAND_ID, source: SOURCE };
    await helper
      .call("reboot", { method: "graceful" }, new AbortController().signal, again)
      .catch(() => undefined);
  }
  executor.start({ acts: { collect: no, smartWay: no, diagnostics: no }, changed: () => undefined });
  for (let idle = 0; ; ) {
    await pause(2);
    const over = store.unfinishedCommands().length === 0 && store.undo.list().length === 0;
    if (over && existsSync(at.stopping)) points.hostDown();
    if (over) break;
    idle = executor.active() === null ? idle + 1 : 0;
    // Whatever it waits for, it looks again from time to time; this is that time.
    if (idle > 0 && idle % 5 === 0) executor.look();
    if (idle > 20 && existsSync(at.stopping)) points.hostDown();
  }
  await executor.stop();
  round();
  store.flush(clock.now(), true);
  const pending = store.pendingCount(SOURCE);
  store.close();
  own?.close();
  return { pending };
}

/** A disk is mounted before the boot, and a while after it. */
function afterBoot({ point }: Points): AfterBootPort {
  const mounted: Picture = {
    seen: ["mount"],
    items: [{ kind: "mount", id: "/srv", name: "/srv", is: "writable" }],
    settled: true,
  };
  let looks = 0;
  return {
    async note() {
      point("main: note what works");
      return mounted;
    },
    async look() {
      point("main: look after the boot");
      return ++looks < 3 ? { ...mounted, items: [] } : mounted;
    },
    boundMs: () => 60_000,
    keep: () => point("main: keep what is worse"),
  };
}

function subject({ asked }: CommandRecord): Subject {
  const { id, type, source, mode, params } = asked;
  return {
    ...{ id, type, source, mode, params, expiresAt: null, issuedAt: null, signed: false },
    needs: { hardware: true, disruptive: type !== "two_steps" },
    notBeforeUptimeMs: null,
  };
}

/** A host on which nothing speaks against it but what the helper says. */
function facts(known: OwnFacts, seen: RebootLook | null): Facts {
  return {
    ...known,
    clockTrusted: true,
    hardware: true,
    helper: { present: true },
    helperLook:
      seen === null
        ? null
        : {
            shutdown: { scheduled: seen.shutdown.scheduled, underWay: seen.shutdown.under_way },
            refusal:
              seen.refusal === null
                ? null
                : { code: seen.refusal.code, text: seen.refusal.text, nextStep: seen.refusal.next_step },
            againInMinutes: seen.again_in_minutes,
          },
    storage: { writable: true, volatile: null },
    ...{ inhibitors: [], packageLock: false, updates: [], sessions: [], osds: { is: "no" } as const },
  };
}

function hasArrived(world: string): boolean {
  return readFileSync(places(world).log, "utf8").includes('"kind":"arrived"');
}

function no(): never {
  throw new Error("nobody asks for this here");
}

/** Only what must not be said at all: mistakes of the agent's own. */
function silent(world: string): Logger {
  const quiet = (): void => undefined;
  const wrong = (...said: unknown[]): void => {
    const [fields] = said as [{ err?: Error }];
    if (fields?.err !== undefined) writeFileSync(`${world}/mistake`, String(fields.err.stack), { flag: "a" });
  };
  const log: Logger = {
    ...{ level: "error", debug: quiet, info: quiet, warn: quiet, error: wrong, fatal: wrong },
    child: () => log,
  };
  return log;
}
