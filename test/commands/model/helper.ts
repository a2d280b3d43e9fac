/** The helper's side of a reboot: the acts of changes.ts in their order, and `systemctl`, which may outlive it. */
import type { Add, Ground } from "./move.ts";
import type { World } from "./world.ts";

export function helperMoves(world: World, { mistakes }: Ground, add: Add, fault: Add): void {
  const { helper, clock, connected } = world;
  const answered = (answer: World["answer"]): Partial<World> => ({
    helper: "idle",
    answer: connected ? answer : "",
  });
  const there =
    (connected || mistakes.has("helper_ignores_hang_up")) &&
    (clock === 0 || mistakes.has("helper_ignores_deadline"));
  if (helper === "dead") {
    const wanted = world.message || world.main === "watch" || world.main === "looking";
    if (wanted) add("systemd starts the helper", { helper: "idle" });
  } else {
    fault("kill helper", { helper: "dead", answer: connected ? "unknown" : "" });
    if (world.shutdown !== "")
      add("the host ends the helper", { helper: "dead", answer: connected ? "unknown" : "" });
  }
  // Whoever started it: it acts until it is ended.
  if (world.program) {
    if (helper === "running" || clock < 2)
      add("systemctl reboot is taken", {
        program: false,
        acts: world.acts + 1,
        shutdown: world.shutdown === "" ? "command" : world.shutdown,
        ...(helper === "running" && { helper: "end_done" }),
      });
    add("systemctl reboot comes to nothing", {
      program: false,
      ...(helper === "running" && { helper: "end_failed" }),
    });
  } else if (helper === "running") add("its program was ended", { helper: "end_failed" });
  switch (helper) {
    case "idle":
      if (world.message) add("helper: a request", { helper: "open", message: false });
      return;
    case "open":
      add("helper: not allowed", answered("refused"));
      if (world.helperRecord === "" || mistakes.has("helper_forgets"))
        add("helper: a new id", { helper: "there_1" });
      else add("helper: a known id", answered("unknown"));
      return;
    case "there_1":
      if (there) add("helper: client there, in time", { helper: "begin" });
      else add("helper: too late", answered("unknown"));
      return;
    case "begin":
      if (mistakes.has("helper_forgets")) add("helper: no record", { helper: "there_2" });
      else {
        add("helper record: begun", { helper: "there_2", helperRecord: "begun" });
        fault("helper record: begun, not written", answered("refused"));
      }
      return;
    case "there_2":
      if (there) add("helper: client still there, in time", { helper: "spawn" });
      else add("helper: too late after all", { helper: "withdraw" });
      return;
    case "withdraw":
      add("helper record: withdrawn", { ...answered("unknown"), helperRecord: "" });
      fault("helper record: withdrawn, not written", answered("refused"));
      return;
    case "spawn":
      add("helper: systemctl reboot", { helper: "running", program: true });
      return;
    case "end_done":
      add("helper record: done", { ...answered("taken"), helperRecord: "done" });
      fault("helper record: done, not written", answered("taken"));
      return;
    case "end_failed":
      add("helper record: failed", { ...answered("unknown"), helperRecord: "failed" });
      fault("helper record: failed, not written", answered("unknown"));
      return;
  }
}
