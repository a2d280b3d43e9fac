/**
 * The rows of the command journal, and what was taken out of it. A row that can't be read is set aside and
 * never given out again, but its id stays known: the same command delivered once more is not a new one.
 */
import type { HistoryEntry } from "../commands/record.ts";
import { COMMAND_STATES } from "../model/command.ts";
import { AgentError } from "../model/errors.ts";
import type { AgentEvent, EventDraft } from "../model/event.ts";
import type { Database } from "./file/database.ts";
import type { StateFile } from "./file/types.ts";
import { eventOf } from "./spool/event.ts";
import { insertEvent } from "./spool/event-table.ts";
import type { Spool } from "./spool/spool.ts";
import type { SetAside, Store, StoredCommand } from "./types.ts";

/** What version 3 of the schema adds. `progress` is JSON of how far a command came; what its state decides is in there too. */
export const JOURNAL_TABLES = `
  ALTER TABLE command ADD COLUMN seq INTEGER;
  ALTER TABLE command ADD COLUMN progress TEXT;
  CREATE TABLE command_history (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL, at INTEGER NOT NULL, state TEXT NOT NULL, step TEXT, text TEXT NOT NULL
  ) STRICT;
  CREATE INDEX command_history_id ON command_history (id);
  CREATE TABLE undo (
    number INTEGER PRIMARY KEY, command_id TEXT NOT NULL, kind TEXT NOT NULL, args TEXT NOT NULL,
    until INTEGER NOT NULL, since INTEGER NOT NULL, tries INTEGER NOT NULL, last_error TEXT
  ) STRICT;
`;

const FINAL = "('succeeded', 'failed', 'cancelled', 'refused', 'expired')";

/** Kept for dedupe at least so long after they came … */
const KEPT_MS = 30 * 24 * 3600 * 1000;
/** … and so many whatever the clock says. */
const KEPT_COMMANDS = 1_000;
/** Lines of one command's history: a gate that flaps for a month must not fill the disk. */
const KEPT_HISTORY = 200;

interface Row extends Omit<StoredCommand, "error"> {
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
}

const ROWS = `SELECT id, source, epoch, type, state, received_at AS receivedAt, command, seq, progress,
  error_code AS errorCode, error_message AS errorMessage FROM command`;

export type Commands = Pick<
  Store,
  | "insertCommand"
  | "setCommandState"
  | "setCommandAside"
  | "commands"
  | "command"
  | "unfinishedCommands"
  | "commandHistory"
  | "lastCommandSeq"
  | "isCommandKnown"
  | "commandCount"
  | "setAside"
>;

