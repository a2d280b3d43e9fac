/**
 * Whether a folder had a state before the one that is found in it: what stands beside state.db says so, and so does
 * the marker, a file that counts along with the database. A node that lost what it knew must never pass for a new one,
 * and one whose database was put back from a backup never for one that knows everything.
 */
import { closeSync, fdatasyncSync, lstatSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { HOLD_FILE } from "../hold-file.ts";
import { type Database, failureOf } from "./database.ts";

/** What became of the state; of `restored` and `other` there is one, and it is not the newest. */
export type Loss =
  | "gone"
  | "empty"
  | "damaged"
  | "not_a_file"
  | "foreign_owner"
  | "unreadable"
  | "restored"
  | "other";

const MARKER = "generation";
/** Made by the agent in its folder, whoever looks; what else lies there (lost+found) proves nothing. */
const OURS = new Set(["lock.db", "reserve", HOLD_FILE, MARKER, "helper", "diagnostics"]);
const OF_THE_DATABASE = /^state\.db./;
/** There before the first byte of a state is written: beside a state.db in which nothing is, they prove nothing. */
const BEFORE_THE_FIRST = new Set(["lock.db", "state.db-wal", "state.db-journal"]);

/** Names of what an earlier life left in the folder, sorted; state.db itself is not among them. [] where it can't be read. */
export function remainsOf(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => OURS.has(name) || OF_THE_DATABASE.test(name))
      .sort();
  } catch (error) {
    if (failureOf(error) === null) throw error;
    return [];
  }
}

export interface Missing {
  readonly loss: "gone" | "empty";
  /** What says that there was one. */
  readonly beside: string;
}

/**
 * What it is when nothing is in the state; null: the first start, or one whose first start ended (a power cut, a full
 * disk) before anything was written down.
 */
export function missingState(path: string, remains: readonly string[]): Missing | null {
  const isThere = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  const beside = remains.find((name) => !isThere || !BEFORE_THE_FIRST.has(name));
  return beside === undefined ? null : { loss: isThere ? "empty" : "gone", beside };
}

/** Why what stands at `path` can't be this agent's database whatever is in it; null: it may be, or nothing is there. */
export function notOurs(folder: string, path: string): Loss | null {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return null;
  if (!found.isFile()) return "not_a_file";
  const owners = [0, process.geteuid?.() ?? 0, lstatSync(folder).uid];
  return owners.includes(found.uid) ? null : "foreign_owner";
}

/** In the database and beside it: which life it is (random), and how often something was written that counts. */
export interface Marker {
  readonly life: string;
  readonly generation: number;
}

/** One block, overwritten in place: a disk that is full takes it too. */
const BYTES = 64;
const TEXT = /^([0-9a-f]{32}) (\d{1,15}) *\n?$/;

/** null: none, or damaged, which says nothing about the database. */
function readMarker(folder: string): Marker | null {
  try {
    const [, life, generation] =
      TEXT.exec(readFileSync(join(folder, MARKER), "latin1").slice(0, BYTES)) ?? [];
    return life === undefined ? null : { life, generation: Number(generation) };
  } catch (error) {
    if (failureOf(error) === null) throw error;
    return null;
  }
}

/** Fsynced on return; where the disk does not take it, it stays behind, which raises no doubt. */
export function writeMarker(folder: string, { life, generation }: Marker): void {
  try {
    const fd = openSync(join(folder, MARKER), "r+", 0o600);
    try {
      overwrite(fd, `${life} ${generation}`);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const failure = failureOf(error);
    if (failure === null) throw error;
    if (failure === "unwritable") make(folder, `${life} ${generation}`);
  }
}

function make(folder: string, text: string): void {
  try {
    const fd = openSync(join(folder, MARKER), "wx", 0o600);
    try {
      overwrite(fd, text);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (failureOf(error) === null) throw error;
  }
}

function overwrite(fd: number, text: string): void {
  writeSync(fd, `${text.padEnd(BYTES - 1)}\n`, 0);
  fdatasyncSync(fd);
}

/** What the database says it is; null: written by a version that did not count. */
function markerIn(db: Database): Marker | null {
  const rows = db.all<{ key: string; value: string }>(
    "SELECT key, value FROM meta WHERE key IN ('life', 'generation')",
  );
  const found = Object.fromEntries(rows.map(({ key, value }) => [key, value]));
  return found.life === undefined ? null : { life: found.life, generation: Number(found.generation) };
}

/** A life of its own from here on. Call it in a transaction, and `writeMarker` when that is committed. */
export function begin(db: Database): Marker {
  return put(db, { life: crypto.randomUUID().replaceAll("-", ""), generation: 1 });
}

/** One more. Call it in a transaction, and `writeMarker` when that is committed: the file never runs ahead. */
export function count(db: Database): Marker {
  const before = markerIn(db);
  return before === null ? begin(db) : put(db, { ...before, generation: before.generation + 1 });
}

function put(db: Database, marker: Marker): Marker {
  for (const [key, value] of Object.entries(marker))
    db.run("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", key, String(value));
  return marker;
}

/** Whether the database is older than, or another than, the one that was written last in this folder. */
export function replaced(folder: string, db: Database): Loss | null {
  const beside = readMarker(folder);
  if (beside === null) return null;
  const inside = markerIn(db);
  if (inside === null) return "restored";
  if (inside.life !== beside.life) return "other";
  return inside.generation < beside.generation ? "restored" : null;
}
