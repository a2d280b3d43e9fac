/** A state that is damaged, or of another version. */
import { readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { SCHEMA_VERSION } from "../../src/store/file/schema.ts";
import { openStore } from "../../src/store/store.ts";
import { temporaryFolder } from "../support/machine/tree.ts";
import {
  error,
  filledState,
  handClock,
  info,
  numbers,
  START,
  storedCommand,
  testStore,
  warning,
} from "../support/store/store.ts";

function sql(folder: string, text: string): void {
  const db = new DatabaseSync(join(folder, "state.db"));
  db.exec(text);
  db.close();
}

function keptAside(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.startsWith("state.db.corrupt-"));
}

describe("a damaged state", () => {
  it.each(["7".padEnd(26, "Z"), "~~~~", "z".repeat(26)])(
    "whose cursor says that all was told up to %s tells what comes, and counts on from what was there",
    (upto) => {
      const folder = filledState(temporaryFolder());
      sql(folder, `INSERT OR REPLACE INTO cursor (api, upto, beyond) VALUES ('a', '${upto}', '[]')`);
      const store = testStore(folder);
      store.appendEvents([warning("after")], START);
      const pending = store.pendingEvents("a", 1_000);
      expect(numbers(pending).at(-1)).toBe("after");
      const ids = pending.map(({ id }) => id);
      expect(ids).toEqual([...ids].sort());
      store.acknowledgeEvents("a", ids);
      expect(store.pendingCount("a")).toBe(0);
      store.close();
    },
  );

  const damage: Record<string, (path: string) => void> = {
    "with garbage for a header": (path) =>
      writeFileSync(path, Buffer.concat([Buffer.alloc(4096, "?"), readFileSync(path).subarray(4096)])),
    "that is some text": (path) => writeFileSync(path, "this is no database\n".repeat(500)),
    "cut off": (path) => truncateSync(path, 4096 * 20 + 100),
    "with a bad page": (path) => {
      const bytes = readFileSync(path);
      bytes.fill(0xa5, 4096 * 100, 4096 * 104);
      writeFileSync(path, bytes);
    },
    "that is another program's database": (path) => {
      writeFileSync(path, "");
      sql(join(path, ".."), "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
    },
    "that lacks a table": (path) => sql(join(path, ".."), "DROP TABLE command"),
  };
  for (const [what, harm] of Object.entries(damage)) {
    it(`${what} is set aside; nothing of it is executed, and a fresh one takes its place`, () => {
      const folder = filledState(temporaryFolder());
      harm(join(folder, "state.db"));
      const store = testStore(folder);
      expect([store.mode, store.fresh, store.problem?.code]).toEqual(["ok", true, "state_corrupt"]);
      expect(store.problem?.text).toContain(join(folder, keptAside(folder)[0] as string));
      expect(store.commands(9)).toEqual([]);
      expect(store.values("identity").get("self")).toBeNull();
      store.appendEvents([warning("after")], START);
      store.close();
      const again = testStore(folder);
      expect([again.fresh, again.problem]).toEqual([false, null]);
      expect(numbers(again.eventsSince("", 9))).toEqual(["after"]);
    });
  }

  it("is kept at most twice", () => {
    const folder = filledState(temporaryFolder());
    for (let i = 0; i < 5; i++) {
      writeFileSync(join(folder, "state.db"), `no database ${i}`);
      openStore(folder, { clock: handClock() }).close();
    }
    const kept = keptAside(folder).map((name) => readFileSync(join(folder, name), "utf8"));
    expect(kept).toHaveLength(2);
    expect(kept).toContain("no database 4");
  });

  it("of no length at all (a power cut) is a fresh one", () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "state.db"), "");
    const store = testStore(folder);
    expect([store.mode, store.fresh, store.problem]).toEqual(["ok", true, null]);
  });

  it("met while running: reporting goes on from memory, commands are refused, the next start is fresh", () => {
    const folder = filledState(temporaryFolder());
    // More than is checked at opening, so that the damage is met by a read.
    const big = openStore(folder, { clock: handClock() });
    big.appendEvents(
      Array.from({ length: 500 }, (_, n) => warning(`big ${n}`, { text: "y".repeat(12_000) })),
      START,
    );
    big.close();
    const path = join(folder, "state.db");
    const bytes = readFileSync(path);
    // A leaf of the event tree (type 10 of sqlite.org/fileformat2.html, 1.6): its inner pages are read at opening.
    const page = Array.from({ length: bytes.length / 4096 }, (_, n) =>
      bytes.subarray(n * 4096, (n + 1) * 4096),
    )
      .filter((one) => one[0] === 10 && one.includes('"big '))
      .at(-5);
    page?.fill(0xa5);
    writeFileSync(path, bytes);

    const store = testStore(folder);
    expect(store.mode).toBe("ok");
    expect(store.values("identity").get("self")).toBe("me");
    expect(store.pendingEvents("a", 9_999)).toEqual([]);
    expect([store.mode, store.problem?.code]).toEqual(["memory", "state_corrupt"]);
    expect(keptAside(folder)).toHaveLength(1);
    expect(() => store.insertCommand(storedCommand("c2"))).toThrow(
      expect.objectContaining({ code: "journal_not_writable" }),
    );
    store.appendEvents([error("after"), info("and this")], START);
    store.values("identity").set("self", "still");
    store.flush(START, true);
    expect(numbers(store.pendingEvents("a", 9))).toEqual(["after", "and this"]);
    expect(store.values("identity").get("self")).toBe("still");
    store.close();
    expect(testStore(folder).fresh).toBe(true);
  });
});

