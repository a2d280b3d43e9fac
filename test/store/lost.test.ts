/** What becomes of a state that was lost: it never passes for that of a new node, whatever was done to its files. */
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { openHoldFile } from "../../src/store/hold-file.ts";
import { openStore } from "../../src/store/store.ts";
import { repeat } from "../support/budget.ts";
import { temporaryFolder } from "../support/machine/tree.ts";
import {
  filledState,
  handClock,
  START,
  storeChild,
  storedCommand,
  testStore,
} from "../support/store/store.ts";

const clock = handClock();

function only(folder: string, ...kept: string[]): void {
  for (const name of readdirSync(folder))
    if (!kept.includes(name)) rmSync(join(folder, name), { recursive: true });
}

function give(folder: string): void {
  for (const name of ["", ...readdirSync(folder)]) chownSync(join(folder, name), 65534, 65534);
}

/** A state as a SIGKILL leaves it: with what is only in the WAL. */
function killedState(): string {
  const folder = temporaryFolder();
  const store = openStore(join(folder, "first"), { clock });
  store.values("identity").set("self", "me");
  store.insertCommand(storedCommand("c1"));
  store.insertCommand(storedCommand("c2"));
  cpSync(join(folder, "first"), join(folder, "second"), { recursive: true });
  store.close();
  return join(folder, "second");
}

