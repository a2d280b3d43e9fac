/**
 * The state file as the parts of the store see it: a place to read from that always answers, and the ways
 * to write. Whatever happens to the disk is settled here and in place.ts, once:
 *
 * - can't be written (read-only, full, errors): reading goes on, `write` says false, its caller keeps what
 *   it has in memory and comes back; the first success clears the problem.
 * - can't be read (corrupt while running, card gone): an empty database in memory takes its place.
 * - too new: everything but `value` lives in memory, so that the newer version finds its own data untouched.
 */
import { readFileSync } from "node:fs";
import type { Lost } from "../../commands/gates/gate.ts";
import { AgentError } from "../../model/errors.ts";
import type { Clock } from "../../system/clock.ts";
import { type Database, failureOf } from "./database.ts";
import { count as countOn, type Marker, writeMarker } from "./earlier-life.ts";
import { keepLost, lostIn } from "./lost.ts";
import { openPlace } from "./place.ts";
import * as problems from "./problems.ts";
import { fillReserve, hasPadding, spendPadding, spendReserveFile } from "./reserve.ts";
import type { StateFile } from "./types.ts";

/** @throws AgentError `state_locked` */
export function openStateFile(folder: string, options: { clock: Clock; maxPages?: number }): StateFile {
  const { clock, maxPages } = options;
  const count = { transactions: 0, bytes: 0 };
  const before = bytesWritten();
  const place = openPlace(folder, clock);
  let reserveSpent = false;

  if (place.onDisk) prepare();
  count.bytes = bytesWritten() - before;
  if (place.fresh && place.onDisk) count.transactions++;

  /** After the file was opened: the reserve is missing in a new one, and where it was spent before a crash. */
  function prepare(): void {
    if (maxPages !== undefined) place.db.exec(`PRAGMA max_page_count = ${Math.trunc(maxPages)}`);
    reserveSpent = !read(hasPadding);
    if (reserveSpent) write(() => undefined, true);
  }

  function reopen(): boolean {
    if (!place.reopen()) return false;
    prepare();
    return place.onDisk;
  }

  function transact(file: Database, work: () => void): void {
    const start = bytesWritten();
    try {
      file.transaction(work);
      count.transactions++;
    } finally {
      count.bytes += bytesWritten() - start;
    }
  }

  /** And counted, in the database and then beside it: one that comes back from a backup is known by it. */
  function transactCounted(file: Database, work: () => void): void {
    let marker: Marker | null = null;
    transact(file, () => {
      work();
      marker = countOn(file);
    });
    if (marker !== null) writeMarker(folder, marker);
  }

  function read<T>(work: (db: Database) => T): T {
    try {
      return work(place.db);
    } catch (error) {
      if (failureOf(error) === null || !place.onDisk) throw error;
      place.failed(error);
      if (place.onDisk) place.leaveDisk();
      return work(place.db);
    }
  }

  function write(work: (db: Database) => void, force = false, by = transact): boolean {
    if (place.inMemory) {
      place.db.transaction(() => work(place.db));
      return true;
    }
    if (!force && !place.mayTry()) return false;
    if (!place.onDisk && !reopen()) return false;
    const { db } = place;
    try {
      by(db, () => {
        // Something must be written, or an empty transaction would pass for proof that the disk is well.
        if (place.failure !== null)
          db.run("INSERT OR REPLACE INTO meta (key, value) VALUES ('recovered', ?)", String(clock.now()));
        work(db);
        // Last, because the work may have freed what it needs; both or neither, so nothing eats what is kept back.
        if (reserveSpent) fillReserve(folder, db);
      });
    } catch (error) {
      place.failed(error);
      return false;
    }
    reserveSpent = false;
    place.recovered();
    return true;
  }

  function writeJournal(work: (db: Database, short: boolean) => void): void {
    if (place.newer !== null) throw problems.refusal("state_too_new", place.problem);
    if (place.inMemory || (!place.onDisk && !reopen()))
      throw problems.refusal("journal_not_writable", place.problem);
    const { db } = place;
    try {
      if (!reserveSpent && wholeFits(db, work)) return;
      reserveSpent = true;
      spendReserveFile(folder);
      transactCounted(db, () => {
        spendPadding(db);
        work(db, true);
      });
    } catch (error) {
      place.failed(error);
      throw problems.refusal("journal_not_writable", place.problem, error);
    }
  }

  /** False when there is no space for it without the reserve. */
  function wholeFits(db: Database, work: (db: Database, short: boolean) => void): boolean {
    try {
      transactCounted(db, () => work(db, false));
      return true;
    } catch (error) {
      if (failureOf(error) !== "full") throw error;
      place.failed(error);
      return false;
    }
  }

  function writeValues(work: (db: Database) => void): boolean {
    const file = place.newer;
    if (file === null && (place.inMemory || (!place.onDisk && !place.mayTry()))) return false;
    try {
      if (file !== null) transact(file, () => work(file));
      else writeJournal((db) => work(db));
      return true;
    } catch (error) {
      if (error instanceof AgentError || failureOf(error) !== null) return false;
      throw error;
    }
  }

  function writeOrOwe(work: (db: Database) => void): void {
    if (write(work, true)) return;
    if (place.onDisk) place.leaveDisk();
    place.db.transaction(() => work(place.db));
    if (!place.inMemory) place.owe(work);
  }

  /** Looked up once a database: it is asked for at each look. */
  let known: { generation: number; lost: Lost | null } | null = null;

  function lost(): Lost | null {
    if (known?.generation !== place.generation) known = { generation: place.generation, lost: read(lostIn) };
    return known.lost;
  }
  lost();

  return {
    get mode() {
      return place.mode;
    },
    get lost() {
      return lost();
    },
    keepLost(next) {
      writeOrOwe((db) => keepLost(db, next));
      known = null;
    },
    markStart() {
      if (place.onDisk && place.newer === null) write(() => undefined, false, transactCounted);
    },
    get problem() {
      return place.problem;
    },
    get fresh() {
      return place.fresh;
    },
    get generation() {
      return place.generation;
    },
    get inMemory() {
      return place.inMemory;
    },
    get failing() {
      return place.failure !== null;
    },
    get full() {
      return place.failure === "full";
    },
    read,
    write,
    writeJournal,
    writeValues,
    readValues: (work) => (place.newer === null ? read(work) : work(place.newer)),
    writeOrOwe,
    written: () => ({ ...count }),
    close() {
      const start = bytesWritten();
      place.close();
      count.bytes += bytesWritten() - start;
    },
  };
}

/** Bytes this process has handed to write calls so far (`wchar` of proc_pid_io(5)); 0 where that is not told. */
function bytesWritten(): number {
  try {
    return Number(/^wchar: (\d+)$/m.exec(readFileSync("/proc/self/io", "latin1"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
