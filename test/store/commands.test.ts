/** The command journal. */
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/machine/tree.ts";
import { commandState, handClock, START, storedCommand, testStore } from "../support/store/store.ts";

describe("commands", () => {
  it("are new once, and keep their state and its reason", () => {
    const folder = temporaryFolder();
    const store = testStore(folder);
    expect(store.insertCommand(storedCommand("c1")).isNew).toBe(true);
    expect(store.insertCommand(storedCommand("c1", { type: "drain" })).isNew).toBe(false);
    expect(store.insertCommand(storedCommand("c2")).isNew).toBe(true);
    const event = store.setCommandState(
      "c1",
      { state: "refused", error: { code: "unsupported", message: "No." } },
      commandState("c1", "refused"),
      null,
      START,
    );
    expect(store.pendingEvents("a", 9)).toEqual([event]);
    expect(() =>
      store.setCommandState(
        "c9",
        { state: "failed", error: null },
        commandState("c9", "failed"),
        null,
        START,
      ),
    ).toThrow(expect.objectContaining({ code: "unknown_command" }));
    store.close();
    const again = testStore(folder);
    expect(again.commands(9).map(({ id, state }) => [id, state])).toEqual([
      ["c2", "received"],
      ["c1", "refused"],
    ]);
    expect(again.command("c1")).toEqual(
      storedCommand("c1", { state: "refused", error: { code: "unsupported", message: "No." } }),
    );
    expect(again.command("c9")).toBeNull();
  });

  it("that can't be parsed are set aside, never given out, and their ids stay known", () => {
    const folder = temporaryFolder();
    const store = testStore(folder);
    store.insertCommand(storedCommand("good"));
    store.insertCommand(storedCommand("bad json", { command: '{"id": "bad js' }));
    store.insertCommand(storedCommand("no object", { command: "[]" }));
    store.insertCommand(storedCommand("bad state", { state: "exploded" as never }));
    store.close();
    const again = testStore(folder);
    expect(again.commands(9).map(({ id }) => id)).toEqual(["good"]);
    expect(again.setAside().map(({ reason, kind, name }) => [reason, kind, name])).toEqual([
      ["damaged", "command", "bad json"],
      ["damaged", "command", "no object"],
      ["damaged", "command", "bad state"],
    ]);
    expect(again.insertCommand(storedCommand("bad json")).isNew).toBe(false);
  });

  it("are kept for 30 days and a thousand; open ones and those of Foundries for ever", () => {
    const folder = temporaryFolder();
    const store = testStore(folder);
    store.insertCommand(storedCommand("open"));
    store.insertCommand(storedCommand("foundries", { state: "succeeded", source: "foundries" }));
    store.insertCommand(storedCommand("old", { state: "succeeded" }));
    for (let n = 0; n < 1_000; n++) store.insertCommand(storedCommand(`c${n}`, { state: "succeeded" }));
    store.close();
    const month = 31 * 24 * 3600 * 1000;
    const early = testStore(folder, { clock: handClock(START + month / 2) });
    expect(early.command("old")).not.toBeNull();
    early.close();
    const late = testStore(folder, { clock: handClock(START + month) });
    expect(late.commands(9_999)).toHaveLength(1_002);
    expect(late.command("old")).toBeNull();
  });
});
