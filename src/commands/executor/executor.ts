/**
 * Carries commands out, one at a time: what machine.ts decides is written down first and done then. Between two
 * steps there is nothing in here that the journal has not, so the process may end at any moment.
 */
import { isFinal, NEVER_BEGUN } from "../../model/command.ts";
import type { ConditionDraft } from "../../model/condition.ts";
import { AgentError, errorCode } from "../../model/errors.ts";
import { openVerifying } from "../after-boot/verify.ts";
import { type Acts, type AnyCommandType, REBOOT_STEP } from "../command-type.ts";
import { whyOf } from "../journal/event.ts";
import { openJournal } from "../journal/journal.ts";
import type { Input } from "../machine.ts";
import { openFloods } from "../quota/floods.ts";
import { openJournalRoom } from "../quota/room.ts";
import type { CommandRecord } from "../record.ts";
import { openSaid } from "../said.ts";
import { openLooking } from "./gate-look.ts";
import { openHold } from "./hold.ts";
import { openIntake } from "./intake/intake.ts";
import type { ExecutorPorts } from "./ports.ts";
import { openRebootFlow } from "./reboot-flow.ts";
import { openServerTime } from "./server-time.ts";
import { openLost } from "./state-lost.ts";
import { openSteps } from "./steps.ts";
import type { Executor, LocalRequest } from "./types.ts";
import { openUndoing } from "./undo.ts";
import { isActive, openUnfinished } from "./unfinished.ts";
import { openWaker } from "./waker.ts";

/** How often a reason to wait is looked at. */
const LOOK_MS = 15_000;

