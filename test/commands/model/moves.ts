/**
 * What can happen next in a world, each followed by a point where everything may stop; here the journal and the server.
 * What a transition is, the real advance() decides.
 */
import { advance, type Input } from "../../../src/commands/machine.ts";
import type { CommandRecord, Progress } from "../../../src/commands/record.ts";
import { type FinalState, isFinal } from "../../../src/model/command.ts";
import { helperMoves } from "./helper.ts";
import { hostMoves } from "./host.ts";
import { type Add, type Also, backToTop, dead, type Ground, type Move, why } from "./move.ts";
import { point } from "./points.ts";
import { ASKED, MAX_DELIVERIES, REBOOT_PLAN, type Scenario, WORK_PLAN, type World } from "./world.ts";

export function moves(world: World, ground: Ground): Move[] {
  const found: Move[] = [];
  const add = (name: string, change: Partial<World>): void => {
    found.push({ name, to: { ...world, ...change }, fault: false });
  };
  const fault = (name: string, change: Partial<World>): void => {
    if (world.faults >= ground.maxFaults) return;
    found.push({ name, to: { ...world, ...change, faults: world.faults + 1 }, fault: true });
  };
  const also = (move: Move): void => {
    if (!move.fault || world.faults < ground.maxFaults) found.push(move);
  };
  if (world.main !== "dead") mainMoves(world, ground, add, fault, also);
  helperMoves(world, ground, add, fault);
  hostMoves(world, add, fault, also);
  return found;
}

/** A journal write: it is done, or it fails and the executor reads the journal again (guarded of executor.ts). */
function apply(world: World, input: Input, ground: Ground, then: Partial<World>, also: Also): void {
  const { scenario } = ground;
  const progress = world.record as Progress;
  const asked: CommandRecord["asked"] = { ...ASKED, mode: scenario.mode };
  const plan = scenario.reboot ? REBOOT_PLAN : WORK_PLAN;
  const name = `journal: ${input.kind}`;
  const next = advance({ asked, progress }, input, plan, 0);
  if (next === null) {
    also({ name: `${name} (nothing new)`, to: { ...world, ...then }, fault: false });
    return;
  }
  const after = { ...world, ...then, record: next.progress };
  also({ ...ended(name, after, scenario), fault: false });
  const failed: World = { ...world, ...backToTop, faults: world.faults + 1 };
  also({ name: `${name}, not written`, to: failed, fault: true });
}

/** The event of the end is in the same transaction. */
function ended(name: string, world: World, scenario: Scenario): Omit<Move, "fault"> {
  const record = world.record as Progress;
  if (!isFinal(record.state)) return { name, to: world };
  const wrong = badEnd(world, record, scenario);
  const to: World = { ...world, spool: record.state as FinalState };
  return wrong === null ? { name, to } : { name, to, wrong };
}

function badEnd(world: World, record: Progress, scenario: Scenario): string | null {
  if (record.state !== "succeeded")
    return world.reboots > 0 ? `${record.state}, though the host did reboot for it` : null;
  if (!scenario.reboot || scenario.mode !== "live") return null;
  if (record.reboot?.fromBootId === `boot${world.boot}`) return "succeeded on the boot it began on";
  // What failed may have begun or not; of all else the helper's record is sure.
  if (world.helperRecord === "failed") return null;
  const cause = world.helperRecord === "" ? "unverified" : "command";
  return record.result.cause === cause ? null : `${record.result.cause}, and the helper says ${cause}`;
}

function mainMoves(world: World, ground: Ground, add: Add, fault: Add, also: Also): void {
  const { record, main, spool } = world;
  const write = (input: Input, then: Partial<World>): void => apply(world, input, ground, then, also);
  fault("kill main", dead());
  if (world.shutdown !== "") add("the host ends main", dead());
  // Taking things back goes on beside the command, and while it does nothing.
  if (world.undo && !world.undone && (record === null || isFinal(record.state)))
    add("take back", { changed: false, undone: true });
  if (world.undo && world.undone) add("forget the undo record", { undo: false, undone: false });
  if (world.undo && ground.mistakes.has("undo_by_time_is_forgotten") && record?.state === "running")
    add("take back by time", { changed: false, undo: false });

  if (spool !== "") {
    const final = spool === "memory_refused" ? "refused" : spool;
    const lie = world.told !== "" && world.told !== final;
    const tell = { told: final, acknowledged: true } as const;
    const wrong = lie ? { wrong: `told ${final} after ${world.told}` } : {};
    also({ name: `tell ${final}`, to: { ...world, ...tell, spool: "" }, fault: false, ...wrong });
    if (!(world.told === final && world.acknowledged)) fault(`tell ${final}, answer lost`, tell);
  } else if (record !== null && !world.acknowledged) add("acknowledge", { acknowledged: true });

  if (world.deliveries < MAX_DELIVERIES && world.told === "") {
    const deliver = world.acknowledged ? fault : add;
    deliveries(world, ground, deliver, fault);
  }
  if (record !== null && world.cancelAsked && record.cancelledBy === null && !isFinal(record.state)) {
    if (ground.mistakes.has("cancels_while_rebooting") && record.state === "rebooting") {
      const to = { ...world, record: { ...record, state: "cancelled" as const, why: why("cancelled") } };
      also({ ...ended("cancel late", to, ground.scenario), fault: false });
    } else write({ kind: "cancel", by: "nodefoundry" }, {});
  }
  point(world, ground, add, fault, write, main);
}

function deliveries(world: World, { mistakes }: Ground, add: Add, fault: Add): void {
  const deliveries = world.deliveries + 1;
  const pending = world.spool === "memory_refused";
  if (world.record !== null || (pending && !mistakes.has("takes_what_it_refuses"))) {
    // Of one that could not be written down nothing is kept: as if it had not come.
    if (world.record !== null) add("deliver again", { deliveries });
    return;
  }
  add("deliver", { deliveries, record: ACCEPTED });
  if (!pending) fault("deliver, not written", { deliveries, spool: "memory_refused" });
}

const ACCEPTED: Progress = {
  state: "accepted",
  since: 0,
  why: null,
  notBefore: null,
  step: null,
  result: {},
  reboot: null,
  cancelledBy: null,
};
