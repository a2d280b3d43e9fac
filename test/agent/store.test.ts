import { chmodSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Store } from "../../src/agent/store-types.ts";
import { ulidTime } from "../../src/model/ulid.ts";
import {
  commandState,
  error,
  handClock,
  info,
  numbers,
  START,
  storedCommand,
  testStore,
  warning,
} from "../support/store.ts";
import { temporaryFolder } from "../support/tree.ts";

const MINUTE = 60_000;

describe("opening", () => {
  it("makes the folder and its files for nobody else, and is fresh once", () => {
    const folder = join(temporaryFolder(), "deep", "state");
    const store = testStore(folder);
    expect([store.mode, store.problem, store.fresh]).toEqual(["ok", null, true]);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const name of ["state.db", "state.db-wal", "lock.db", "reserve"])
      expect([name, statSync(join(folder, name)).mode & 0o077]).toEqual([name, 0]);
    store.close();
    expect(testStore(folder).fresh).toBe(false);
  });

  it("leaves the mode of a folder that was there alone", () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o750);
    testStore(folder);
    expect(statSync(folder).mode & 0o777).toBe(0o750);
  });

  it("refuses a second agent, tells its process, and lets it in when the first is gone", () => {
    const folder = temporaryFolder();
    const first = testStore(folder);
    expect(() => testStore(folder)).toThrow(expect.objectContaining({ code: "state_locked" }));
    expect(() => testStore(folder)).toThrow(new RegExp(`process ${process.pid};|another process;`));
    first.appendEvents([warning("still mine")], START);
    first.close();
    expect(numbers(testStore(folder).eventsSince("", 9))).toEqual(["still mine"]);
  });
});

describe("values", () => {
  it("are kept by namespace, and deleted by null", () => {
    const folder = temporaryFolder();
    const store = testStore(folder);
    store.values("identity").set("instance", "a");
    store.values("api.nodefoundry").set("token", "t");
    store.values("api.nodefoundry").set("gone", "x");
    store.values("api.nodefoundry").set("gone", null);
    store.close();
    const again = testStore(folder);
    expect(again.values("identity").get("instance")).toBe("a");
    expect(again.values("identity").get("token")).toBeNull();
    expect(again.values("api.nodefoundry").get("token")).toBe("t");
    expect(again.values("api.nodefoundry").get("gone")).toBeNull();
  });

  it("cost nothing when they are set to what they are", () => {
    const store = testStore(temporaryFolder());
    store.values("a").set("b", "c");
    const { transactions } = store.written();
    store.values("a").set("b", "c");
    store.values("a").set("never there", null);
    expect(store.written().transactions).toBe(transactions);
  });
});

describe("lazy things", () => {
  it("come back after a stop", () => {
    const folder = temporaryFolder();
    const store = testStore(folder);
    store.setConfirmedHashes("nodefoundry", { system: "1", cpu: "2" });
    store.setConfirmedHashes("nodefoundry", { system: "3" });
    store.memory("drives").set({ seen: ["S1"] });
    store.addTraffic("nodefoundry", "2026-11", 100, 20);
    store.addTraffic("nodefoundry", "2026-11", 1, 2);
    store.addTraffic("netbox", "2026-10", 7, 7);
    store.close();
    const again = testStore(folder);
    expect([...again.confirmedHashes("nodefoundry")]).toEqual([["system", "3"]]);
    expect(again.confirmedHashes("netbox").size).toBe(0);
    expect(again.memory("drives").get()).toEqual({ seen: ["S1"] });
    expect(again.memory("network").get()).toBeNull();
    expect(again.traffic("2026-11")).toEqual([
      { api: "nodefoundry", month: "2026-11", sentBytes: 101, receivedBytes: 22, requests: 2 },
    ]);
  });

  it("are written once in 15 minutes, traffic alone once in 60, nothing never", () => {
    const clock = handClock();
    const store = testStore(temporaryFolder(), { clock });
    const written = (): number => store.written().transactions;
    let before = written();
    store.memory("drives").set([1]);
    store.appendEvents([info()], clock.now());
    for (let i = 0; i < 14; i++) store.flush(clock.forward(MINUTE));
    expect(written()).toBe(before);
    store.flush(clock.forward(MINUTE));
    expect(written()).toBe(before + 1);

    before = written();
    store.memory("drives").set([1]);
    for (let i = 0; i < 600; i++) store.flush(clock.forward(MINUTE));
    expect(written()).toBe(before);

    for (let i = 0; i < 24 * 60; i++) {
      store.addTraffic("nodefoundry", "2026-11", 500, 500);
      store.flush(clock.forward(MINUTE));
    }
    expect(written()).toBe(before + 24);
  });

  it("are not put off by a clock that steps back or forward by years", () => {
    const clock = handClock(0);
    const store = testStore(temporaryFolder(), { clock });
    store.memory("a").set(1);
    const before = store.written().transactions;
    clock.set(START);
    store.flush(clock.now());
    expect(store.written().transactions).toBe(before + 1);
    store.memory("a").set(2);
    clock.set(0);
    store.flush(clock.now());
    expect(store.written().transactions).toBe(before + 2);
  });
});

