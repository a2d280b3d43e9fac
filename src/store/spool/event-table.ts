/** The event table's statements; what they mean together is in spool.ts. */
import { NEVER_BEGUN } from "../../model/command.ts";
import { BEYOND_ULIDS } from "../../model/ulid.ts";
import type { Database } from "../file/database.ts";
import type { SpoolEntry } from "./drop.ts";
import type { SpooledEvent } from "./event.ts";

/** An event without what only the bounds need. */
export type EventRow = Pick<SpooledEvent, "id" | "at" | "type" | "severity" | "text">;

export function insertEvent(db: Database, event: SpooledEvent): void {
  db.run(
    "INSERT INTO event (id, at, type, severity, rank, stands_for, bytes, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    event.id,
    event.at,
    event.type,
    event.severity,
    event.rank,
    event.standsFor,
    event.bytes,
    event.text,
  );
}

export function deleteEvents(db: Database, ids: readonly string[]): void {
  for (const id of ids) db.run("DELETE FROM event WHERE id = ?", id);
}

export function countEvents(db: Database): { events: number; bytes: number } {
  const row = db.get<{ events: number; bytes: number | null }>(
    "SELECT count(*) AS events, sum(bytes) AS bytes FROM event",
  );
  return { events: row?.events ?? 0, bytes: row?.bytes ?? 0 };
}

export function eventsAfter(db: Database, id: string, limit: number): EventRow[] {
  return db.all(
    "SELECT id, at, type, severity, data AS text FROM event WHERE id > ? ORDER BY id LIMIT ?",
    id,
    limit,
  );
}

export function hasEvent(db: Database, id: string): boolean {
  return db.get("SELECT 1 AS found FROM event WHERE id = ?", id) !== undefined;
}

export function idsAfter(db: Database, id: string): string[] {
  return db.all<{ id: string }>("SELECT id FROM event WHERE id > ?", id).map((row) => row.id);
}

/** Ids of the `command.state` events of one command after `id`. */
export function answersAfter(db: Database, id: string, commandId: string): string[] {
  return db
    .all<{ id: string }>(
      // CASE, because json_extract fails on what is no JSON, and AND promises no order.
      // What does not name the id is not parsed: there may be thousands.
      `SELECT id FROM event WHERE id > ? AND type = 'command.state' AND instr(data, ?) > 0
       AND CASE WHEN json_valid(data) THEN json_extract(data, '$.command_id') END = ?`,
      id,
      JSON.stringify(commandId).slice(1, -1),
      commandId,
    )
    .map((row) => row.id);
}

export function spoolEntries(db: Database): SpoolEntry[] {
  return db.all(
    // CASE, because json_extract fails on what is no JSON.
    `SELECT id, rank, bytes, stands_for AS standsFor,
       CASE WHEN type = 'dropped' THEN type WHEN type = 'command.state' AND json_valid(data) THEN
         CASE WHEN json_extract(data, '$.state') IN (${NEVER_BEGUN.map((state) => `'${state}'`).join(", ")}) THEN 'refused'
         ELSE 'command ' || coalesce((SELECT source FROM command WHERE command.id = json_extract(data, '$.command_id')), '')
         END
       END AS "group"
     FROM event ORDER BY id`,
  );
}

/** The last id given out that the file knows of: a cursor remembers it when the event itself is gone. */
export function lastKnownId(db: Database): string {
  return (
    db.get<{ id: string | null }>(
      `SELECT max(id) AS id FROM (SELECT max(id) AS id FROM event WHERE id < ?1
         UNION ALL SELECT max(upto) FROM cursor WHERE upto < ?1)`,
      BEYOND_ULIDS,
    )?.id ?? ""
  );
}

/** What was acknowledged up to `upto`, without the newest `keep` of the table. */
export function acknowledgedHistory(
  db: Database,
  upto: string,
  keep: number,
): Pick<SpooledEvent, "id" | "bytes">[] {
  const last = db.get<{ id: string }>("SELECT id FROM event ORDER BY id DESC LIMIT 1 OFFSET ?", keep);
  if (last === undefined) return [];
  return db.all("SELECT id, bytes FROM event WHERE id <= ?", last.id < upto ? last.id : upto);
}
