/**
 * One SQLite connection: statements kept prepared, transactions, and SQLite's many result codes told
 * apart by what the daemon must do about them. Nothing here knows what is stored.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";

export interface Database {
  /** Rows changed. */
  run(sql: string, ...values: SQLInputValue[]): number;
  get<T>(sql: string, ...values: SQLInputValue[]): T | undefined;
  all<T>(sql: string, ...values: SQLInputValue[]): T[];
  /** Several statements without parameters. */
  exec(sql: string): void;
  /** BEGIN IMMEDIATE … COMMIT; rolled back when `work` or the commit throws. Fsynced on return where the file is on a disk. */
  transaction(work: () => void): void;
  /** The whole database as the bytes of one file, what is only in the WAL included. */
  image(): Uint8Array;
  close(): void;
}

/** full: no space left; unwritable: read-only, no permission or the disk errs; corrupt: not a sound database; busy: another program holds it. */
export type Failure = "full" | "unwritable" | "corrupt" | "busy";

// SQLite's primary result codes, sqlite.org/rescode.html; the extended ones carry them in the low byte.
const FAILURES: Readonly<Record<number, Failure>> = {
  3: "unwritable", // PERM
  5: "busy",
  6: "busy", // LOCKED
  8: "unwritable", // READONLY
  10: "unwritable", // IOERR
  11: "corrupt",
  13: "full",
  14: "unwritable", // CANTOPEN
  23: "unwritable", // AUTH
  26: "corrupt", // NOTADB
};

// The system's own codes, from making folders and files beside the database.
const SYSTEM_FAILURES: Readonly<Record<string, Failure>> = {
  ENOSPC: "full",
  EDQUOT: "full",
  EROFS: "unwritable",
  EACCES: "unwritable",
  EPERM: "unwritable",
  EIO: "unwritable",
  ENOENT: "unwritable",
  ENOTDIR: "unwritable",
  EEXIST: "unwritable",
  EISDIR: "unwritable",
  EMFILE: "unwritable",
  EFBIG: "full",
};

/** What a thrown thing means for the state, or null when it is a bug of ours and must be thrown on. */
export function failureOf(error: unknown): Failure | null {
  if (!(error instanceof Error)) return null;
  if ("errcode" in error && typeof error.errcode === "number") return FAILURES[error.errcode & 0xff] ?? null;
  if ("code" in error && typeof error.code === "string") return SYSTEM_FAILURES[error.code] ?? null;
  return null;
}

/**
 * The state file, opened for writing. Exclusive locking keeps the WAL's index in this process' memory: no
 * shared-memory file is made, whose pages the kernel would write back to the card after every commit.
 * @throws what node:sqlite throws; see failureOf
 */
export function openDatabaseFile(path: string): Database {
  const connection = new DatabaseSync(path, { timeout: 1_000, allowExtension: false });
  try {
    connection.exec("PRAGMA locking_mode=EXCLUSIVE");
    connection.exec("PRAGMA journal_mode=WAL");
    connection.exec("PRAGMA synchronous=FULL");
    connection.exec("PRAGMA wal_autocheckpoint=200");
    connection.exec("PRAGMA cache_size=-512");
    connection.exec("PRAGMA temp_store=MEMORY");
  } catch (error) {
    connection.close();
    throw error;
  }
  return wrap(connection);
}

/** A database that lives in memory only: empty, or a copy of `image`. */
export function openMemoryDatabase(image?: Uint8Array): Database {
  const connection = new DatabaseSync(":memory:", { allowExtension: false });
  if (image !== undefined) {
    const copy = Uint8Array.from(image);
    // Bytes 18 and 19 say "WAL", which a database in memory can't have (sqlite.org/fileformat2.html, 1.3.3).
    copy[18] = 1;
    copy[19] = 1;
    connection.deserialize(copy);
  }
  return wrap(connection);
}

function wrap(connection: DatabaseSync): Database {
  const prepared = new Map<string, StatementSync>();
  const statement = (sql: string): StatementSync => {
    let found = prepared.get(sql);
    if (found === undefined) {
      found = connection.prepare(sql);
      prepared.set(sql, found);
    }
    return found;
  };
  return {
    run: (sql, ...values) => Number(statement(sql).run(...values).changes),
    get: <T>(sql: string, ...values: SQLInputValue[]) => statement(sql).get(...values) as T | undefined,
    all: <T>(sql: string, ...values: SQLInputValue[]) => statement(sql).all(...values) as T[],
    exec: (sql) => connection.exec(sql),
    transaction(work) {
      connection.exec("BEGIN IMMEDIATE");
      try {
        work();
        connection.exec("COMMIT");
      } catch (error) {
        // SQLite rolls back by itself after some errors; asking again would hide the first one.
        if (connection.isTransaction) connection.exec("ROLLBACK");
        throw error;
      }
    },
    image: () => connection.serialize(),
    close() {
      prepared.clear();
      if (connection.isOpen) connection.close();
    },
  };
}