describe("events", () => {
  it("from warning up and command states are on the disk at once, with the infos that waited before them", () => {
    const store = testStore(temporaryFolder());
    const before = store.written().transactions;
    store.appendEvents([info(1)], START);
    expect(store.written().transactions).toBe(before);
    store.appendEvents([warning(2), info(3)], START);
    expect(store.written().transactions).toBe(before + 1);
    store.appendEvents([commandState("c", "accepted")], START);
    expect(store.written().transactions).toBe(before + 2);
    expect(numbers(store.pendingEvents("nodefoundry", 3))).toEqual([1, 2, 3]);
  });

  it("have ids that rise over restarts, even with the clock in 1970", () => {
    const folder = temporaryFolder();
    const clock = handClock();
    const first = testStore(folder, { clock });
    const [a] = first.appendEvents([warning()], clock.now());
    first.close();
    const second = testStore(folder, { clock: handClock(5) });
    const [b] = second.appendEvents([warning()], 5);
    expect(ulidTime(a?.id as string)).toBe(START);
    expect(String(b?.id) > String(a?.id)).toBe(true);
    expect(b?.at).toBe(5);
  });

  it("are acknowledged one by one, each API at its own pace, and stay acknowledged", () => {
    const folder = temporaryFolder();
    const store = testStore(folder);
    store.setSubscribers(["a", "b"]);
    const ids = store.appendEvents([warning(0), warning(1), info(2), warning(3)], START).map((e) => e.id);
    store.acknowledgeEvents("a", [ids[1], ids[3], "01NOTTHERE", ids[1]] as string[]);
    expect(numbers(store.pendingEvents("a", 9))).toEqual([0, 2]);
    expect(numbers(store.pendingEvents("a", 1))).toEqual([0]);
    expect(store.pendingCount("a")).toBe(2);
    expect(store.pendingCount("b")).toBe(4);
    store.close();
    const again = testStore(folder);
    expect(numbers(again.pendingEvents("a", 9))).toEqual([0, 2]);
    again.acknowledgeEvents("a", ids);
    expect(again.pendingEvents("a", 9)).toEqual([]);
    expect(numbers(again.pendingEvents("b", 9))).toEqual([0, 1, 2, 3]);
    expect(numbers(again.eventsSince(ids[1] as string, 9))).toEqual([2, 3]);
  });

  it("that everybody has are pruned down to the history", () => {
    const clock = handClock();
    const store = testStore(temporaryFolder(), { clock, limits: { history: 50 } });
    store.setSubscribers(["a", "b"]);
    const ids = store
      .appendEvents(
        Array.from({ length: 400 }, (_, n) => warning(n)),
        START,
      )
      .map((e) => e.id);
    store.acknowledgeEvents("a", ids);
    store.flush(clock.now(), true);
    expect(store.spool().events).toBe(400);
    store.acknowledgeEvents("b", ids.slice(0, 380));
    store.flush(clock.now(), true);
    expect(numbers(store.eventsSince("", 999))).toEqual(Array.from({ length: 50 }, (_, n) => 350 + n));
    expect(numbers(store.pendingEvents("b", 99))).toHaveLength(20);
  });

  it("over the bounds give way: infos before warnings before errors, and a count says how many", () => {
    const store = testStore(temporaryFolder(), { limits: { events: 100 } });
    store.setSubscribers(["a"]);
    store.appendEvents([error("kept"), commandState("c", "accepted"), warning("kept too")], START);
    for (let n = 0; n < 1_000; n++) store.appendEvents([info(n)], START);
    store.appendEvents([warning("last")], START);
    const left = store.eventsSince("", 999);
    expect(left.length).toBeLessThanOrEqual(100);
    expect(numbers(left).slice(0, 3)).toEqual(["kept", undefined, "kept too"]);
    const counts = left
      .filter((event) => event.type === "dropped")
      .map((event) => event.data.count as number);
    const infos = left.filter((event) => event.type === "test.info");
    expect(infos.length).toBeGreaterThan(0);
    expect(counts.reduce((sum, count) => sum + count, 0) + infos.length).toBe(1_000);
    expect(store.spool().dropped).toBe(1_000 - infos.length);
    expect(numbers(infos).at(-1)).toBe(999);
  });

  it("are bounded in bytes as well, and a flood costs few `dropped` events", () => {
    const store = testStore(temporaryFolder(), { limits: { bytes: 200_000 } });
    store.setSubscribers(["a"]);
    for (let n = 0; n < 400; n++) store.appendEvents([warning(n, { text: "x".repeat(2_000) })], START);
    const { events, bytes, dropped } = store.spool();
    expect(bytes).toBeLessThanOrEqual(200_000);
    const notices = store.eventsSince("", 999).filter((event) => event.type === "dropped");
    expect(events - notices.length + dropped).toBe(400);
    expect(notices.length).toBeLessThan(dropped / 3);
  });

  it("too big are cut and say so; what is no JSON is said to be none", () => {
    const store = testStore(temporaryFolder());
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    const [cut, odd] = store.appendEvents(
      [
        warning("kept", { huge: "\u0001é".repeat(20_000), list: Array(9_000).fill(7), after: 1 }),
        { ...info(), data: circular },
      ],
      START,
    );
    expect(Buffer.byteLength(JSON.stringify(cut?.data))).toBeLessThanOrEqual(16 * 1024);
    expect(cut?.data).toMatchObject({ n: "kept", after: 1, truncated_bytes: expect.any(Number) });
    expect(String(cut?.data.huge).length).toBeGreaterThan(1_000);
    expect(cut?.data.list).toBeUndefined();
    expect(odd?.data.unserialisable).toMatch(/circular/i);
    expect(store.eventsSince("", 9)).toEqual([cut, odd]);
  });
});

