/**
 * The rows of the command journal, and what was taken out of it. A row that can't be read is set aside and
 * never given out again, but its id stays known: the same command delivered once more is not a new one.
 */
import { isFull } from "../commands/quota/limits.ts";
import type { HistoryEntry } from "../commands/record.ts";
import { type CommandState, isFinal, NEVER_BEGUN } from "../model/command.ts";
import { AgentError } from "../model/errors.ts";
import type { AgentEvent, EventDraft } from "../model/event.ts";
import { FINAL, forgetOld, journalUse, makeRoom } from "./command-quota.ts";
import { setDamagedAside, takeOut } from "./commands-aside.ts";
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

/** Null where the text is damaged, which is between nothing. */
const ISSUED_AT = "CASE WHEN json_valid(command) THEN json_extract(command, '$.issuedAt') END";
/** What version 4 adds: found by it without a look into the texts. */
export const ISSUED_INDEX = `
  CREATE INDEX command_issued ON command (source, epoch, ${ISSUED_AT}, seq) WHERE seq IS NOT NULL;
`;
export const LAST_SEQ = `SELECT max(seq) AS last FROM command
  WHERE source = ? AND epoch = ? AND seq <= ? AND ${ISSUED_AT} BETWEEN ? AND ?`;

/** Of what ended: longer than this it keeps no text that was signed. */
const LONG = 4_096;
const WITHOUT_SIGNED_TEXT =
  "CASE WHEN json_valid(command) THEN json_set(command, '$.signedText', NULL) ELSE command END";
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
  | "journalUse"
  | "rebootedFrom"
  | "endedCommands"
  | "newestCommand"
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
        if (mayPush(given)) makeRoom(db, given.source);
      });
      return { isNew: true, event };
    },
    setCommandState(id, { state, error, progress }, draft, entry, at) {
      const row = command(id);
      if (row === null) throw new AgentError("unknown_command", `there is no command ${id} in the journal`);
      return journal(id, draft, entry, at, (db) => {
        db.run(
          `UPDATE command SET state = ?, error_code = ?, error_message = ?, progress = coalesce(?, progress)
           ${isFinal(state) && row.command.length > LONG ? `, command = ${WITHOUT_SIGNED_TEXT}` : ""} WHERE id = ?`,
          state,
          error?.code ?? null,
          error?.message ?? null,
          progress ?? null,
          id,
        );
        if (mayPush({ source: row.source, state })) makeRoom(db, row.source);
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
          db.get<{ last: number | null }>(LAST_SEQ, source, epoch, most, Math.trunc(from), Math.trunc(until))
            ?.last ?? null,
      ),
    isCommandKnown: known,
    journalUse(source, now) {
      const use = file.read((db) => journalUse(db, source));
      if (!isFull(use)) return use;
      // Only then: what is old enough gives way at each start anyway.
      file.write((db) => forgetOld(db, source, now));
      return file.read((db) => journalUse(db, source));
    },
    endedCommands: (source, after, upTo, limit) =>
      file
        .read((db) =>
          db.all<Row & { number: number }>(
            `${ROWS.replace("SELECT", "SELECT number,")} WHERE number > ? AND number <= ? AND source = ? AND state IN ${FINAL}
             ORDER BY number LIMIT ?`,
            after,
            upTo,
            source,
            limit,
          ),
        )
        .map(({ number, ...row }) => ({ number, row: storedCommand(row) })),
    newestCommand: () =>
      file.read((db) => db.get<{ n: number | null }>("SELECT max(number) AS n FROM command")?.n ?? 0),
    rebootedFrom: (bootId) =>
      rows(
        `WHERE type = 'reboot' AND CASE WHEN json_valid(progress) THEN json_extract(progress, '$.reboot.fromBootId') END = ?
         ORDER BY number DESC`,
        bootId,
      ),
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

/** Whether a row in this state makes another one superfluous. */
function mayPush({ source, state }: { readonly source: string; readonly state: CommandState }): boolean {
  return NEVER_BEGUN.includes(state) || (source === "local" && isFinal(state));
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

function storedCommand({ errorCode, errorMessage, ...row }: Row): StoredCommand {
  return { ...row, error: errorCode === null ? null : { code: errorCode, message: errorMessage ?? "" } };
}