export function openExecutor(ports: ExecutorPorts): Executor {
  const { state, host, gates, tell } = ports;
  const { log } = tell;
  const types = new Map<string, AnyCommandType>(ports.types.map((type) => [type.type, type]));
  const stop = new AbortController();
  const stopping = stop.signal;
  const waker = openWaker(stopping);
  const pause = host.pause ?? waker.pause;
  const journal = openJournal(state.journal, host.clock, log);
  const time = openServerTime(host, state);
  const open = openUnfinished(
    journal,
    (type) => types.has(type),
    () => lost.closeOutdated(),
  );
  let unsettled: ConditionDraft | null = null;
  let loop: Promise<void> | null = null;
  let changed = (): void => undefined;
  /** Why a command can't be carried on, by id. */
  const troubles = openSaid((id) => !open.list().some(({ asked }) => asked.id === id));

  const hold = openHold(state, host.clock, () => {
    tellConditions();
    kick();
  });
  const undoing = openUndoing(ports, stopping, tellConditions);
  const flow = openRebootFlow(ports, {
    apply,
    pause,
    stopping,
    unsettled(condition) {
      unsettled = condition;
      tellConditions();
    },
  });
  const verify = openVerifying(ports.afterBoot, host, { apply, pause, stopping });
  const looking = openLooking(ports, { journal, time, hold, active: open.active, apply, typeOf, stopping });
  const steps = openSteps(ports.hands, { apply, undoing, stopping });
  const floods = openFloods(host.clock);
  const room = openJournalRoom(state.journal, host.clock.now, open.count);
  const lost = openLost(state.lost, journal, () => {
    tellConditions();
    kick();
  });
  const settle = lost.settle;
  const intake = openIntake(ports, {
    ...{ types, journal, time, kick, settle, floods, room, cancel },
    unfinished: open.count,
  });

  function typeOf(record: Pick<CommandRecord, "asked">): AnyCommandType {
    const type = types.get(record.asked.type);
    if (type === undefined)
      throw new AgentError(
        "unsupported",
        `this version of the agent does not carry out ${record.asked.type}`,
      );
    return type;
  }

  function apply(record: CommandRecord, input: Input): CommandRecord {
    const next = journal.advance(open.newest(record), input, typeOf(record));
    open.put(next);
    if (isFinal(next.progress.state)) undoing.commandOver(next.asked.id);
    // A rehearsal is what a host is shipped to answer with: it counts with what was taken.
    if (NEVER_BEGUN.includes(next.progress.state) && next.progress.state !== "rehearsed")
      floods.refused(next.asked.source, next.progress.why?.code ?? next.progress.state);
    changed();
    return next;
  }

  function tellConditions(): void {
    const open = unsettled === null ? [] : [unsettled];
    tell.conditions([...open, ...lost.conditions(), ...hold.conditions(), ...undoing.conditions()]);
  }

  function kick(): void {
    open.read();
    changed();
    waker.wake();
  }

  /** One thing after another until the agent stops. */
  async function run(acts: Acts): Promise<void> {
    open.read();
    while (!stopping.aborted) {
      // What an earlier life left in the middle, or what could not be written down at first.
      const going = open.active();
      const begun = going ?? (await lookAtWaiting());
      if (begun === null) await waker.wait(open.list().length > 0 ? nextLookMs() : null);
      else if ((await guarded(begun, () => carryOn(going === null ? begun : pickUp(begun), acts))) === null)
        await pause(LOOK_MS);
    }
  }

  /** Whatever goes wrong in it: the next command is looked at all the same. */
  async function keepRunning(acts: Acts): Promise<void> {
    while (!stopping.aborted) {
      await run(acts).catch((error: unknown) =>
        log.error({ err: error }, "commands stopped by a mistake of the agent's own"),
      );
      await pause(LOOK_MS);
    }
  }

  /** Nobody knows how far its step came. */
  function pickUp(record: CommandRecord): CommandRecord {
    return record.progress.state === "running" ? apply(record, { kind: "interrupted" }) : record;
  }

  /** The first whose gates all let it through, begun. */
  async function lookAtWaiting(): Promise<CommandRecord | null> {
    // Who stands before the host does not wait behind a hundred wishes of a server.
    const local = (record: CommandRecord): number => (record.asked.source === "local" ? 0 : 1);
    for (const record of open.list().toSorted((a, b) => local(a) - local(b))) {
      if (stopping.aborted) return null;
      if (isActive(record)) continue;
      const next = await guarded(record, () => looking.lookAt(record));
      if (next?.progress.state === "running") return next;
    }
    return null;
  }

  /** Through its steps to its end, or until the agent stops. */
  async function carryOn(given: CommandRecord, acts: Acts): Promise<true> {
    let record = given;
    while (isActive(record) && !stopping.aborted) {
      if (record.progress.state === "verifying") record = await verify(record);
      else if (record.progress.state === "rebooting") record = await flow.settle(record);
      else if (record.progress.step === REBOOT_STEP) record = await flow.begin(record, typeOf(record));
      else record = await steps.run(record, typeOf(record), acts);
    }
    return true;
  }

  function cancel(id: string, by: string): CommandRecord | null {
    const record = journal.read(id);
    if (record === null || isFinal(record.progress.state) || !types.has(record.asked.type)) return record;
    const next = apply(record, { kind: "cancel", by });
    steps.cancel(id, by);
    waker.wake();
    return next;
  }

  /** One command's trouble must not stop the others. What can't be written down is not done, and tried again later. */
  async function guarded<T>(record: CommandRecord, work: () => Promise<T>): Promise<T | null> {
    const { id } = record.asked;
    try {
      const done = await work();
      troubles.forget(id);
      return done;
    } catch (error) {
      const code = errorCode(error);
      const fields = { command: id, code, ...(error instanceof AgentError ? {} : { err: error }) };
      // Once, not at each look.
      if (troubles.isNew(id, code)) log.warn(fields, `not carried on: ${whyOf(error).text}`);
      open.read();
      return null;
    }
  }

  function nextLookMs(): number {
    const graces = open
      .list()
      .map(({ progress: { notBefore } }) =>
        notBefore?.bootId === host.bootId ? notBefore.uptimeMs - host.uptimeMs() : 0,
      );
    return Math.min(LOOK_MS, ...graces.filter((left) => left > 0).map((left) => left + 50));
  }

  return {
    deliver: intake.deliver,
    submit: intake.submit,
    cancel(id, by) {
      const record = cancel(id, by);
      if (record === null)
        throw new AgentError(
          "no_such_command",
          `no command with the id "${id}" is known`,
          "foundry-agent commands",
        );
      const { state } = record.progress;
      if (state === "cancelled" || state === "running") return record;
      throw new AgentError(
        "too_late",
        `it is too late to cancel this ${record.asked.type}: its state is ${state}`,
        `foundry-agent commands ${id}`,
      );
    },
    async dryRun(request: LocalRequest) {
      const record = intake.draft(request);
      const look = typeOf(record).reboot !== undefined && record.asked.mode === "live";
      const own = { ...looking.ownFacts(record), noRoom: room.noRoom(record.asked) };
      return await gates.verdicts(record, own, look, stopping);
    },
    hold: hold.set,
    release: hold.release,
    held: hold.held,
    settleLost: lost.settleAll,
    active: open.active,
    waiting: open.waiting,
    record: journal.read,
    time: time.known,
    conditions: () => [...floods.conditions(), ...room.conditions()],
    forgetTime: time.forget,
    start(agent) {
      changed = agent.changed;
      tellConditions();
      undoing.start();
      loop ??= keepRunning(agent.acts);
    },
    look: kick,
    async stop() {
      stop.abort(new AgentError("stopping", "the agent is stopping"));
      waker.wake();
      await loop;
      await undoing.stop();
      time.keep();
    },
  };
}
