/** What the main process does next at each point of executor.ts, steps.ts and reboot-flow.ts. */
import { compare, type Looked } from "../../../src/commands/after-boot/compare.ts";
import type { Picture } from "../../../src/commands/after-boot/picture.ts";
import type { Input } from "../../../src/commands/machine.ts";
import { causeOf } from "../../../src/commands/reboot-cause.ts";
import { isFinal } from "../../../src/model/command.ts";
import { type Add, backToTop, type Ground, why } from "./move.ts";
import type { World } from "./world.ts";

export type Write = (input: Input, then: Partial<World>) => void;

export function point(
  world: World,
  ground: Ground,
  add: Add,
  fault: Add,
  write: Write,
  at: World["main"],
): void {
  const { record, clock } = world;
  const { scenario, mistakes } = ground;
  const live = scenario.mode === "live";
  if (record === null || (isFinal(record.state) && at !== "top")) {
    if (at !== "top") add("over", backToTop);
    return;
  }
  const boot = `boot${world.boot}`;
  switch (at) {
    case "top":
      if (record.state === "accepted" || record.state === "waiting") {
        write({ kind: "gates", verdict: "pass" }, { main: "carry" });
        if (record.state === "accepted") write({ kind: "gates", verdict: "wait", why: why("window") }, {});
        write({ kind: "gates", verdict: "refuse", why: why("not_allowed") }, {});
        write({ kind: "gates", verdict: "refuse", why: why("expired") }, {});
        write({ kind: "rehearsed", why: why("rehearsed"), result: {} }, {});
      } else if (record.state === "running") {
        if (mistakes.has("repeats_what_may_not_be")) add("pick up", { main: "carry" });
        else write({ kind: "interrupted" }, { main: "carry" });
      } else if (!isFinal(record.state)) add("pick up", { main: "carry" });
      return;
    case "carry":
      if (record.state === "verifying") add("look after the boot", { main: "seeing" });
      else if (record.state === "rebooting") {
        if (!live && !mistakes.has("test_mode_asks")) write({ kind: "simulated_boot" }, {});
        else if (record.reboot?.fromBootId !== boot) add("another boot", { main: "new_boot" });
        else add("same boot", { main: mistakes.has("asks_again_after_restart") ? "call" : "watch" });
      } else if (record.state !== "running") add("nothing to carry on", { main: "top" });
      else if (scenario.reboot) intend(world, ground, add, write);
      else if (record.step === "set") add("step set", { main: "undo" });
      else add("step work", { main: "act" });
      return;
    case "seeing":
      // Nothing was noted of a test; else what was seen may be as before, or worse, and the reboot is done either way.
      if (record.reboot?.before == null) write({ kind: "verified", looked: null }, { main: "top" });
      else {
        add("look after the boot again", { main: "carry" });
        write({ kind: "verified", looked: looked(true) }, { main: "top" });
        if (mistakes.has("reboots_again_when_worse"))
          add("rebooting once more", {
            record: { ...record, state: "rebooting", reboot: { ...record.reboot, fromBootId: boot } },
            main: "call",
            clock: 0,
          });
        else write({ kind: "verified", looked: looked(false) }, { main: "top" });
      }
      return;
    case "undo":
      if (mistakes.has("undo_after_change") && !world.changed) add("change", { changed: true });
      else
        add("journal: undo record", {
          undo: true,
          main: mistakes.has("undo_after_change") ? "acted" : "act",
        });
      fault("journal: undo record, not written", { main: "act_failed" });
      return;
    case "act":
      if (!live) add("left out", { main: "acted" });
      else {
        const done = record.step === "set" ? { changed: true } : { works: world.works + 1 };
        add("act", { ...done, main: "acted" });
        fault("act, answer lost", { ...done, main: "act_failed" });
        add("not done", { main: "act_failed" });
      }
      return;
    case "acted":
      write({ kind: "stepped", result: {}, simulated: !live }, { main: "carry" });
      return;
    case "act_failed":
      write({ kind: "step_failed", why: why("helper_failed") }, { main: "top" });
      return;
    case "report":
      add("told, or not", { main: "call" });
      return;
    case "call":
      if (clock > 0) add("too late to ask", { main: "watch" });
      else add("ask the helper", { message: true, connected: true, answer: "", main: "awaiting" });
      return;
    case "awaiting":
      if (world.answer !== "") {
        add("answer", { main: `answered_${world.answer}`, answer: "", connected: false });
        if (world.answer !== "unknown")
          fault("answer lost", { main: "answered_unknown", answer: "", connected: false });
      }
      if (clock > 0) add("no answer in time", { main: "answered_unknown", answer: "", connected: false });
      return;
    case "answered_taken":
      if (mistakes.has("asks_before_intent") && record.state === "running") intendNow(world, write, "watch");
      else if (mistakes.has("success_when_taken"))
        write(
          { kind: "new_boot", bootId: boot, cause: "command", how: [], way: null, lookUntilMs: 9 },
          { main: "carry" },
        );
      else write({ kind: "called", answer: "taken" }, { main: "watch" });
      return;
    case "answered_refused":
    case "answered_unknown": {
      if (mistakes.has("asks_before_intent") && record.state === "running") {
        intendNow(world, write, "watch");
        return;
      }
      const answer = at === "answered_refused" ? "refused" : "unknown";
      write({ kind: "called", answer, why: why(answer) }, { main: "watch" });
      return;
    }
    case "watch":
      if (clock === 2 || mistakes.has("verdict_without_deadline")) {
        add("look: shutdown", { main: "looking", seenShutdown: world.shutdown !== "" });
        fault("helper can't be reached", { quiet: false });
      }
      return;
    case "looking": {
      if (world.helper === "dead") {
        add("the helper is gone", { main: "watch", seenShutdown: false, quiet: false });
        return;
      }
      const seen = world.seenShutdown && !mistakes.has("verdict_without_shutdown_look");
      const flying = world.helper !== "idle" && !mistakes.has("verdict_without_in_flight_look");
      const stays = !seen && !flying;
      const sure = stays && (world.quiet || mistakes.has("verdict_after_one_look"));
      if (stays && !sure) add("look: nothing", { main: "watch", seenShutdown: false, quiet: true });
      else
        add("look: in flight", {
          main: sure ? "looked_stays" : "looked_possible",
          seenShutdown: false,
          quiet: false,
        });
      fault("look lost", { main: "watch", seenShutdown: false, quiet: false });
      return;
    }
    case "looked_stays":
    case "looked_possible":
      write(
        { kind: "same_boot", possible: at === "looked_possible", why: why("reboot_did_not_happen") },
        { main: at === "looked_possible" ? "watch" : "top", quiet: false },
      );
      return;
    case "new_boot": {
      const known = world.helperRecord === "" ? null : world.helperRecord;
      const told = { known, errorCode: known === "failed" ? "reboot_failed" : null };
      const isMissed = mistakes.has("cause_wants_an_end") && known === "begun";
      const cause = isMissed ? "unverified" : causeOf(told);
      write({ kind: "new_boot", bootId: boot, cause, how: [], way: null, lookUntilMs: 9 }, { main: "carry" });
      return;
    }
  }
}

function intend(world: World, { scenario, mistakes }: Ground, add: Add, write: Write): void {
  if (mistakes.has("asks_before_intent"))
    add("ask the helper", { message: true, connected: true, answer: "", main: "awaiting" });
  else
    intendNow(
      world,
      write,
      scenario.mode === "live" || mistakes.has("test_mode_asks") ? "report" : "carry",
      scenario.mode === "live",
    );
}

const NOTED: Picture = {
  seen: ["mount"],
  items: [{ kind: "mount", id: "/", name: "/", is: "writable" }],
  settled: true,
};

function looked(fine: boolean): Looked {
  const after = fine ? NOTED : { ...NOTED, items: [] };
  return { after, comparison: compare(NOTED, after) };
}

function intendNow(world: World, write: Write, main: World["main"], live = true): void {
  const intent = {
    method: "graceful",
    fromBootId: `boot${world.boot}`,
    callDeadlineMs: 1,
    deadlineMs: 2,
    attempt: 1,
    answer: "none",
    monotonicMs: 0,
    before: world.record !== null && live ? NOTED : null,
    lookUntil: null,
    tally: null,
  } as const;
  write({ kind: "intend", intent }, { main, clock: 0 });
}
