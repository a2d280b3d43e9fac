/** What a disk can do to the state: read-only, late, full. */
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../support/machine/tree.ts";
import {
  commandState,
  error,
  filledState,
  handClock,
  info,
  numbers,
  START,
  storeChild,
  storedCommand,
  testStore,
  warning,
} from "../support/store/store.ts";

describe("a read-only state", () => {
  /** Hand a folder over to the user the child runs as. */
  function give(folder: string): void {
    if (process.getuid?.() !== 0) return;
    chownSync(folder, 65534, 65534);
    for (const name of readdirSync(folder)) chownSync(join(folder, name), 65534, 65534);
  }

  it("is read, keeps what comes in memory, refuses commands, and writes all of it when it can", async () => {
    const folder = filledState(temporaryFolder());
    give(folder);
    chmodSync(folder, 0o500);
    onTestFinished(() => chmodSync(folder, 0o700));
    chmodSync(join(folder, "state.db"), 0o400);
    const child = storeChild(folder);
    expect(await child.call("mode")).toEqual(["read_only", "state_not_writable"]);
    expect(await child.call("values.get", "identity", "self")).toBe("me");
    expect(await child.call("commands", 9)).toHaveLength(1);
    expect(await child.call("pendingCount", "a")).toBe(300);
    await child.call("appendEvents", [error("kept"), info("kept too")], START);
    await child.call("values.set", "api.nodefoundry", "token", "new");
    await child.call("setConfirmedHashes", "nodefoundry", { system: "1" });
    await child.call("flush", START, true);
    expect(await child.call("values.get", "api.nodefoundry", "token")).toBe("new");
    expect(await child.call("pendingCount", "a")).toBe(302);
    await expect(child.call("insertCommand", storedCommand("c2"))).rejects.toMatchObject({
      code: "journal_not_writable",
    });

    chmodSync(folder, 0o700);
    chmodSync(join(folder, "state.db"), 0o600);
    await child.call("flush", START);
    expect(await child.call("mode")).toEqual(["ok", null]);
    expect(await child.call("insertCommand", storedCommand("c2"))).toMatchObject({ isNew: true });
    await child.close();
    const store = testStore(folder);
    expect(numbers(store.pendingEvents("a", 999)).slice(299)).toEqual([299, "kept", "kept too"]);
    expect(store.values("api.nodefoundry").get("token")).toBe("new");
    expect(store.confirmedHashes("nodefoundry").get("system")).toBe("1");
    expect(store.commands(9)).toHaveLength(2);
  });

  it("left by a crash is read together with what was only in its WAL", async () => {
    const folder = temporaryFolder();
    give(folder);
    const first = storeChild(folder);
    await first.call("values.set", "identity", "self", "only in the WAL");
    const ended = new Promise((resolve) => first.process.once("exit", resolve));
    first.process.kill("SIGKILL");
    await ended;
    expect(existsSync(join(folder, "state.db-wal"))).toBe(true);
    chmodSync(folder, 0o500);
    onTestFinished(() => chmodSync(folder, 0o700));
    const second = storeChild(folder);
    expect(await second.call("values.get", "identity", "self")).toBe("only in the WAL");
    expect(await second.call("mode")).toEqual(["read_only", "state_not_writable"]);
    await second.close();
  });

  it("abandoned (a copied card with a write lock) is empty for everybody, and on the disk as soon as that can be written", async () => {
    const folder = filledState(temporaryFolder());
    give(folder);
    chmodSync(folder, 0o500);
    onTestFinished(() => chmodSync(folder, 0o700));
    const child = storeChild(folder);
    expect(await child.call("abandon", "identity_cloned", START)).toEqual({
      unfinishedCommands: 1,
      at: START,
    });
    expect(await child.call("commands", 9)).toEqual([]);
    expect(await child.call("pendingCount", "a")).toBe(0);
    await child.call("values.set", "identity", "self", "another");
    chmodSync(folder, 0o700);
    await child.call("flush", START, true);
    await child.close();
    const store = testStore(folder);
    expect(store.commands(9)).toEqual([]);
    expect(store.setAside().map(({ name }) => name)).toContain("c1");
    expect(store.values("identity").get("self")).toBe("another");
    store.restore(START, START);
    expect(store.values("identity").get("self")).toBe("me");
  });

  it("that is not even there is kept in memory until it can be made", async () => {
    const parent = temporaryFolder();
    give(parent);
    chmodSync(parent, 0o500);
    const child = storeChild(join(parent, "state"));
    expect(await child.call("mode")).toEqual(["memory", "state_not_writable"]);
    await child.call("values.set", "identity", "self", "me");
    await child.call("appendEvents", [error(1)], START);
    chmodSync(parent, 0o700);
    await child.call("flush", START);
    expect(await child.call("mode")).toEqual(["ok", null]);
    await child.close();
    const store = testStore(join(parent, "state"));
    expect(store.values("identity").get("self")).toBe("me");
    expect(numbers(store.eventsSince("", 9))).toEqual([1]);
  });

  it("that appears later with an identity of its own is not mixed with ours", async () => {
    const parent = temporaryFolder();
    give(parent);
    chmodSync(parent, 0o500);
    const child = storeChild(join(parent, "state"));
    await child.call("values.set", "identity", "self", "made up");
    chmodSync(parent, 0o700);
    mkdirSync(join(parent, "state"));
    filledState(join(parent, "state"));
    give(join(parent, "state"));
    await child.call("flush", START, true);
    expect(await child.call("mode")).toEqual(["memory", "state_appeared"]);
    await child.close();
    expect(testStore(join(parent, "state")).values("identity").get("self")).toBe("me");
  });
});

