import { chmodSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/machine/tree.ts";
import { handClock, info, numbers, START, testStore, warning } from "../support/store/store.ts";

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
      store.memory("sync.nodefoundry", true).set(clock.now());
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
