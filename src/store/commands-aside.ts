/** Commands that are taken out of the journal unexecuted: an operator can look at them, and their ids stay known. */
import { COMMAND_STATES } from "../model/command.ts";
import { FINAL, forgetHistory, forgetOld, KEPT_COMMANDS, makeRoom, sources } from "./command-quota.ts";
import type { Database } from "./file/database.ts";
import type { StateFile } from "./file/types.ts";

/** However often this node becomes another one. */
const KEPT_ASIDE = 10_000;
/** Characters of each JSON text in them. */
const LONG = 4_096;

/** Every command into `set_aside`, unexecuted; call in a transaction. */
export function setCommandsAside(db: Database, reason: string, now: number): void {
  takeOut(db, reason, now, "");
  db.run("DELETE FROM command_history");
  db.run("DELETE FROM undo");
}

/** From the journal into `set_aside`. @param where which ones, in SQL; "": all */
export function takeOut(db: Database, reason: string, now: number, where: string, ...values: string[]): void {
  db.run(
    `INSERT INTO set_aside (at, reason, kind, name, content)
     SELECT ?, ?, 'command', id, ${AS_JSON} FROM command ${where} ORDER BY number`,
    Math.trunc(now),
    reason,
    ...values,
  );
  db.run(`DELETE FROM command ${where}`, ...values);
  db.run(
    `DELETE FROM set_aside WHERE kind = 'command' AND number NOT IN
       (SELECT number FROM set_aside WHERE kind = 'command' ORDER BY number DESC LIMIT ${KEPT_ASIDE})`,
  );
}

export function unfinishedCommands(db: Database): number {
  return count(db, `WHERE state NOT IN ${FINAL}`);
}

function count(db: Database, where: string): number {
  return db.get<{ n: number }>(`SELECT count(*) AS n FROM command ${where}`)?.n ?? 0;
}

const AS_JSON = `json_object('id', id, 'source', source, 'epoch', epoch, 'type', type, 'state', state,
  'received_at', received_at, 'command', substr(command, 1, ${LONG}), 'progress', substr(progress, 1, ${LONG}))`;

// CASE, because json_type fails on what is no JSON, and OR promises no order.
const DAMAGED = `CASE WHEN json_valid(command) THEN json_type(command) <> 'object' ELSE 1 END
  OR state NOT IN (${COMMAND_STATES.map((state) => `'${state}'`).join(", ")})`;

/** Once at opening; also where what is old enough, or too much, is deleted. */
export function setDamagedAside(file: StateFile, now: number): void {
  const { damaged, many } = file.read((db) => ({
    damaged: count(db, `WHERE ${DAMAGED}`) > 0,
    many: count(db, "") > KEPT_COMMANDS,
  }));
  if (!damaged && !many) return;
  file.writeOrOwe((db) => {
    takeOut(db, "damaged", now, `WHERE ${DAMAGED}`);
    for (const source of sources(db)) {
      forgetOld(db, source, now);
      makeRoom(db, source);
    }
    forgetHistory(db);
  });
}