describe("a full disk", () => {
  /** Events until there is no space left. */
  function fillUp(store: ReturnType<typeof testStore>): string[] {
    const ids: string[] = [];
    for (let n = 0; store.mode === "ok" && n < 1_000; n++)
      ids.push(
        ...store.appendEvents([warning(n, { text: "x".repeat(3_000) })], START).map((event) => event.id),
      );
    return ids;
  }

  it("loses no event, still journals commands and values, and recovers", () => {
    const folder = temporaryFolder();
    const clock = handClock();
    const store = testStore(folder, { clock, maxPages: 200, limits: { history: 20 } });
    store.setSubscribers(["a"]);
    const ids = fillUp(store);
    expect([store.mode, store.problem?.code]).toEqual(["read_only", "state_full"]);
    expect(store.problem?.nextStep).toContain("df -h");

    const more = store.appendEvents([error("more"), info("and more")], START).map((event) => event.id);
    store.flush(clock.now(), true);
    expect(store.insertCommand(storedCommand("c1")).isNew).toBe(true);
    const accepted = store.setCommandState(
      "c1",
      { state: "accepted", error: null },
      commandState("c1", "accepted"),
      null,
      START,
    );
    const params = { text: "y".repeat(2_000) };
    for (let n = 0; n < 50; n++)
      expect(store.insertCommand(storedCommand(`more ${n}`, { command: JSON.stringify(params) })).isNew).toBe(
        true,
      );
    store.values("api.nodefoundry").set("token", "rotated");
    // Events never get what is left of the reserve, however often it is tried.
    for (let n = 0; n < 50; n++) store.flush(clock.forward(60_000), true);
    expect(store.mode).toBe("read_only");
    const done = store.setCommandState(
      "c1",
      { state: "succeeded", error: null },
      commandState("c1", "succeeded"),
      null,
      START,
    );
    const all = [...ids, ...more, accepted?.id, done?.id];
    expect(store.pendingEvents("a", 999).map((event) => event.id)).toEqual(all);

    // The journal is on the disk, whatever becomes of the rest.
    execFileSync("cp", [join(folder, "state.db"), join(folder, "killed.db")]);
    execFileSync("cp", [join(folder, "state.db-wal"), join(folder, "killed.db-wal")]);
    const killed = new DatabaseSync(join(folder, "killed.db"));
    expect(killed.prepare("SELECT state FROM command WHERE id = 'c1'").get()).toEqual({ state: "succeeded" });
    expect(killed.prepare("SELECT value FROM value WHERE key = 'token'").get()).toEqual({ value: "rotated" });
    killed.close();

    store.acknowledgeEvents("a", ids);
    store.flush(clock.forward(60_000));
    expect([store.mode, store.problem]).toEqual(["ok", null]);
    store.close();
    const again = testStore(folder, { maxPages: 200 });
    expect([again.mode, again.problem]).toEqual(["ok", null]);
    expect(again.pendingEvents("a", 999).map((event) => event.id)).toEqual(all.slice(ids.length));
    expect(again.command("c1")?.state).toBe("succeeded");
  });

  it("and a file that goes then, in the very first life: lost, and not begun anew without a word", () => {
    const folder = temporaryFolder();
    const clock = handClock();
    const store = testStore(folder, { clock, maxPages: 200 });
    expect([store.fresh, store.lost]).toEqual([true, null]);
    store.insertCommand(storedCommand("c1", { command: JSON.stringify("x".repeat(100_000)) }));
    fillUp(store);
    // It has no room on the disk: all is kept in memory until the file can be opened anew.
    store.setCommandAside("c1", "test", START);
    expect([store.mode, store.command("c1")]).toEqual(["read_only", null]);
    for (const name of ["state.db", "state.db-wal"]) rmSync(join(folder, name), { force: true });
    store.flush(clock.forward(60_000), true);
    expect([store.mode, store.lost?.wasReplaced]).toEqual(["ok", false]);
  });

  it("bounds what is kept in memory, and says what was lost", () => {
    const store = testStore(temporaryFolder(), { maxPages: 100, limits: { events: 500 } });
    fillUp(store);
    store.appendEvents([error("kept")], START);
    for (let n = 0; n < 2_000; n++) store.appendEvents([warning(n, { text: "z".repeat(300) })], START);
    const { events, dropped } = store.spool();
    expect(events).toBeLessThan(1_000);
    const left = store.eventsSince("", 9_999);
    const counted = left
      .filter((event) => event.type === "dropped")
      .reduce((sum, event) => sum + (event.data.count as number), 0);
    expect(counted).toBe(dropped);
    expect(numbers(left)).toContain("kept");
    expect(numbers(left).at(-1)).toBe(1_999);
  });

  it("at the very first start is lived through in memory", () => {
    const folder = temporaryFolder();
    const first = testStore(folder, { maxPages: 30 });
    // The tables fit, the reserve does not.
    expect([first.mode, first.problem?.code]).toEqual(["read_only", "state_full"]);
    first.values("identity").set("self", "me");
    expect(first.insertCommand(storedCommand("c1")).isNew).toBe(true);
    first.close();
    const again = testStore(folder);
    expect([again.mode, again.problem, again.values("identity").get("self")]).toEqual(["ok", null, "me"]);
  });

  const mountable = process.getuid?.() === 0 && canMount();
  it.skipIf(!mountable)("of a real file system (a tmpfs; only root can mount one)", () => {
    const folder = temporaryFolder();
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", folder]);
    onTestFinished(() => void execFileSync("umount", ["-l", folder]));
    const state = join(folder, "state");
    const clock = handClock();
    const store = testStore(state, { clock });
    store.setSubscribers(["a"]);
    const ballast = join(folder, "ballast");
    try {
      for (;;) writeFileSync(ballast, Buffer.alloc(4096, 1), { flag: "a" });
    } catch (full) {
      expect(full).toMatchObject({ code: "ENOSPC" });
    }
    const ids = fillUp(store);
    expect(store.problem?.code).toBe("state_full");
    for (let n = 0; n < 100; n++) {
      expect(store.insertCommand(storedCommand(`c${n}`)).isNew).toBe(true);
      store.setCommandState(
        `c${n}`,
        { state: "accepted", error: null },
        commandState(`c${n}`, "accepted"),
        null,
        START,
      );
    }
    store.flush(clock.forward(60_000), true);
    expect(store.mode).toBe("read_only");
    expect(store.pendingCount("a")).toBe(ids.length + 100);
    execFileSync("rm", [ballast]);
    store.flush(clock.forward(60_000));
    expect([store.mode, store.problem]).toEqual(["ok", null]);
    expect(existsSync(join(state, "reserve"))).toBe(true);
    store.close();
    const again = testStore(state);
    expect(again.pendingCount("a")).toBe(ids.length + 100);
    expect(again.commands(999)).toHaveLength(100);
    again.close();
  });

  it.skipIf(!mountable)("at the first start of all is no loss, neither then nor when there is space", () => {
    const folder = temporaryFolder();
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]);
    onTestFinished(() => void execFileSync("umount", ["-l", folder]));
    const store = testStore(folder);
    expect([store.mode, store.problem?.code, store.lost]).toEqual(["memory", "state_full", null]);
    store.close();
    execFileSync("mount", ["-o", "remount,size=8m", folder]);
    const again = testStore(folder);
    expect([again.mode, again.fresh, again.lost]).toEqual(["ok", true, null]);
    again.close();
  });
});

function canMount(): boolean {
  try {
    const folder = execFileSync("mktemp", ["-d"], { encoding: "utf8" }).trim();
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], { stdio: "ignore" });
      execFileSync("umount", [folder]);
      return true;
    } finally {
      execFileSync("rmdir", [folder]);
    }
  } catch {
    return false;
  }
}
