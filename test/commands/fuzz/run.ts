/** One random stream against a real executor on a real store, with the model looking on. */
import type { GatePort } from "../../../src/commands/executor/ports.ts";
import type { GateVerdict } from "../../../src/commands/gates/gate.ts";
import { AgentError } from "../../../src/model/errors.ts";
import { type Rig, rig } from "../../support/commands/executor-rig.ts";
import { START } from "../../support/store/store.ts";
import { verdictsOf } from "./gates.ts";
import { fuzzHost } from "./host.ts";
import { isOver, type Outside, referenceModel, type Spec } from "./model.ts";
import { type Fault, type Mistake, watchedStore } from "./store.ts";
import type { Act, Happening, Offer } from "./stream.ts";

/** @returns what was wrong, and how many commands were delivered */
export async function runStream(
  happenings: readonly Happening[],
  mistake: Mistake | null = null,
): Promise<{ wrong: readonly string[]; commands: number }> {
  let boots = 1;
  let commands = 0;
  let inhibited = false;
  let epoch = 1;
  let seq = 1;
  const slowLook: { now: PromiseWithResolvers<void> | null } = { now: null };
  const fault: Fault = { next: null };
  let killed = false;
  /** By id: the boot on which the server last heard of it. */
  const bootHeard = new Map<string, string>();
  const outside: Outside = {
    serverNow: START,
    wallNow: () => made.clock.now(),
    bootId: () => made.host.bootId,
    goingDown: () => host.goingDown,
    timeKnown: false,
    trouble: false,
    absentOnce: false,
    offers: [],
    closing: new Map(),
  };
  const model = referenceModel(outside);
  const host = fuzzHost(() => made.host.uptimeMs, model.called, model.acted);
  const operations = { ...host.operations };
  if (mistake === "asks_twice")
    operations.reboot = async (...asked) => {
      await host.operations.reboot?.(...asked);
      return await host.operations.reboot?.(...asked);
    };
  const made: Rig = rig(
    { operations, uptimeMs: 1_000_000 },
    {
      through: (store) => watchedStore(store, model, mistake, fault, kill),
      pause: host.pause,
      gates: {
        verdicts,
        signature: ({ signature }) =>
          signature === null ? null : { code: "bad_signature", text: "Not by its sender.", nextStep: null },
      },
    },
  );

  /** At this moment; what calls it goes no further. */
  function kill(): void {
    made.kill();
    killed = true;
    throw new Error("killed");
  }

  async function verdicts(
    ...[{ asked, progress }, own, look, signal]: Parameters<GatePort["verdicts"]>
  ): Promise<readonly GateVerdict[]> {
    model.looked(asked.id, own.hold !== null, inhibited);
    const found = verdictsOf({ asked, progress }, mistake === "ignores_hold" ? { ...own, hold: null } : own, {
      bootId: made.host.bootId,
      isAbsent: host.mode === "absent",
      goesDown: look ? host.goingDown !== null : null,
      inhibited,
    });
    const gone = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => gone.resolve(), { once: true });
    if (slowLook.now !== null && !signal.aborted) await Promise.race([slowLook.now.promise, gone.promise]);
    return found;
  }

  /** Until it waits for something that only the stream can bring. */
  async function quiet(): Promise<void> {
    if (!killed) made.executor.look();
    for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  /** The agent's way out and in again, in which its waits are over. */
  async function passing(ending: () => Promise<void>): Promise<void> {
    killed = false;
    // Before the next life begins, which is in there.
    outside.timeKnown = false;
    let done = false;
    const whole = ending().finally(() => {
      done = true;
    });
    for (let turn = 0; !done; turn++) {
      if (turn === 1_000)
        throw new Error(`the agent does not end: ${JSON.stringify([...model.rows.values()])}`);
      host.agentEnded();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await whole;
    outside.trouble = true;
    host.timePassed();
  }

  async function revive(state: "kept" | "lost"): Promise<void> {
    made.kill();
    // Nothing of what was heard and not written down is known any more.
    if (state === "lost") model.stateLost();
    await passing(() => made.revive(state));
    if (state === "lost") register();
  }

  async function boot(orderly: boolean): Promise<void> {
    const { goingDown } = host;
    if (goingDown !== null) model.acted("boot", goingDown);
    if (!orderly) made.kill();
    const bootId = `boot-${++boots}`;
    const next = (): void => {
      outside.serverNow += 60_000;
      Object.assign(made.host, { bootId, uptimeMs: 20_000 });
      host.booted();
    };
    if (orderly) {
      // The agent ends on the boot that goes down.
      await passing(() => made.executor.stop());
      next();
      await passing(() => made.restart());
    } else {
      next();
      await passing(() => made.revive("kept"));
    }
  }

  function time(ms: number): void {
    made.host.uptimeMs += ms;
    outside.serverNow += ms;
    made.clock.forward(ms);
    host.timePassed();
  }

  function deliver(given: Parameters<Rig["deliver"]>[0], clock: boolean): void {
    if (killed) return;
    if (clock) outside.timeKnown = true;
    try {
      made.deliver({ serverNow: clock ? outside.serverNow : null, ...given });
    } catch (error) {
      if (!killed) throw error;
    } finally {
      outside.offers = [];
      outside.closing = new Map();
    }
  }

  function specOf({ who, shape, mode, seq: kind, issuedInMs, expiresInMs }: Offer): Spec {
    const now = outside.serverNow;
    return {
      ...{ id: `c${who}`, type: shape.type, params: shape.params, flaw: shape.flaw, mode },
      seq: kind === "next" ? ++seq : 1,
      epoch: `e${epoch}`,
      issuedAt: now + issuedInMs,
      expiresAt: expiresInMs === null ? null : now + expiresInMs,
    };
  }

  function deliverOffers(act: Extract<Act, { do: "deliver" }>): void {
    const offers = act.offers.map(specOf).filter(({ id }) => model.mayOffer(id));
    const rejected = act.rejected.map((who) => `c${who}`).filter(model.mayOffer);
    const cancel = act.cancel.map((who) => `c${who}`).filter(model.mayOffer);
    const closing = new Map([
      ...cancel.map((id) => [id, "cancelled!cancelled"] as const),
      ...rejected.map((id) => [id, "refused!malformed"] as const),
    ]);
    for (let round = 0; round < (act.twice ? 2 : 1); round++) {
      commands += offers.length;
      Object.assign(outside, { offers, closing });
      const isWhole = fault.next === null;
      for (const id of cancel) model.wanted.add(id);
      deliver(
        {
          commands: offers.map((spec) => ({
            ...spec,
            source: "nodefoundry",
            nodeId: "node_1",
            operationId: null,
            params: spec.params as Record<string, unknown>,
            signature: spec.flaw === "bad_signature" ? "Z2FyYmFnZQ==" : null,
            signedText: spec.flaw === "bad_signature" ? "{}" : null,
          })),
          cancel,
          rejected: rejected.map((id) => ({ id, code: "malformed", message: "It can't be read." })),
        },
        act.clock,
      );
      if (!isWhole || killed) continue;
      for (const { id } of offers)
        if (!model.rows.has(id) && !made.store.answerPending("nodefoundry", id))
          model.wrong.push(`${id} was delivered and is not answered`);
      checkCancelled(cancel);
    }
  }

  /** What had not begun is cancelled at once, and what never came never will. */
  function checkCancelled(ids: readonly string[]): void {
    for (const id of ids) {
      const state = model.rows.get(id)?.state;
      if (state === "accepted" || state === "waiting")
        model.wrong.push(`${id} was cancelled and is ${state}`);
    }
  }

  /** The node says who it is, and is told what the server takes for unfinished. */
  function register(): void {
    const open = [...model.heard].filter(([, state]) => !isOver(state));
    outside.closing = new Map(
      open.map(([id]) => {
        const isReboot = typeHeard.get(id) === "reboot" && bootHeard.get(id) !== made.host.bootId;
        return [id, isReboot ? "rebooting" : "failed!state_lost"];
      }),
    );
    const openCommands = open.map(([id, state]) => ({
      id,
      type: typeHeard.get(id) ?? "noop",
      state: state as "running",
      fromBootId: bootHeard.get(id) ?? null,
    }));
    deliver({ openCommands }, true);
  }

  const eventsHeard = new Set<string>();
  const typeHeard = new Map<string, string>();

  function hear(): void {
    const events = made.store.pendingEvents("nodefoundry", 1_000);
    for (const { id: eventId, type, data } of events) {
      // After a crash one is sent again, which its id tells.
      if (type !== "command.state" || eventsHeard.has(eventId)) continue;
      eventsHeard.add(eventId);
      const id = String(data.command_id);
      const error = data.error as { code: string } | undefined;
      bootHeard.set(id, made.host.bootId);
      typeHeard.set(id, String(data.type));
      model.hears(id, String(data.state), error?.code ?? null);
    }
    made.store.acknowledgeEvents(
      "nodefoundry",
      events.map(({ id }) => id),
    );
  }

  /** What may be refused by word is. */
  function attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof AgentError) && !killed) throw error;
    }
  }

  async function happen(act: Act): Promise<void> {
    switch (act.do) {
      case "deliver":
        return deliverOffers(act);
      case "cancel": {
        const id = `c${act.who}`;
        if (!model.mayOffer(id)) return;
        const isWhole = fault.next === null;
        outside.closing = new Map([[id, "cancelled!cancelled"]]);
        model.wanted.add(id);
        deliver({ cancel: [id] }, false);
        if (isWhole) checkCancelled([id]);
        return;
      }
      case "cancel_here":
        model.wanted.add(`c${act.who}`);
        return attempt(() => void made.executor.cancel(`c${act.who}`, "ada"));
      case "submit": {
        commands++;
        const { type, params } = act.shape;
        const request = {
          type,
          params: params as Record<string, unknown>,
          mode: "live",
          reason: null,
        } as const;
        return attempt(
          () => void made.executor.submit({ ...request, by: { uid: 0, name: "ada" }, signed: null }),
        );
      }
      case "hold": {
        const until = act.forMs === null ? null : made.clock.now() + act.forMs;
        made.executor.hold({ reason: "work", by: "ada", until });
        return model.setHold({ until });
      }
      case "release":
        made.executor.release("ada");
        return model.setHold(null);
      case "time":
        return time(act.ms);
      case "wall":
        return made.clock.set(act.by === "1970" ? 60_000 : made.clock.now() + act.by);
      case "helper":
        host.mode = act.mode;
        if (act.mode !== "well") outside.trouble = true;
        if (act.mode === "absent") outside.absentOnce = true;
        return;
      case "fail_write":
        fault.next = { left: act.nth, how: act.how };
        return;
      case "epoch":
        epoch++;
        seq = 0;
        return;
      case "register":
        return register();
      case "restart":
        return await passing(() => made.restart());
      case "kill":
        return await revive("kept");
      case "lose_state":
        return await revive("lost");
      case "power_cut":
        return await boot(false);
      case "go_down":
        return host.goingDown === null ? undefined : await boot(true);
      case "give_up":
        outside.trouble = true;
        return host.giveUp();
      case "go_on":
        return host.goOn();
      case "inhibit":
        inhibited = !inhibited;
        return;
      case "heard":
        return hear();
      case "slow_look":
        slowLook.now ??= Promise.withResolvers();
        return;
      case "open":
        slowLook.now?.resolve();
        slowLook.now = null;
    }
  }

  /** All is well again, and time passes until nothing is left to do. */
  async function settle(): Promise<void> {
    fault.next = null;
    for (const act of ["open", "go_on", "release"] as const) await happen({ do: act });
    host.mode = "well";
    inhibited = false;
    await passing(() => made.restart());
    for (let round = 0; round < 400; round++) {
      await quiet();
      hear();
      if ([...model.rows.values()].every(({ state }) => isOver(state))) break;
      if (host.goingDown !== null) await boot(true);
      deliver({}, true);
      time(30_000);
    }
    model.settled(host.acts);
  }

  try {
    for (const { act, turns } of happenings) {
      await happen(act);
      if (turns === -1) await quiet();
      else for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      if (killed) await revive("kept");
    }
    await settle();
  } finally {
    slowLook.now?.resolve();
    await passing(() => made.end());
  }
  return { wrong: model.wrong, commands };
}
