/** Events in the store: when they are on the disk, who has them, and what gives way. */
import { cpSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/machine/tree.ts";
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
} from "../support/store/store.ts";
import { ulidTime } from "../support/text/ulid.ts";

describe("events", () => {
  it("are told to whoever listens, those that come with a command too, until it has heard enough", () => {
    const store = testStore(temporaryFolder());
    const heard: string[] = [];
    const end = store.listen((events) => heard.push(events.map(({ type }) => type).join(" and ")));
    store.appendEvents([info(1), warning(2)], START);
    store.insertCommand(storedCommand("c1"), commandState("c1", "received"));
    store.setCommandState(
      "c1",
      { state: "accepted", error: null },
      commandState("c1", "accepted"),
      null,
      START,
    );
    end();
    store.appendEvents([info(3)], START);
    expect(heard).toEqual([`${info(1).type} and ${warning(2).type}`, "command.state", "command.state"]);
  });

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

  it("are on the disk together with what a collector remembers of having told them: after a power cut none is told twice", () => {
    const folder = temporaryFolder();
    const store = testStore(folder);
    store.memory("bmc").set({ told: 1 });
    store.appendEvents([warning(1)], START);
    // As the disk is at this moment, with nothing flushed after it.
    const copy = temporaryFolder();
    cpSync(folder, copy, { recursive: true });
    const after = testStore(copy);
    expect(numbers(after.eventsSince("", 9))).toEqual([1]);
    expect(after.memory("bmc").get()).toEqual({ told: 1 });
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

  it("tell whether the answer to a command is still on its way, wherever it lies", () => {
    const folder = temporaryFolder();
    const store = testStore(folder);
    store.setSubscribers(["a", "b"]);
    const pending = (api = "a"): boolean[] => ["c1", "c2"].map((id) => store.answerPending(api, id));
    expect(pending()).toEqual([false, false]);
    // Behind more events than a round takes, and beside those that only look like it.
    store.appendEvents(
      [...Array.from({ length: 1_200 }, (_, n) => info(n)), info("c1", { command_id: "c1" })],
      START,
    );
    expect(pending()).toEqual([false, false]);
    const [answer] = store.appendEvents([commandState("c1", "refused"), warning()], START);
    expect(pending()).toEqual([true, false]);
    const [second] = store.appendEvents([commandState("c1", "failed")], START);
    store.acknowledgeEvents("a", [answer?.id as string]);
    expect(pending()).toEqual([true, false]);
    store.acknowledgeEvents("a", [second?.id as string]);
    expect([pending(), pending("b")]).toEqual([
      [false, false],
      [true, false],
    ]);
    store.close();
    expect(testStore(folder).answerPending("b", "c1")).toBe(true);
  });
});
