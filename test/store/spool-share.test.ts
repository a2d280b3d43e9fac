/** However much one source asks, the events of others and those of real commands stay in the spool. */
import { describe, expect, it } from "vitest";
import { type SpoolEntry, whatToDrop } from "../../src/store/spool/drop.ts";
import { openStore } from "../../src/store/store.ts";
import type { Store } from "../../src/store/types.ts";
import { temporaryFolder } from "../support/machine/tree.ts";
import {
  commandState,
  error,
  handClock,
  info,
  START,
  storedCommand,
  testStore,
  warning,
} from "../support/store/store.ts";

const LIMITS = { events: 200, bytes: 1_000_000, history: 5 };

function spool(): Store {
  const store = testStore(temporaryFolder(), { limits: LIMITS });
  store.setSubscribers(["nodefoundry"]);
  return store;
}

const told = (store: Store): string[] =>
  store
    .pendingEvents("nodefoundry", 9_999)
    .map(({ type, data }) => String(data.command_id ?? `${type} ${data.n}`));

describe("with nothing acknowledged", () => {
  it("a flood of refusals drops refusals", () => {
    const store = spool();
    for (const id of ["done", "other"])
      store.insertCommand(
        storedCommand(id, { source: id === "done" ? "nodefoundry" : "other", state: "succeeded" }),
        commandState(id, "succeeded"),
      );
    store.appendEvents([error("e"), warning("w"), info("i")], START);
    for (let at = 0; at < 1_000; at++) store.appendEvents([commandState(`r${at}`, "refused")], START);
    const left = told(store);
    for (const kept of [
      "done",
      "other",
      "test.error e",
      "test.warning w",
      "test.info i",
      "r999",
      "dropped undefined",
    ])
      expect(left).toContain(kept);
    expect(store.spool().events).toBeLessThanOrEqual(LIMITS.events);
  });

  it("a flood of commands that are carried out drops its own, not those of another source", () => {
    const store = spool();
    store.insertCommand(
      storedCommand("other", { source: "other", state: "succeeded" }),
      commandState("other", "succeeded"),
    );
    store.appendEvents([error("e"), warning("w")], START);
    for (let at = 0; at < 400; at++)
      store.insertCommand(
        storedCommand(`c${at}`, { state: "succeeded" }),
        commandState(`c${at}`, "succeeded"),
      );
    const left = told(store);
    for (const kept of ["other", "test.error e", "test.warning w", "c399"]) expect(left).toContain(kept);
  });

  it("what is told again to a restored server pushes nothing out", () => {
    const store = spool();
    store.appendEvents([error("e"), warning("w")], START);
    const again = commandState("c", "succeeded");
    for (let at = 0; at < 400; at++)
      store.appendEvents([{ ...again, data: { ...again.data, repeated: true } }], START);
    expect(told(store)).toEqual(expect.arrayContaining(["test.error e", "test.warning w"]));
  });

  it("nor in memory, while the disk takes nothing", () => {
    // No folder can be made below a file.
    const store = openStore("/dev/null/state", { clock: handClock(), limits: LIMITS });
    store.setSubscribers(["nodefoundry"]);
    store.appendEvents([error("e"), warning("w"), commandState("done", "succeeded")], START);
    for (let at = 0; at < 1_000; at++) store.appendEvents([commandState(`r${at}`, "refused")], START);
    expect(told(store)).toEqual(expect.arrayContaining(["test.error e", "test.warning w", "done", "r999"]));
    store.close();
  });
});

it("takes from a group what is beyond its share, the oldest first, and no more than is needed", () => {
  const entries = Array.from(
    { length: 120 },
    (_none, at): SpoolEntry => ({
      id: `${at}`.padStart(4, "0"),
      rank: 2,
      bytes: 10,
      standsFor: 1,
      group: at < 20 ? null : at % 2 === 0 ? "refused" : "command nodefoundry",
    }),
  );
  const drops = whatToDrop(entries, { events: 100, bytes: 1e6 }, "");
  expect(drops.ids).toHaveLength(25);
  const refused = entries.filter(({ group }) => group === "refused").map(({ id }) => id);
  expect(drops.ids).toEqual(refused.slice(0, 25));
});
