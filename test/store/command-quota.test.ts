/** What one more command asks of the journal: an index and a counter, and no walk through what stands in it. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it, onTestFinished } from "vitest";
import { COMMAND_STATES, NEVER_BEGUN } from "../../src/model/command.ts";
import { JOURNAL_USE } from "../../src/store/command-quota.ts";
import { LAST_SEQ } from "../../src/store/commands.ts";
import { temporaryFolder } from "../support/machine/tree.ts";
import { START, storedCommand, testStore } from "../support/store/store.ts";

/** The database of a store that was closed. */
function database(folder: string): DatabaseSync {
  const db = new DatabaseSync(join(folder, "state.db"));
  onTestFinished(() => db.close());
  return db;
}

function plan(db: DatabaseSync, sql: string, values: number): string[] {
  const steps = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...Array(values).fill(1));
  return steps.map((step) => String(step.detail));
}

it("finds the last number and the use of a source without reading commands", () => {
  const folder = temporaryFolder();
  testStore(folder).close();
  const db = database(folder);
  expect(plan(db, LAST_SEQ, 5)).toEqual([
    expect.stringMatching(
      /^SEARCH command USING COVERING INDEX command_issued \(source=\? AND epoch=\? AND <expr>>\? AND <expr><\?\)$/,
    ),
  ]);
  expect(plan(db, JOURNAL_USE, 1)).toEqual(["SEARCH command_use USING PRIMARY KEY (source=?)"]);
});

it("counts what a walk through all would find, whatever becomes of commands", () => {
  const folder = temporaryFolder();
  const store = testStore(folder);
  const random = (most: number): number => Math.floor(Math.random() * most);
  const sources = ["nodefoundry", "local", "foundries"];
  const states = COMMAND_STATES.filter((state) => state !== "received");
  for (let step = 0; step < 400; step++) {
    const id = `cmd_${random(150)}`;
    const state = states[random(states.length)] ?? "accepted";
    const progress = random(3) === 0 ? null : JSON.stringify({ long: "x".repeat(random(200)) });
    if (store.command(id) === null)
      store.insertCommand(
        storedCommand(id, {
          source: sources[random(3)] ?? "",
          state,
          progress,
          command: `"${"\u00e9".repeat(random(99))}"`,
        }),
      );
    else if (random(10) === 0) store.setCommandAside(id, "test", START);
    else store.setCommandState(id, { state, error: null, progress }, null, null, START);
  }
  const counted = sources.map((source) => store.journalUse(source, START));
  store.close();
  const refused = NEVER_BEGUN.map((state) => `'${state}'`).join(", ");
  const walked = database(folder).prepare(
    `SELECT count(*) AS rows, coalesce(sum(length(command) + coalesce(length(progress), 0)), 0) AS characters
     FROM command WHERE source = ? AND state NOT IN (${refused})`,
  );
  expect(counted).toEqual(sources.map((source) => ({ ...walked.get(source) })));
  expect(counted.every(({ rows }) => rows > 0)).toBe(true);
});

it("is counted at once in a journal of a version that did not count", () => {
  const folder = temporaryFolder();
  const store = testStore(folder);
  for (const [id, state] of [
    ["a", "succeeded"],
    ["b", "refused"],
    ["c", "waiting"],
  ] as const)
    store.insertCommand(storedCommand(id, { source: "nodefoundry", state, seq: 7 }));
  const use = store.journalUse("nodefoundry", START);
  expect(use.rows).toBe(2);
  store.close();
  const db = new DatabaseSync(join(folder, "state.db"));
  db.exec(`DROP INDEX command_issued; DROP TABLE command_use; DROP TRIGGER command_use_added;
    DROP TRIGGER command_use_removed; DROP TRIGGER command_use_in; DROP TRIGGER command_use_out;
    PRAGMA user_version = 3`);
  db.close();
  expect(testStore(folder).journalUse("nodefoundry", START)).toEqual(use);
});