describe("a state that is lost", () => {
  const damage: Record<string, (path: string, folder: string) => void> = {
    emptied: (path) => truncateSync(path, 0),
    "cut in its first page": (path) => truncateSync(path, 100),
    "cut after its first page": (path) => truncateSync(path, 4096),
    "with a page of zeros in the middle": (path) => {
      const bytes = readFileSync(path);
      writeFileSync(path, bytes.fill(0, 4096 * 100, 4096 * 101));
    },
    "with zeros for its first page": (path) => {
      const bytes = readFileSync(path);
      writeFileSync(path, bytes.fill(0, 0, 4096));
    },
    "of zeros alone": (path) => writeFileSync(path, Buffer.alloc(readFileSync(path).length)),
    deleted: (path) => rmSync(path),
    "deleted, but for its reserve": (_path, folder) => only(folder, "reserve"),
    "deleted, but for its lock": (_path, folder) => only(folder, "lock.db"),
    "deleted, but for a hold": (_path, folder) => {
      only(folder);
      openHoldFile(folder).write({ reason: "fan", by: "ada", since: START, until: null });
    },
    "deleted, but for a damaged one of before": (path, folder) => {
      renameSync(path, `${path}.corrupt-1`);
      only(folder, "state.db.corrupt-1");
    },
    "deleted, but for its WAL": (path, folder) => {
      writeFileSync(`${path}-wal`, "a log");
      only(folder, "state.db-wal");
    },
    "a folder now": (path) => {
      rmSync(path);
      mkdirSync(path);
    },
    "a link to itself now": (path) => {
      renameSync(path, `${path}-moved`);
      symlinkSync(`${path}-moved`, path);
    },
    "a link to nothing now": (path) => {
      rmSync(path);
      symlinkSync("/nowhere/state.db", path);
    },
  };
  if (process.geteuid?.() === 0)
    damage["somebody else's now"] = (path) => {
      chownSync(path, 65534, 65534);
    };
  for (const [what, harm] of Object.entries(damage))
    it(`${what} is lost, over restarts, until that is settled`, () => {
      const folder = filledState(temporaryFolder());
      harm(join(folder, "state.db"), folder);
      for (let start = 0; start < 2; start++) {
        const store = openStore(folder, { clock });
        expect([store.mode, store.fresh]).toEqual(["ok", start === 0]);
        expect(store.lost).toMatchObject({ wasReplaced: false, settledBy: [] });
        expect(store.lost?.text).toContain(join(folder, "state.db"));
        expect(store.commands(9)).toEqual([]);
        if (start === 1) store.keepLost(null);
        store.close();
      }
      expect(testStore(folder).lost).toBeNull();
    });

  it("is not one where nothing was", () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "lost+found"));
    for (let start = 0; start < 3; start++) {
      const store = openStore(folder, { clock });
      expect(store.lost).toBeNull();
      store.markStart();
      store.insertCommand(storedCommand(`c${start}`));
      store.close();
    }
  });

  it("is none where the first start ended before anything was written down", () => {
    const left: Record<string, number>[] = [
      { "lock.db": 0, "state.db": 0 },
      { "lock.db": 0, "state.db": 0, "state.db-wal": 0 },
      { "lock.db": 0, "state.db": 0, "state.db-journal": 512 },
    ];
    for (const files of left) {
      const folder = temporaryFolder();
      for (const [name, size] of Object.entries(files)) writeFileSync(join(folder, name), Buffer.alloc(size));
      const store = openStore(folder, { clock });
      expect([store.mode, store.fresh, store.lost]).toEqual(["ok", true, null]);
      store.close();
    }
  });

  it("is none where the process was killed, or its folder was moved", () => {
    const folder = killedState();
    const store = testStore(folder);
    expect([store.lost, store.commands(9).length]).toEqual([null, 2]);
  });

  it("set aside once is lost all the same when what took its place goes too", () => {
    const folder = filledState(temporaryFolder());
    truncateSync(join(folder, "state.db"), 4096 * 3);
    openStore(folder, { clock }).close();
    rmSync(join(folder, "state.db"));
    expect(testStore(folder).lost).not.toBeNull();
  });

  it("that this user can't read is lost for as long as that is so, and not made anew", async () => {
    const folder = filledState(temporaryFolder());
    const path = join(folder, "state.db");
    const before = readFileSync(path);
    if (process.geteuid?.() === 0) chownSync(folder, 65534, 65534);
    chmodSync(path, 0o000);
    const child = storeChild(folder);
    expect(await child.call("mode")).toEqual(["memory", "state_not_writable"]);
    expect(await child.call("lost")).toMatchObject({ text: expect.stringContaining("can't be read") });
    await child.close();
    chmodSync(path, 0o600);
    expect(readFileSync(path)).toEqual(before);
    expect(testStore(folder).lost).toBeNull();
  });

  it("stays lost wherever the process is killed that sets it aside", async () => {
    let pace = 0;
    await repeat(12, async (round) => {
      const folder = filledState(temporaryFolder());
      writeFileSync(join(folder, "state.db"), "no database\n".repeat(2_000));
      if (process.geteuid?.() === 0) give(folder);
      const child = storeChild(folder);
      const startedAt = performance.now();
      const opened = child.call("mode").catch(() => null);
      if (round === 0) {
        await opened;
        pace = performance.now() - startedAt;
      } else await pause(Math.random() * pace);
      const gone = once(child.process, "exit");
      child.process.kill("SIGKILL");
      await Promise.all([gone, opened]);
      const store = openStore(folder, { clock });
      expect([round, store.lost?.wasReplaced, store.commands(9)]).toEqual([round, false, []]);
      store.close();
    });
  });

  // What lies there between two steps of it, one after the other.
  const steps: Record<string, (path: string) => void> = {
    "its database is moved": (path) => renameSync(path, `${path}.corrupt-1`),
    "its WAL is moved too": (path) => {
      renameSync(path, `${path}.corrupt-1`);
      renameSync(`${path}-wal`, `${path}.corrupt-1-wal`);
    },
    "an empty one is in its place": (path) => {
      renameSync(path, `${path}.corrupt-1`);
      renameSync(`${path}-wal`, `${path}.corrupt-1-wal`);
      writeFileSync(path, "");
    },
  };
  for (const [what, step] of Object.entries(steps))
    it(`stays lost when the process ends after ${what}`, () => {
      const folder = killedState();
      step(join(folder, "state.db"));
      const store = testStore(folder);
      expect(store.lost).toMatchObject({ wasReplaced: false });
      expect(store.commands(9)).toEqual([]);
    });
});