describe("commands", () => {
  it("are new once, and keep their state and its reason", () => {
    const folder = temporaryFolder();
    const store = testStore(folder);
    expect(store.insertCommand(storedCommand("c1"))).toBe(true);
    expect(store.insertCommand(storedCommand("c1", { type: "drain" }))).toBe(false);
    expect(store.insertCommand(storedCommand("c2"))).toBe(true);
    const event = store.setCommandState(
      "c1",
      "refused",
      { code: "unsupported", message: "No." },
      commandState("c1", "refused"),
      START,
    );
    expect(store.pendingEvents("a", 9)).toEqual([event]);
    expect(() => store.setCommandState("c9", "failed", null, commandState("c9", "failed"), START)).toThrow(
      expect.objectContaining({ code: "unknown_command" }),
    );
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
    expect(again.insertCommand(storedCommand("bad json"))).toBe(false);
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

    expect(store.abandon("identity_cloned", START)).toEqual({ unfinishedCommands: 1 });
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
      expect(at.insertCommand(storedCommand("open"))).toBe(false);
      expect(JSON.stringify(at.setAside())).not.toContain("secret");
      expect(at.setAside().map(({ kind, name }) => `${kind} ${name}`)).toEqual([
        "command open",
        "command done",
        'value ["api.nodefoundry","token"]',
        'value ["identity","self"]',
        "events events",
      ]);
    }

    // Nothing was registered in between: that must not hide what is worth having back.
    again.values("identity").set("self", "new");
    again.abandon("identity_cloned", START + 1);
    expect(again.restore()).toBe(true);
    expect(again.values("identity").get("self")).toBe("old");
    expect(again.values("api.nodefoundry").get("token")).toBe("secret");
    expect(again.commands(9)).toEqual([]);
    expect(again.restore()).toBe(false);
  });

  it("with `forget` keeps no token anywhere", () => {
    const store = testStore(temporaryFolder());
    store.values("api.netbox").set("token", "secret");
    store.abandon("identity_cloned", START);
    store.values("api.netbox").set("token", "another");
    store.abandon("identity_reset", START, true);
    expect(store.restore()).toBe(false);
    expect(store.setAside()).toEqual([]);
  });
});