describe("a state of another version", () => {
  it("that only added things is used", () => {
    const folder = filledState(temporaryFolder());
    const next = SCHEMA_VERSION + 1;
    sql(
      folder,
      `PRAGMA user_version = ${next}; ALTER TABLE command ADD COLUMN more TEXT; CREATE TABLE new (x)`,
    );
    const store = testStore(folder);
    expect([store.mode, store.problem, store.fresh]).toEqual(["ok", null, false]);
    expect(store.insertCommand(storedCommand("c2")).isNew).toBe(true);
    expect(store.commands(9)).toHaveLength(2);
    store.close();
    const db = new DatabaseSync(join(folder, "state.db"));
    expect(db.prepare("PRAGMA user_version").get()).toEqual({ user_version: next });
    db.close();
  });

  it("that is too new keeps reporting under its identity, refuses commands and leaves its data as they are", () => {
    const folder = filledState(temporaryFolder());
    sql(
      folder,
      "PRAGMA user_version = 7; UPDATE meta SET value = '7' WHERE key = 'compatible_with'; DROP TABLE event; CREATE TABLE event (other)",
    );
    const store = testStore(folder);
    expect([store.mode, store.problem?.code, store.fresh]).toEqual(["too_new", "state_too_new", false]);
    expect(store.values("identity").get("self")).toBe("me");
    expect(() => store.insertCommand(storedCommand("c2"))).toThrow(
      expect.objectContaining({ code: "state_too_new" }),
    );
    const events = store.appendEvents([error(1), info(2)], START);
    expect(store.pendingEvents("a", 9)).toEqual(events);
    store.acknowledgeEvents("a", [events[0]?.id as string]);
    store.setConfirmedHashes("a", { system: "1" });
    store.flush(START, true);
    expect(numbers(store.pendingEvents("a", 9))).toEqual([2]);
    // A token that was rotated is the only one that is good, for the newer version as well.
    store.values("api.nodefoundry").set("token", "rotated");
    store.close();
    const db = new DatabaseSync(join(folder, "state.db"));
    expect(db.prepare("SELECT count(*) AS n FROM event").get()).toEqual({ n: 0 });
    expect(db.prepare("SELECT count(*) AS n FROM command").get()).toEqual({ n: 1 });
    expect(db.prepare("SELECT value FROM value WHERE key = 'token'").get()).toEqual({ value: "rotated" });
    expect(db.prepare("PRAGMA user_version").get()).toEqual({ user_version: 7 });
    db.close();
  });

  it("that is too new changes identities back and forth as well, while it runs", () => {
    const folder = filledState(temporaryFolder());
    sql(folder, "PRAGMA user_version = 7; UPDATE meta SET value = '7' WHERE key = 'compatible_with'");
    const store = testStore(folder);
    const { at } = store.abandon("identity_cloned", START);
    expect(store.values("identity").get("self")).toBeNull();
    store.values("identity").set("self", "new");
    store.restore(at, START);
    expect(store.values("identity").get("self")).toBe("me");
    store.close();
    expect(testStore(folder).values("identity").get("self")).toBe("me");
  });
});
