/** What was another node's, or is to be forgotten: set aside, changed for what is there now, deleted in the end. */
import { describe, expect, it } from "vitest";
import type { Store } from "../../src/store/types.ts";
import { temporaryFolder } from "../support/machine/tree.ts";
import { handClock, info, START, storedCommand, testStore, warning } from "../support/store/store.ts";

const DAY = 24 * 3600 * 1000;

describe("abandon", () => {
  it("sets everything of another node aside, shows it without tokens, and brings the identity back on demand", () => {
    const folder = temporaryFolder();
    const store = testStore(folder);
    store.values("identity").set("self", "old");
    store.values("api.nodefoundry").set("token", "secret");
    store.values("hold").set("reason", "stays");
    store.insertCommand(storedCommand("open"));
    store.insertCommand(storedCommand("done", { state: "succeeded" }));
    store.appendEvents([warning(1), info(2)], START);
    store.acknowledgeEvents("a", [store.eventsSince("", 1)[0]?.id as string]);
    store.setConfirmedHashes("nodefoundry", { system: "1" });
    store.memory("drives").set(["S1"]);

    expect(store.abandon("identity_cloned", START)).toEqual({ unfinishedCommands: 1, at: START });
    check(store);
    store.close();
    const again = testStore(folder);
    check(again);

    function check(at: Store): void {
      expect(at.values("identity").get("self")).toBeNull();
      expect(at.values("api.nodefoundry").get("token")).toBeNull();
      expect(at.values("hold").get("reason")).toBe("stays");
      expect(at.commands(9)).toEqual([]);
      expect(at.pendingEvents("b", 9)).toEqual([]);
      expect(at.confirmedHashes("nodefoundry").size).toBe(0);
      expect(at.memory("drives").get()).toBeNull();
      expect(at.insertCommand(storedCommand("open")).isNew).toBe(false);
      expect(JSON.stringify(at.setAside())).not.toContain("secret");
      expect(at.setAside().map(({ kind, name }) => `${kind} ${name}`)).toEqual([
        "command open",
        "command done",
        'value ["identity","self"]',
        'value ["api.nodefoundry","token"]',
        "events events",
      ]);
    }

    again.values("identity").set("self", "new");
    expect(again.restore(START + 1, START)).toBeNull();
    const newAt = again.restore(START, START) as number;
    expect(again.values("identity").get("self")).toBe("old");
    expect(again.values("api.nodefoundry").get("token")).toBe("secret");
    expect(again.commands(9)).toEqual([]);
    expect(again.restore(START, START)).toBeNull();
    // They changed places: what was there meanwhile is not lost either.
    again.restore(newAt, START);
    expect(again.values("identity").get("self")).toBe("new");
    expect(again.values("api.nodefoundry").get("token")).toBeNull();
  });

  it("forgets what was noted of the other's boots and commands, also what is not on the disk yet; a hold stays", () => {
    const folder = temporaryFolder();
    const full = testStore(folder, { maxPages: 20 });
    const note = (store: Store): void => {
      store.values("boot").set("mark", "of another board");
      store.values("commands").set("after_boot", "another's drives");
      store.values("commands").set("hold", "nothing is to happen here");
    };
    const noted = (store: Store) => [
      store.values("boot").get("mark"),
      store.values("commands").get("after_boot"),
      store.values("commands").get("hold"),
    ];
    note(full);
    for (const [n, fate] of (["set_aside", "drop", "forget"] as const).entries()) {
      note(full);
      full.abandon("identity_cloned", START + n, fate);
      expect(noted(full)).toEqual([null, null, "nothing is to happen here"]);
    }
    // While the disk is full they are in memory, and come out of there no more.
    for (let n = 0; full.mode === "ok" && n < 100; n++) full.values("filler").set(`${n}`, "x".repeat(3_000));
    expect(full.mode).toBe("read_only");
    note(full);
    full.abandon("identity_cloned", START + 3);
    expect(noted(full)).toEqual([null, null, "nothing is to happen here"]);
    full.close();
    const again = testStore(folder);
    expect(noted(again).slice(0, 2)).toEqual([null, null]);

    again.values("identity").set("self", "first");
    const { at } = again.abandon("identity_cloned", START + 4);
    note(again);
    // The same board becomes the node it was: its boot is still this one, its commands are not.
    again.restore(at, START);
    expect(noted(again)).toEqual(["of another board", null, "nothing is to happen here"]);
  });

  it("with `forget` keeps no token anywhere", () => {
    const store = testStore(temporaryFolder());
    store.values("api.netbox").set("token", "secret");
    store.abandon("identity_cloned", START);
    store.values("api.netbox").set("token", "another");
    store.abandon("identity_reset", START, "forget");
    expect(store.restore(START, START)).toBeNull();
    expect(store.setAside()).toEqual([]);
  });

  it("with `drop` leaves what was set aside before as it is", () => {
    const store = testStore(temporaryFolder());
    store.values("identity").set("self", "first");
    const { at } = store.abandon("identity_cloned", START);
    store.values("identity").set("self", "second");
    store.abandon("identity_cloned", START, "drop");
    expect(store.values("identity").get("self")).toBeNull();
    store.restore(at, START);
    expect(store.values("identity").get("self")).toBe("first");
  });

  it("twice in one millisecond are two, each to be had back", () => {
    const store = testStore(temporaryFolder());
    const at = ["first", "second"].map((name) => {
      store.values("identity").set("self", name);
      store.values(`api.${name}`).set("token", name);
      return store.abandon("identity_cloned", START).at;
    });
    store.restore(at[0] as number, START);
    expect([store.values("identity").get("self"), store.values("api.second").get("token")]).toEqual([
      "first",
      null,
    ]);
    store.restore(at[1] as number, START);
    expect([store.values("identity").get("self"), store.values("api.first").get("token")]).toEqual([
      "second",
      null,
    ]);
  });

  it("sets aside identities for 90 days, eight at most, and commands for 30 days and a thousand", () => {
    const folder = temporaryFolder();
    const clock = handClock();
    const store = testStore(folder, { clock });
    const names = (): (string | null)[] => {
      const at = store.setAside().filter(({ kind }) => kind === "value");
      return [...new Set(at.map(({ reason }) => reason))];
    };
    for (let n = 0; n < 10; n++) {
      store.values("identity").set("self", `${n}`);
      store.abandon(`old ${n}`, clock.forward(1_000));
    }
    store.pruneSetAside(clock.now());
    expect(names()).toEqual(Array.from({ length: 8 }, (_, n) => `old ${n + 2}`));
    clock.forward(60 * DAY);
    store.values("identity").set("self", "young");
    store.abandon("young", clock.now());
    clock.forward(31 * DAY);
    const before = store.written().transactions;
    store.pruneSetAside(clock.now());
    expect(names()).toEqual(["young"]);
    expect(store.written().transactions).toBe(before + 1);
    store.pruneSetAside(clock.now());
    expect(store.written().transactions).toBe(before + 1);
    // Without anybody asking: at the next opening.
    store.close();
    const late = testStore(folder, { clock: handClock(clock.forward(60 * DAY)) });
    expect(late.setAside()).toEqual([]);
  });

  it("keeps the ids of commands set aside for 30 days and the newest thousand of them", () => {
    const folder = temporaryFolder();
    const store = testStore(folder);
    for (let n = 0; n < 1_002; n++) store.insertCommand(storedCommand(`c${n}`));
    store.abandon("identity_cloned", START);
    store.close();
    const soon = testStore(folder, { clock: handClock(START + 29 * DAY) });
    expect(soon.setAside()).toHaveLength(1_002);
    soon.close();
    const late = testStore(folder, { clock: handClock(START + 31 * DAY) });
    expect(late.setAside()).toHaveLength(1_000);
    expect(late.insertCommand(storedCommand("c1001")).isNew).toBe(false);
    expect(late.insertCommand(storedCommand("c0")).isNew).toBe(true);
  });
});
