/** What a server that was restored from a backup is told again: once, in parts, and never for the asking. */
import { describe, expect, it } from "vitest";
import { openRetelling } from "../../../../src/agent/commands/retelling/retelling.ts";
import { heard, parseRetelling } from "../../../../src/agent/commands/retelling/state.ts";
import { firstProgress } from "../../../../src/commands/executor/intake/accept.ts";
import { commandEvent } from "../../../../src/commands/journal/event.ts";
import { wakes } from "../../../../src/control/rhythm.ts";
import { openStore } from "../../../../src/store/store.ts";
import type { Store } from "../../../../src/store/types.ts";
import { command } from "../../../support/commands/executor-rig.ts";
import { temporaryFolder } from "../../../support/machine/tree.ts";
import { handClock, START, storedCommand } from "../../../support/store/store.ts";
import { recordedLog } from "../../../support/text/log.ts";

const DAY = 86_400_000;

describe("whether a server is told again", () => {
  const first = heard(null, "e1", 7, START);

  it("not at first, not while the epoch stays, and all of the journal with another", () => {
    expect(first).toEqual({ epoch: "e1", began: [], telling: null });
    expect(heard(first, "e1", 9, START + DAY)).toBe(first);
    expect(heard(first, "e2", 9, START)).toEqual({
      epoch: "e2",
      began: [START],
      telling: { after: 0, upTo: 9 },
    });
  });

  it("three times in 24 hours at most, and then the latest epoch when a day has passed", () => {
    let state = first;
    for (let epoch = 0; epoch < 5_000; epoch++) state = heard(state, `x${epoch}`, 9, START + epoch * 1_000);
    expect([state.epoch, state.began.length]).toEqual(["x2", 3]);
    const later = heard(state, "x4999", 11, START + DAY + 1);
    expect([later.epoch, later.began.length, later.telling?.upTo]).toEqual(["x4999", 3, 11]);
  });

  it("starts over with a restore in the middle of it", () => {
    const second = heard(first, "e2", 9, START);
    const middle = { ...second, telling: { after: 5, upTo: 9 } };
    expect(heard(middle, "e2", 10, START)).toBe(middle);
    expect(heard(middle, "e3", 10, START).telling).toEqual({ after: 0, upTo: 10 });
  });

  it("takes what can't be read for nothing that was heard", () => {
    expect(parseRetelling(JSON.stringify(first))).toEqual(first);
    for (const text of [null, "", "{", "[]", '{"epoch":1}', '{"epoch":"e","began":[-1],"telling":null}'])
      expect(parseRetelling(text)).toBeNull();
  });
});

/** So many commands of this node that succeeded, with what was told of them acknowledged. */
function done(
  store: Store,
  ids: readonly string[],
  more: Parameters<typeof command>[1] = {},
  at = START,
): void {
  for (const id of ids) {
    const asked = {
      ...command(id, { type: "noop", params: {}, ...more }),
      receivedAt: at,
      by: null,
      reason: null,
    };
    const progress = { ...firstProgress(null, at, null), state: "succeeded" as const };
    store.insertCommand(
      storedCommand(id, {
        source: asked.source,
        type: asked.type,
        state: "succeeded",
        receivedAt: at,
        command: JSON.stringify(asked),
        progress: JSON.stringify(progress),
      }),
    );
  }
}

function house(folder = temporaryFolder(), clock = handClock()) {
  const store = openStore(folder, { clock });
  store.setSubscribers(["nodefoundry"]);
  const retelling = openRetelling(store, clock, recordedLog().log);
  return {
    ...{ store, clock, folder },
    hears: (epoch: string) => retelling.answered("nodefoundry", epoch, "node_1"),
    /** What the next round would say; it arrives. */
    arrives(): string[] {
      const events = store.pendingEvents("nodefoundry", 100);
      store.acknowledgeEvents(
        "nodefoundry",
        events.map(({ id }) => id),
      );
      expect(events.every((event) => !wakes(event) && event.data.repeated === true)).toBe(true);
      return events.map(({ data }) => `${data.command_id} ${data.state}`);
    },
  };
}

const ids = (count: number, prefix = "c"): string[] =>
  Array.from({ length: count }, (_none, at) => `${prefix}${at}`);

describe("telling it", () => {
  it("tells all that ended, fifty with each round, on over a restart, and once", () => {
    const before = house();
    done(before.store, ids(120));
    before.hears("e1");
    expect(before.arrives()).toEqual([]);
    before.hears("e2");
    const told = before.arrives();
    expect(told).toHaveLength(50);
    before.hears("e2");
    // The second part is on its way when the agent ends.
    before.store.close();
    const after = house(before.folder, before.clock);
    after.hears("e2");
    for (let round = 0; round < 9; round++) {
      told.push(...after.arrives());
      after.hears("e2");
    }
    expect(told).toEqual(ids(120).map((id) => `${id} succeeded`));
    after.store.close();
  });

  it("waits until what it told has arrived", () => {
    const { store, hears } = house();
    done(store, ids(400));
    hears("e1");
    for (let round = 0; round < 9; round++) hears("e2");
    expect(store.pendingCount("nodefoundry")).toBe(100);
    store.close();
  });

  it("leaves out what is under way, what another node or source was asked, and what ended long ago", () => {
    const { store, hears, clock } = house();
    done(store, ["old"]);
    clock.forward(31 * DAY);
    done(store, ["theirs"], { nodeId: "node_2" }, clock.now());
    done(store, ["here"], { source: "local" }, clock.now());
    store.insertCommand(storedCommand("open", { state: "waiting" }));
    done(store, ["mine", "told"], {}, clock.now());
    const asked = { id: "told", type: "noop", operationId: null };
    const progress = { state: "succeeded" as const, why: null, step: null, result: {} };
    hears("e1");
    store.appendEvents([{ ...commandEvent(asked, progress, "Done.", null) }], clock.now());
    hears("e2");
    const repeated = store.pendingEvents("nodefoundry", 100).filter(({ data }) => data.repeated === true);
    expect(repeated.map(({ data }) => data.command_id)).toEqual(["mine"]);
    store.close();
  });

  it("a server that says another epoch each time gets three tellings a day, and no write for the rest", () => {
    const { store, hears, arrives, clock } = house();
    done(store, ids(10));
    let told = 0;
    const written: number[] = [];
    for (let answer = 0; answer < 500; answer++) {
      clock.forward(15_000);
      hears(`x${answer}`);
      told += arrives().length;
      written.push(store.written().transactions);
    }
    expect(told).toBe(30);
    expect(written.at(-1)).toBe(written[20]);
    store.close();
  });
});