export function openCommands(file: StateFile, spool: Spool, now: number): Commands {
  setDamagedAside(file, now);

  const rows = (which: string, ...values: (string | number)[]): StoredCommand[] =>
    file.read((db) => db.all<Row>(`${ROWS} ${which}`, ...values)).map(storedCommand);

  const command = (id: string): StoredCommand | null => rows("WHERE id = ?", id)[0] ?? null;

  function known(id: string): boolean {
    return file.read(
      (db) =>
        (db.get("SELECT 1 AS found FROM command WHERE id = ?", id) ??
          db.get("SELECT 1 AS found FROM set_aside WHERE kind = 'command' AND name = ?", id)) !== undefined,
    );
  }

  /** A command's row, its history and the event that tells of it, in one transaction. */
  function journal(
    id: string,
    draft: EventDraft | null,
    entry: HistoryEntry | null,
    at: number,
    write: (db: Database) => void,
  ): AgentEvent | null {
    const event = draft === null ? null : spool.draft(draft, at);
    let committed: (() => void) | null = null;
    file.writeJournal((db, short) => {
      committed = short || event === null ? null : spool.writeTo(db, at, false);
      write(db);
      if (event !== null) insertEvent(db, event);
      if (entry !== null && !short) insertHistory(db, id, entry);
    });
    (committed as (() => void) | null)?.();
    if (event === null) return null;
    spool.inserted(event);
    return eventOf(event);
  }

  return {
    insertCommand(given, draft = null, entry = null) {
      if (known(given.id)) return { isNew: false, event: null };
      const event = journal(given.id, draft, entry, given.receivedAt, (db) => {
        db.run(
          `INSERT INTO command
             (id, source, epoch, type, state, received_at, command, error_code, error_message, seq, progress)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          given.id,
          given.source,
          given.epoch,
          given.type,
          given.state,
          Math.trunc(given.receivedAt),
          given.command,
          given.error?.code ?? null,
          given.error?.message ?? null,
          given.seq ?? null,
          given.progress ?? null,
        );
      });
      return { isNew: true, event };
    },
    setCommandState(id, { state, error, progress }, draft, entry, at) {
      if (command(id) === null)
        throw new AgentError("unknown_command", `there is no command ${id} in the journal`);
      return journal(id, draft, entry, at, (db) => {
        db.run(
          "UPDATE command SET state = ?, error_code = ?, error_message = ?, progress = coalesce(?, progress) WHERE id = ?",
          state,
          error?.code ?? null,
          error?.message ?? null,
          progress ?? null,
          id,
        );
      });
    },
    setCommandAside(id, reason, at) {
      file.writeOrOwe((db) => takeOut(db, reason, at, "WHERE id = ?", id));
    },
    unfinishedCommands: () => rows(`WHERE state NOT IN ${FINAL} ORDER BY number`),
    commandHistory: (id) =>
      file.read((db) =>
        db.all<HistoryEntry>(
          "SELECT at, state, step, text FROM command_history WHERE id = ? ORDER BY number",
          id,
        ),
      ),
    lastCommandSeq: (source, epoch, { from, until, most }) =>
      file.read(
        (db) =>
          db.get<{ last: number | null }>(
            `SELECT max(seq) AS last FROM command WHERE source = ? AND epoch = ? AND seq <= ? AND ${ISSUED_AT} BETWEEN ? AND ?`,
            source,
            epoch,
            most,
            Math.trunc(from),
            Math.trunc(until),
          )?.last ?? null,
      ),
    isCommandKnown: known,
    commandCount: () => file.read((db) => count(db, "")),
    commands: (limit) => rows("ORDER BY number DESC LIMIT ?", limit),
    command,
    setAside: () =>
      file.read((db) =>
        db.all<SetAside>(
          `SELECT at, reason, kind, name, CASE kind WHEN 'value' THEN NULL ELSE content END AS content
           FROM set_aside ORDER BY number`,
        ),
      ),
  };
}

/** Every command into `set_aside`, unexecuted; call in a transaction. */
export function setCommandsAside(db: Database, reason: string, now: number): void {
  takeOut(db, reason, now, "");
  db.run("DELETE FROM command_history");
  db.run("DELETE FROM undo");
}

/** From the journal into `set_aside`. @param where which ones, in SQL; "": all */
function takeOut(db: Database, reason: string, now: number, where: string, ...values: string[]): void {
  db.run(
    `INSERT INTO set_aside (at, reason, kind, name, content)
     SELECT ?, ?, 'command', id, ${AS_JSON} FROM command ${where} ORDER BY number`,
    Math.trunc(now),
    reason,
    ...values,
  );
  db.run(`DELETE FROM command ${where}`, ...values);
}

function insertHistory(db: Database, id: string, { at, state, step, text }: HistoryEntry): void {
  db.run(
    "INSERT INTO command_history (id, at, state, step, text) VALUES (?, ?, ?, ?, ?)",
    id,
    Math.trunc(at),
    state,
    step,
    text,
  );
  // The first ones stay: how it began is what is asked for.
  db.run(
    `DELETE FROM command_history WHERE id = ? AND number NOT IN (
       SELECT number FROM (SELECT number FROM command_history WHERE id = ? ORDER BY number LIMIT ${KEPT_HISTORY / 2})
       UNION SELECT number FROM (SELECT number FROM command_history WHERE id = ? ORDER BY number DESC LIMIT ${KEPT_HISTORY / 2}))`,
    id,
    id,
    id,
  );
}

export function unfinishedCommands(db: Database): number {
  return count(db, `WHERE state NOT IN ${FINAL}`);
}

function count(db: Database, where: string): number {
  return db.get<{ n: number }>(`SELECT count(*) AS n FROM command ${where}`)?.n ?? 0;
}

const AS_JSON = `json_object('id', id, 'source', source, 'epoch', epoch, 'type', type, 'state', state,
  'received_at', received_at, 'command', command, 'progress', progress)`;

/** Null where the text is damaged, which is between nothing. */
const ISSUED_AT = "CASE WHEN json_valid(command) THEN json_extract(command, '$.issuedAt') END";

// CASE, because json_type fails on what is no JSON, and OR promises no order.
const DAMAGED = `CASE WHEN json_valid(command) THEN json_type(command) <> 'object' ELSE 1 END
  OR state NOT IN (${COMMAND_STATES.map((state) => `'${state}'`).join(", ")})`;

/** Once at opening; also where what is old enough is deleted. */
function setDamagedAside(file: StateFile, now: number): void {
  const oldest = Math.trunc(now - KEPT_MS);
  if (file.read((db) => count(db, `WHERE ${DAMAGED}`) === 0 && count(db, "") <= KEPT_COMMANDS)) return;
  file.writeOrOwe((db) => {
    takeOut(db, "damaged", now, `WHERE ${DAMAGED}`);
    // A Foundries command is known for as long as its file exists, which its own folder decides.
    db.run(
      `DELETE FROM command WHERE state IN ${FINAL} AND source <> 'foundries' AND received_at < ?
       AND number NOT IN (SELECT number FROM command ORDER BY number DESC LIMIT ?)`,
      oldest,
      KEPT_COMMANDS,
    );
    db.run("DELETE FROM command_history WHERE id NOT IN (SELECT id FROM command)");
  });
}

function storedCommand({ errorCode, errorMessage, ...row }: Row): StoredCommand {
  return { ...row, error: errorCode === null ? null : { code: errorCode, message: errorMessage ?? "" } };
}
