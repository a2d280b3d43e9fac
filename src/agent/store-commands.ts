/**
 * The rows of the command journal, and what was taken out of it. A row that can't be read is set aside and
 * never given out again, but its id stays known: the same command delivered once more is not a new one.
 */
import type { CommandState } from "../model/command.ts";
import { AgentError } from "../model/errors.ts";
import type { Database } from "./store-database.ts";
import { eventOf } from "./store-event.ts";
import { insertEvent } from "./store-event-table.ts";
import type { StateFile } from "./store-file-types.ts";
import type { Spool } from "./store-spool.ts";
import type { SetAside, Store, StoredCommand } from "./store-types.ts";

const STATES: readonly CommandState[] = [
  "received",
  "accepted",
  "waiting",
  "running",
  "rebooting",
  "verifying",
  "succeeded",
  "failed",
  "cancelled",
  "refused",
  "expired",
];
const FINAL = "('succeeded', 'failed', 'cancelled', 'refused', 'expired')";

/** Kept for dedupe at least so long after they came … */
const KEPT_MS = 30 * 24 * 3600 * 1000;
/** … and so many whatever the clock says. */
const KEPT_COMMANDS = 1_000;

interface Row {
  readonly id: string;
  readonly source: string;
  readonly epoch: string;
  readonly type: string;
  readonly state: CommandState;
  readonly received_at: number;
  readonly command: string;
  readonly error_code: string | null;
  readonly error_message: string | null;
}

export type Commands = Pick<Store, "insertCommand" | "setCommandState" | "commands" | "command" | "setAside">;

export function openCommands(file: StateFile, spool: Spool, now: number): Commands {
  setDamagedAside(file, now);

  function command(id: string): StoredCommand | null {
    const row = file.read((db) => db.get<Row>("SELECT * FROM command WHERE id = ?", id));
    return row === undefined ? null : storedCommand(row);
  }

  function known(id: string): boolean {
    return file.read(
      (db) =>
        (db.get("SELECT 1 AS found FROM command WHERE id = ?", id) ??
          db.get("SELECT 1 AS found FROM set_aside WHERE kind = 'command' AND name = ?", id)) !== undefined,
    );
  }

  return {
    insertCommand(given) {
      if (known(given.id)) return false;
      file.writeJournal((db) => {
        db.run(
          `INSERT INTO command (id, source, epoch, type, state, received_at, command, error_code, error_message)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          given.id,
          given.source,
          given.epoch,
          given.type,
          given.state,
          Math.trunc(given.receivedAt),
          given.command,
          given.error?.code ?? null,
          given.error?.message ?? null,
        );
      });
      return true;
    },
    setCommandState(id, state, error, draft, at) {
      if (command(id) === null)
        throw new AgentError("unknown_command", `there is no command ${id} in the journal`);
      const event = spool.draft(draft, at);
      let committed: (() => void) | null = null;
      file.writeJournal((db, short) => {
        committed = short ? null : spool.writeTo(db, at, false);
        db.run(
          "UPDATE command SET state = ?, error_code = ?, error_message = ? WHERE id = ?",
          state,
          error?.code ?? null,
          error?.message ?? null,
          id,
        );
        insertEvent(db, event);
      });
      (committed as (() => void) | null)?.();
      spool.inserted(event);
      return eventOf(event);
    },
    commands: (limit) =>
      file
        .read((db) => db.all<Row>("SELECT * FROM command ORDER BY number DESC LIMIT ?", limit))
        .map(storedCommand),
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
  db.run(
    `INSERT INTO set_aside (at, reason, kind, name, content)
     SELECT ?, ?, 'command', id, ${AS_JSON} FROM command ORDER BY number`,
    Math.trunc(now),
    reason,
  );
  db.run("DELETE FROM command");
}

export function unfinishedCommands(db: Database): number {
  return db.get<{ n: number }>(`SELECT count(*) AS n FROM command WHERE state NOT IN ${FINAL}`)?.n ?? 0;
}

const AS_JSON = `json_object('id', id, 'source', source, 'epoch', epoch, 'type', type, 'state', state,
  'received_at', received_at, 'command', command)`;

// CASE, because json_type fails on what is no JSON, and OR promises no order.
const DAMAGED = `CASE WHEN json_valid(command) THEN json_type(command) <> 'object' ELSE 1 END
  OR state NOT IN (${STATES.map((state) => `'${state}'`).join(", ")})`;

/** Once at opening; also where what is old enough is deleted. */
function setDamagedAside(file: StateFile, now: number): void {
  const oldest = Math.trunc(now - KEPT_MS);
  const work = file.read((db) => ({
    damaged: db.all(`SELECT id FROM command WHERE ${DAMAGED}`).length,
    many: (db.get<{ n: number }>("SELECT count(*) AS n FROM command")?.n ?? 0) > KEPT_COMMANDS,
  }));
  if (work.damaged === 0 && !work.many) return;
  file.writeOrOwe((db) => {
    db.run(
      `INSERT INTO set_aside (at, reason, kind, name, content)
       SELECT ?, 'damaged', 'command', id, ${AS_JSON} FROM command WHERE ${DAMAGED}`,
      Math.trunc(now),
    );
    db.run(`DELETE FROM command WHERE ${DAMAGED}`);
    // A Foundries command is known for as long as its file exists, which its own folder decides.
    db.run(
      `DELETE FROM command WHERE state IN ${FINAL} AND source <> 'foundries' AND received_at < ?
       AND number NOT IN (SELECT number FROM command ORDER BY number DESC LIMIT ?)`,
      oldest,
      KEPT_COMMANDS,
    );
  });
}

function storedCommand(row: Row): StoredCommand {
  return {
    id: row.id,
    source: row.source,
    epoch: row.epoch,
    type: row.type,
    state: row.state,
    receivedAt: row.received_at,
    command: row.command,
    error: row.error_code === null ? null : { code: row.error_code, message: row.error_message ?? "" },
  };
}
