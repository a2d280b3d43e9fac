/** What of the command journal gives way, and how much one source has of it (the numbers: ../commands/quota/limits.ts). */
import { type JournalUse, LOCAL_ROWS, REFUSED_ROWS } from "../commands/quota/limits.ts";
import { COMMAND_STATES, isFinal, NEVER_BEGUN } from "../model/command.ts";
import type { Database } from "./file/database.ts";

/** Kept for dedupe at least so long after they came … */
const KEPT_MS = 30 * 24 * 3600 * 1000;
/** … and so many of each source whatever the clock says. */
export const KEPT_COMMANDS = 1_000;

const list = (states: readonly string[]): string => `(${states.map((state) => `'${state}'`).join(", ")})`;
export const FINAL = list(COMMAND_STATES.filter(isFinal));
const REFUSED = list(NEVER_BEGUN);

const size = (row: string): string => `length(${row}command) + coalesce(length(${row}progress), 0)`;
const added = `INSERT INTO command_use (source, commands, characters) VALUES (NEW.source, 1, ${size("NEW.")})
  ON CONFLICT (source) DO UPDATE SET commands = commands + 1, characters = characters + excluded.characters`;
const removed = `UPDATE command_use SET commands = commands - 1, characters = characters - (${size("OLD.")})
  WHERE source = OLD.source`;
const when = (row: string): string => `${row}state NOT IN ${REFUSED}`;

/**
 * What version 4 of the schema counts, for to sum it up is to read thousands of rows for each command that comes. By
 * triggers, so that it stays right whoever writes, a version before this one too. The states that do not count are in
 * them: whoever changes NEVER_BEGUN makes them anew.
 */
export const USE_TABLE = `
  CREATE TABLE command_use (
    source TEXT PRIMARY KEY, commands INTEGER NOT NULL, characters INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO command_use SELECT source, count(*), sum(${size("")}) FROM command WHERE ${when("")} GROUP BY source;
  CREATE TRIGGER command_use_added AFTER INSERT ON command WHEN ${when("NEW.")} BEGIN ${added}; END;
  CREATE TRIGGER command_use_removed AFTER DELETE ON command WHEN ${when("OLD.")} BEGIN ${removed}; END;
  CREATE TRIGGER command_use_out AFTER UPDATE OF source, state, command, progress ON command
    WHEN ${when("OLD.")} BEGIN ${removed}; END;
  CREATE TRIGGER command_use_in AFTER UPDATE OF source, state, command, progress ON command
    WHEN ${when("NEW.")} BEGIN ${added}; END;
`;

export const JOURNAL_USE = "SELECT commands AS rows, characters FROM command_use WHERE source = ?";

export function journalUse(db: Database, source: string): JournalUse {
  return db.get<JournalUse>(JOURNAL_USE, source) ?? { rows: 0, characters: 0 };
}

/** Call in the transaction that adds to what was refused, or to what this host asked for. */
export function makeRoom(db: Database, source: string): void {
  remove(db, `source = ? AND state IN ${REFUSED}`, REFUSED_ROWS, source);
  // One that was signed elsewhere may be brought again: it stays known as those of the network do.
  if (source === "local")
    remove(
      db,
      `source = ? AND state IN ${FINAL} AND CASE WHEN json_valid(command) THEN json_extract(command, '$.signature') IS NULL ELSE 0 END`,
      LOCAL_ROWS,
      source,
    );
}

/** What ended is forgotten after 30 days. A Foundries command is known for as long as its file exists, which its own folder decides. */
export function forgetOld(db: Database, source: string, now: number): void {
  if (source === "foundries") return;
  db.run(
    `DELETE FROM command WHERE source = ? AND state IN ${FINAL} AND received_at < ?
     AND number NOT IN (SELECT number FROM command WHERE source = ? ORDER BY number DESC LIMIT ${KEPT_COMMANDS})`,
    source,
    Math.trunc(now - KEPT_MS),
    source,
  );
  forgetHistory(db);
}

export function sources(db: Database): string[] {
  return db.all<{ source: string }>("SELECT DISTINCT source FROM command").map(({ source }) => source);
}

export function forgetHistory(db: Database): void {
  db.run("DELETE FROM command_history WHERE id NOT IN (SELECT id FROM command)");
}

/** All but the newest `keep` of `which`. */
function remove(db: Database, which: string, keep: number, source: string): void {
  const gone = db.all<{ id: string }>(
    `SELECT id FROM command WHERE ${which} ORDER BY number DESC LIMIT -1 OFFSET ${keep}`,
    source,
  );
  for (const { id } of gone) {
    db.run("DELETE FROM command_history WHERE id = ?", id);
    db.run("DELETE FROM command WHERE id = ?", id);
  }
}