describe("an older state in the place of the newest", () => {
  const saved = (folder: string): string => {
    const copy = join(temporaryFolder(), "copy.db");
    cpSync(join(folder, "state.db"), copy);
    return copy;
  };

  it("is known by a command that came since", () => {
    const folder = filledState(temporaryFolder());
    const copy = saved(folder);
    const store = openStore(folder, { clock });
    store.insertCommand(storedCommand("c2"));
    store.close();
    cpSync(copy, join(folder, "state.db"));
    const again = openStore(folder, { clock });
    expect(again.lost).toMatchObject({ wasReplaced: true, commandsOpen: true });
    expect(again.lost?.text).toContain("backup");
    again.close();
    const third = openStore(folder, { clock });
    expect(third.lost).not.toBeNull();
    third.keepLost(null);
    third.close();
    expect(testStore(folder).lost).toBeNull();
  });

  it("is known by a start since", () => {
    const folder = filledState(temporaryFolder());
    const copy = saved(folder);
    const store = openStore(folder, { clock });
    store.markStart();
    store.close();
    cpSync(copy, join(folder, "state.db"));
    expect(testStore(folder).lost).toMatchObject({ wasReplaced: true });
  });

  it("is known when it is from before anything was counted", () => {
    const folder = filledState(temporaryFolder());
    const path = join(folder, "state.db");
    const old = join(folder, "old");
    // As a version made it that did not count.
    const store = openStore(folder, { clock });
    store.close();
    cpSync(path, old);
    const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
    const db = new DatabaseSync(old);
    db.exec("DELETE FROM meta WHERE key IN ('life', 'generation')");
    db.close();
    renameSync(old, path);
    expect(testStore(folder).lost).toMatchObject({ wasReplaced: true });
  });

  it("of a version that did not count is itself where nothing was counted yet", () => {
    const folder = filledState(temporaryFolder());
    const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
    const db = new DatabaseSync(join(folder, "state.db"));
    db.exec("DELETE FROM meta WHERE key IN ('life', 'generation')");
    db.close();
    rmSync(join(folder, "generation"));
    for (let start = 0; start < 2; start++) {
      const store = openStore(folder, { clock });
      expect(store.lost).toBeNull();
      store.markStart();
      store.close();
    }
    expect(existsSync(join(folder, "generation"))).toBe(true);
  });

  it("or another node's is known", () => {
    const folder = filledState(temporaryFolder());
    const other = filledState(temporaryFolder());
    cpSync(join(other, "state.db"), join(folder, "state.db"));
    expect(testStore(folder).lost).toMatchObject({ wasReplaced: true });
  });

  it("is known when its WAL is gone, with commands in it", () => {
    const folder = killedState();
    const whole = readFileSync(join(folder, "state.db"));
    rmSync(join(folder, "state.db-wal"));
    // Nothing of it may have reached the database: then it is an empty one, which is lost all the same.
    expect(whole.length % 4096).toBe(0);
    expect(testStore(folder).lost).not.toBeNull();
  });

  it("is known when its WAL is another database's", () => {
    const folder = killedState();
    const other = killedState();
    cpSync(join(other, "state.db-wal"), join(folder, "state.db-wal"));
    expect(testStore(folder).lost).not.toBeNull();
  });

  it("is none for a WAL index that is stale, or a marker that is gone or damaged", () => {
    const folder = killedState();
    writeFileSync(join(folder, "state.db-shm"), Buffer.alloc(32_768, 7));
    const store = openStore(folder, { clock });
    expect([store.lost, store.commands(9).length]).toEqual([null, 2]);
    store.close();
    for (const text of ["", "nonsense", "0".repeat(64)]) {
      writeFileSync(join(folder, "generation"), text);
      const again = openStore(folder, { clock });
      expect(again.lost).toBeNull();
      again.markStart();
      again.close();
    }
    rmSync(join(folder, "generation"));
    expect(testStore(folder).lost).toBeNull();
  });
});
