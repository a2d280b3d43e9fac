/**
 * What is in state.db and how it becomes what this version expects.
 *
 * `PRAGMA user_version` is the version that wrote it; `meta.compatible_with` the oldest version that may
 * still run on it. A migration that only adds (tables, columns with a default) leaves `compatible_with`
 * alone, so an agent rolled back by one version goes on working. The tables `meta` and `value` never change
 * their shape in any version: identity and tokens stay readable and writable for every one.
 */

import { USE_TABLE } from "../command-quota.ts";
import { ISSUED_INDEX, JOURNAL_TABLES } from "../commands.ts";
import { SMART_SAMPLE_TABLE } from "../smart-samples.ts";
import type { Database } from "./database.ts";

export const SCHEMA_VERSION = 4;

/** "fndg": says that a file is ours. */
const APPLICATION_ID = 0x666e6467;

/** Bytes of the padding inside the database; the commands of a month fit in it. */
export const PADDING_BYTES = 256 * 1024;

// One entry a version; entry 0 makes version 1. `compatible` is what compatible_with becomes.
const MIGRATIONS: readonly { sql: string; compatible: number }[] = [
  {
    compatible: 1,
    sql: `
      CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE value (
        namespace TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (namespace, key)
      ) STRICT, WITHOUT ROWID;
      -- Clustered by id, so an append touches one page at the end and no second index.
      CREATE TABLE event (
        id TEXT PRIMARY KEY, at INTEGER NOT NULL, type TEXT NOT NULL, severity TEXT NOT NULL,
        rank INTEGER NOT NULL, stands_for INTEGER NOT NULL, bytes INTEGER NOT NULL, data TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE cursor (api TEXT PRIMARY KEY, upto TEXT NOT NULL, beyond TEXT NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE confirmed (api TEXT PRIMARY KEY, hashes TEXT NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE memory (collector TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE traffic (
        api TEXT NOT NULL, month TEXT NOT NULL, sent INTEGER NOT NULL, received INTEGER NOT NULL,
        requests INTEGER NOT NULL, PRIMARY KEY (api, month)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE command (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, source TEXT NOT NULL, epoch TEXT NOT NULL,
        type TEXT NOT NULL, state TEXT NOT NULL, received_at INTEGER NOT NULL, command TEXT NOT NULL,
        error_code TEXT, error_message TEXT
      ) STRICT;
      CREATE TABLE set_aside (
        number INTEGER PRIMARY KEY, at INTEGER NOT NULL, reason TEXT NOT NULL, kind TEXT NOT NULL,
        name TEXT NOT NULL, content TEXT NOT NULL
      ) STRICT;
      CREATE TABLE reserve (padding BLOB NOT NULL) STRICT;
    `,
  },
  { compatible: 1, sql: SMART_SAMPLE_TABLE },
  { compatible: 1, sql: JOURNAL_TABLES },
  { compatible: 1, sql: ISSUED_INDEX + USE_TABLE },
];

const TABLES = [
  "command",
  "command_history",
  "command_use",
  "confirmed",
  "cursor",
  "event",
  "memory",
  "meta",
  "reserve",
  "set_aside",
  "smart_sample",
  "traffic",
  "undo",
  "value",
] as const;

/** empty: no tables yet; older, ok, too_new: ours; foreign: a sound database that is not ours, or one that lacks tables. */
export type SchemaState = "empty" | "older" | "ok" | "too_new" | "foreign";

/** @throws what SQLite throws on a file that is no database or is damaged at the front */
export function schemaState(db: Database): SchemaState {
  const tables = new Set(
    db.all<{ name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table'").map((row) => row.name),
  );
  const version = pragma(db, "user_version");
  if (tables.size === 0 && version === 0) return "empty";
  if (pragma(db, "application_id") !== APPLICATION_ID || version < 1) return "foreign";
  if (!tables.has("meta") || !tables.has("value")) return "foreign";
  if (version < SCHEMA_VERSION) return "older";
  if (version > SCHEMA_VERSION && compatibleWith(db) > SCHEMA_VERSION) return "too_new";
  return TABLES.every((table) => tables.has(table)) ? "ok" : "foreign";
}

/** Bring an empty or older database to this version, in one transaction. @param work done in it, too, when there is one */
export function migrate(db: Database, work: () => void = () => undefined): void {
  const from = pragma(db, "user_version");
  if (from >= SCHEMA_VERSION) return;
  db.transaction(() => {
    for (const migration of MIGRATIONS.slice(from)) {
      db.exec(migration.sql);
      db.run(
        "INSERT OR REPLACE INTO meta (key, value) VALUES ('compatible_with', ?)",
        String(migration.compatible),
      );
    }
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    work();
  });
}

function compatibleWith(db: Database): number {
  const row = db.get<{ value: string }>("SELECT value FROM meta WHERE key = 'compatible_with'");
  const value = Number(row?.value);
  return Number.isInteger(value) && value > 0 ? value : Number.POSITIVE_INFINITY;
}

function pragma(db: Database, name: string): number {
  return db.get<Record<string, number>>(`PRAGMA ${name}`)?.[name] ?? 0;
}
