/**
 * Opening state.db: what is sound is opened, what is not is moved away and replaced, and what can't be
 * written is read as a copy. Decides about files only; state-file.ts decides what follows from it.
 */
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Lost } from "../../commands/gates/gate.ts";
import { type Database, failureOf, openDatabaseFile, openMemoryDatabase } from "./database.ts";
import {
  begin,
  type Loss,
  type Marker,
  type Missing,
  notOurs,
  replaced,
  writeMarker,
} from "./earlier-life.ts";
import { keepLost, lostNow } from "./lost.ts";
import { migrate, schemaState } from "./schema.ts";

const NAME = "state.db";
const LOGS = ["-wal", "-journal"];
/** A check reads the whole file: cheap at the usual half megabyte, not at start-up for more than this. */
const CHECK_BYTES = 4 * 1024 * 1024;
const KEPT_ASIDE = 2;

export interface Opened {
  readonly db: Database;
  readonly kind: "ok" | "too_new";
  /** There was no state before. */
  readonly fresh: boolean;
  /** Path a damaged state was moved to, or null. */
  readonly movedTo: string | null;
}

/**
 * Open for writing; the caller holds the lock.
 * @param now wall clock, milliseconds, for the name of what is moved away
 * @param missing what it is when nothing is found in the state; null: no loss
 * @throws what fails by reason of the disk or its permissions; see failureOf
 */
export function openForWriting(folder: string, now: number, missing: Missing | null): Opened {
  accessSync(folder, constants.W_OK);
  const path = join(folder, NAME);
  const lost = (loss: Loss): Lost => lostNow(loss, path, missing?.beside ?? null, now);
  const strange = notOurs(folder, path);
  moveStrayAway(folder);
  if (strange === null) {
    if (existsSync(path)) accessSync(path, constants.W_OK);
    const first = tryOpen(path, missing === null ? null : lost(missing.loss));
    if (first !== null) {
      if (first.kind === "ok" && !first.fresh) judge(folder, first.db, lost);
      return { ...first, movedTo: null };
    }
  }
  const movedTo = moveAway(folder, now);
  const second = tryOpen(path, lost(strange ?? "damaged"));
  if (second === null) throw new Error(`${path} is damaged right after it was made`);
  return { ...second, fresh: true, movedTo };
}

/** A database that is sound and not the one that was written last: what is in its journal may have been done since. */
function judge(folder: string, db: Database, lost: (loss: Loss) => Lost): void {
  const loss = replaced(folder, db);
  if (loss === null) return;
  let marker: Marker | null = null;
  db.transaction(() => {
    keepLost(db, lost(loss));
    marker = begin(db);
  });
  if (marker !== null) writeMarker(folder, marker);
}

/** @param lost said of it when there is nothing in it @returns null: damaged, or not ours */
function tryOpen(path: string, lost: Lost | null): Omit<Opened, "movedTo"> | null {
  // Made here and not by SQLite, so that nobody else may read it whatever the umask is.
  closeSync(openSync(path, "a", 0o600));
  let db: Database | null = null;
  try {
    db = openDatabaseFile(path);
    const state = schemaState(db);
    if (state === "foreign" || (state !== "empty" && !sound(db, path))) {
      db.close();
      return null;
    }
    if (state === "too_new") return { db, kind: "too_new", fresh: false };
    const file = db;
    let marker: Marker | null = null;
    migrate(db, () => {
      if (state !== "empty") return;
      marker = begin(file);
      if (lost !== null) keepLost(file, lost);
    });
    if (marker !== null) writeMarker(dirname(path), marker);
    return { db, kind: "ok", fresh: state === "empty" };
  } catch (error) {
    db?.close();
    if (failureOf(error) === "corrupt") return null;
    throw error;
  }
}

function sound(db: Database, path: string): boolean {
  const wal = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  if (statSync(path).size + wal > CHECK_BYTES) {
    // What is read at start anyway; damage elsewhere is met at run time.
    for (const table of ["value", "cursor", "confirmed", "memory", "traffic", "command", "set_aside"])
      db.get(`SELECT count(*) FROM ${table}`);
    db.get("SELECT max(id) FROM event");
    return true;
  }
  return db.get<{ quick_check: string }>("PRAGMA quick_check(1)")?.quick_check === "ok";
}

/**
 * Move state.db and its WAL to `state.db.corrupt-<time>`; only the newest two such copies are kept.
 * @returns the path it has now
 */
export function moveAway(folder: string, now: number): string {
  const prefix = `${NAME}.corrupt-`;
  const stamp = new Date(now).toISOString().replace(/[:.]/g, "-");
  let name = `${prefix}${stamp}`;
  for (let i = 2; lstatSync(join(folder, name), { throwIfNoEntry: false }); i++)
    name = `${prefix}${stamp}-${i}`;
  // Its log last: a damaged database may look sound without it, and a log without its database is a stray one.
  for (const suffix of ["", ...LOGS]) {
    if (lstatSync(join(folder, NAME + suffix), { throwIfNoEntry: false }) !== undefined)
      renameSync(join(folder, NAME + suffix), join(folder, name + suffix));
  }
  const older = readdirSync(folder)
    .filter((file) => file.startsWith(prefix) && !/-(wal|journal)$/.test(file) && file !== name)
    // By the time of change: the clock that named them may have been in 1970.
    .sort((a, b) => lstatSync(join(folder, b)).ctimeMs - lstatSync(join(folder, a)).ctimeMs);
  for (const file of older.slice(KEPT_ASIDE - 1)) {
    for (const suffix of ["", ...LOGS]) rmSync(join(folder, file + suffix), { force: true, recursive: true });
  }
  return join(folder, name);
}

/** A WAL that lost its database, or whose move was interrupted: in it is what the next database must not find. */
function moveStrayAway(folder: string): void {
  if (lstatSync(join(folder, NAME), { throwIfNoEntry: false }) !== undefined) return;
  for (const suffix of LOGS) {
    if (existsSync(join(folder, NAME + suffix)))
      renameSync(join(folder, NAME + suffix), join(folder, `${NAME}.corrupt${suffix}`));
  }
}

/**
 * What a state that can't be written holds, as a database in memory; null when nothing of it can be read, `empty` when
 * nothing was ever written into it.
 * SQLite itself can't open a WAL database in a read-only folder, so a copy is opened and read back.
 */
export function readCopy(folder: string): { db: Database; kind: "ok" | "too_new" } | "empty" | null {
  const path = join(folder, NAME);
  let db: Database | null = null;
  try {
    db = openMemoryDatabase(copiedImage(path));
    const state = schemaState(db);
    if (state === "older") migrate(db);
    if (state === "empty") {
      db.close();
      return "empty";
    }
    if (state === "ok" || state === "older" || state === "too_new")
      return { db, kind: state === "too_new" ? "too_new" : "ok" };
  } catch {
    // Unreadable or damaged: the caller says that there is no state.
  }
  db?.close();
  return null;
}

function copiedImage(path: string): Uint8Array {
  let temporary: string;
  try {
    temporary = mkdtempSync(join(tmpdir(), "foundry-agent-"));
  } catch {
    // No place for a copy: what was checkpointed is in the file itself, the last few changes are not.
    return readFileSync(path);
  }
  try {
    const copy = join(temporary, NAME);
    for (const suffix of ["", "-wal"]) {
      if (!existsSync(path + suffix)) continue;
      copyFileSync(path + suffix, copy + suffix);
      chmodSync(copy + suffix, 0o600);
    }
    const db = openDatabaseFile(copy);
    try {
      return db.image();
    } finally {
      db.close();
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
