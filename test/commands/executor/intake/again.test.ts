/** A list of commands that a server repeats: answered again where its answer was lost, and no more said than that. */
import { expect, it } from "vitest";
import { command, rig } from "../../../support/commands/executor-rig.ts";
import { eventually } from "../../../support/eventually.ts";

type Made = ReturnType<typeof rig>;

function answered(made: Made): number {
  const events = made.store.pendingEvents("nodefoundry", 1_000);
  made.store.acknowledgeEvents(
    "nodefoundry",
    events.map(({ id }) => id),
  );
  return events.length;
}

const changes = (made: Made) => made.lines.filter(({ code }) => code === "command_changed");

it("nothing is said of a list of a hundred known commands that did not change", async () => {
  const made = rig();
  const list = Array.from({ length: 100 }, (_, index) =>
    command(`cmd_${index}`, { type: "noop", params: index % 2 === 0 ? { x: "no parameter of a noop" } : {} }),
  );
  made.deliver({ commands: list });
  await eventually(() => made.store.unfinishedCommands().length === 0);
  expect(answered(made)).toBeGreaterThanOrEqual(100);
  const before = made.lines.length;
  for (let round = 0; round < 3; round++) {
    made.deliver({ commands: list });
    answered(made);
  }
  expect(made.lines.slice(before)).toEqual([]);
  expect(made.told("cmd_0").filter((told) => told === "refused!bad_params").length).toBeGreaterThan(1);
});

it("that one is another one now is said once", async () => {
  const made = rig();
  const first = command("cmd_1", { type: "collect", params: {} });
  made.deliver({ commands: [first] });
  await eventually(() => made.state("cmd_1") === "succeeded");
  for (let round = 0; round < 3; round++) {
    answered(made);
    made.deliver({ commands: [{ ...first, params: { sections: ["cpu"] } }] });
  }
  expect(changes(made)).toMatchObject([{ command: "cmd_1", level: 40 }]);
});
