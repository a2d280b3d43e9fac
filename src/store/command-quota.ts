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

export function journalUse(db: Database, source: string): JournalUse {
  const row = db.get<{ rows: number; characters: number | null }>(
    `SELECT count(*) AS rows, sum(length(command) + coalesce(length(progress), 0)) AS characters
     FROM command WHERE source = ? AND state NOT IN ${REFUSED}`,
    source,
  );
  return { rows: row?.rows ?? 0, characters: row?.characters ?? 0 };
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
