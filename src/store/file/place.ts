/**
 * Which database stands for the state right now: the file, a copy of a file that can't be written, or an
 * empty one in memory when there is nothing to read or what there was is damaged. And why.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { AgentError } from "../../model/errors.ts";
import type { Clock } from "../../system/clock.ts";
import type { Store } from "../types.ts";
import { type Database, type Failure, failureOf, openMemoryDatabase } from "./database.ts";
import { type Loss, type Missing, missingState, remainsOf } from "./earlier-life.ts";
import { type Lock, lockedError, takeLock } from "./lock.ts";
import { keepLost, lostNow } from "./lost.ts";
import { moveAway, type Opened, openForWriting, readCopy } from "./open.ts";
import * as problems from "./problems.ts";
import { migrate } from "./schema.ts";

export interface Place {
  readonly db: Database;
  /** Where `value` is when that is not in `db`: the file of a newer version. */
  readonly newer: Database | null;
  /** `db` is the file. */
  readonly onDisk: boolean;
  /** `db` is in memory for good: the file is not looked at again before a restart. */
  readonly inMemory: boolean;
  readonly mode: Store["mode"];
  readonly problem: Store["problem"];
  readonly failure: Failure | null;
  readonly fresh: boolean;
  /** Rises when another database took the place of the one before. */
  readonly generation: number;
  /** Whether a disk that failed is due for another try. */
  mayTry(): boolean;
  /** The disk did what it was asked. */
  recovered(): void;
  /** It did not; what it means is decided here. @throws `error` when it is none of the disk's failures */
  failed(error: unknown): void;
  /** Try to open the file again; what is owed to it is done first. True when `db` is the file again. */
  reopen(): boolean;
  /** A copy of the file in memory takes its place until it can be written again. */
  leaveDisk(): void;
  /** To be done as soon as the file is open again. */
  owe(work: (db: Database) => void): void;
  close(): void;
}

const RETRY_MS = 30_000;

/** @throws AgentError `state_locked` */
export function openPlace(folder: string, clock: Clock): Place {
  let lock: Lock | null = null;
  let db = openMemoryDatabase();
  let newer: Database | null = null;
  let onDisk = false;
  let abandoned = false;
  let failing: { failure: Failure; problem: Store["problem"] } | null = null;
  let opening: Store["problem"] = null;
  let retryAt = 0;
  let fresh = false;
  /** There was something to read at start or since. */
  let hadState = false;
  let generation = 0;
  const owed: ((db: Database) => void)[] = [];
  // Before anything is made in it: what there is now is of an earlier life, and what a try leaves behind that the disk
  // ended is no proof of anything. What stands there once a state was open is one.
  const remains = remainsOf(folder);
  const path = join(folder, "state.db");
  const wasThere = existsSync(path);
  /** As found at the start. */
  const missing = missingNow();

  start();

  function missingNow(): Missing | null {
    let found: Missing | null = null;
    quietly(() => {
      found = missingState(path, hadState ? remainsOf(folder) : remains);
    });
    return found;
  }

  function start(): void {
    try {
      const opened = openFile();
      fresh = opened.fresh;
      adopt(opened);
    } catch (error) {
      if (error instanceof AgentError && error.code === "state_locked") throw error;
      if (failureOf(error) === null) {
        lock?.release();
        throw error;
      }
      const read = readCopy(folder);
      const copy = read === "empty" ? null : read;
      hadState = copy !== null;
      fresh = !hadState;
      if (copy?.kind === "too_new") {
        adopt({ ...copy, fresh: false, movedTo: null });
      } else {
        useMemory(copy?.db);
        const loss = read === null && wasThere ? "unreadable" : missing?.loss;
        if (copy === null && loss !== undefined) loseInMemory(loss);
        note(error);
      }
    }
  }

  function openFile(): Opened {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    lock ??= takeLock(folder);
    if (lock === null) throw new AgentError("EACCES", `${folder}/lock.db can't be opened`);
    try {
      return openForWriting(folder, clock.now(), missing ?? missingNow());
    } catch (error) {
      if (failureOf(error) !== "busy") throw error;
      lock.release();
      lock = null;
      throw lockedError(folder, null);
    }
  }

  function adopt(opened: Opened): void {
    hadState = true;
    if (opened.movedTo !== null) opening = problems.corrupt(folder, opened.movedTo);
    if (opened.kind === "ok") {
      replace(opened.db, true);
      return;
    }
    opening = problems.tooNew(folder);
    newer = opened.db;
    useMemory();
  }

  function reopen(): boolean {
    let opened: Opened | null = null;
    try {
      opened = openFile();
      if (!hadState && !opened.fresh) {
        // Mounted late: two states at once. Which one is right is decided by starting anew, not guessed.
        abandoned = true;
        failing = null;
        opening = problems.appeared(folder);
        opened.db.close();
        return false;
      }
      const file = opened.db;
      if (opened.kind === "ok" && owed.length > 0) {
        file.transaction(() => {
          for (const work of owed) work(file);
        });
      }
    } catch (error) {
      opened?.db.close();
      note(error);
      return false;
    }
    owed.length = 0;
    adopt(opened);
    return onDisk;
  }

  function useMemory(image?: Database): void {
    const memory = image ?? openMemoryDatabase();
    migrate(memory);
    replace(memory, false);
  }

  function loseInMemory(loss: Loss): void {
    keepLost(db, lostNow(loss, path, remains[0] ?? null, clock.now()));
  }

  function replace(next: Database, disk: boolean): void {
    quietly(() => db.close());
    db = next;
    onDisk = disk;
    generation++;
  }

  /** Remember why the disk can't be used; one problem as long as it is the same one. */
  function note(error: unknown): Failure {
    const failure = error instanceof AgentError ? "unwritable" : failureOf(error);
    if (failure === null) throw error;
    retryAt = clock.monotonic() + RETRY_MS;
    if (failing?.failure !== failure)
      failing = { failure, problem: problems.notWritable(folder, failure, error) };
    return failure;
  }

  /** The file is damaged: it is moved away now, and nothing of it is trusted again. */
  function condemn(): void {
    useMemory();
    loseInMemory("damaged");
    abandoned = true;
    fresh = true;
    failing = null;
    let movedTo: string | null = null;
    quietly(() => {
      movedTo = moveAway(folder, clock.now());
    });
    opening = problems.corruptWhileRunning(folder, movedTo);
  }

  return {
    get db() {
      return db;
    },
    get newer() {
      return newer;
    },
    get onDisk() {
      return onDisk;
    },
    get inMemory() {
      return newer !== null || abandoned;
    },
    get mode() {
      if (newer !== null) return "too_new";
      if (abandoned) return "memory";
      if (failing === null) return "ok";
      return hadState ? "read_only" : "memory";
    },
    get problem() {
      return failing?.problem ?? opening;
    },
    get failure() {
      return failing?.failure ?? null;
    },
    get fresh() {
      return fresh;
    },
    get generation() {
      return generation;
    },
    mayTry: () => failing === null || clock.monotonic() >= retryAt,
    recovered() {
      failing = null;
    },
    failed(error) {
      if (failureOf(error) === "corrupt") condemn();
      else note(error);
    },
    reopen,
    leaveDisk() {
      let image: Database | undefined;
      quietly(() => {
        image = openMemoryDatabase(db.image());
      });
      useMemory(image);
    },
    owe: (work) => void owed.push(work),
    close() {
      quietly(() => db.close());
      quietly(() => newer?.close());
      lock?.release();
      lock = null;
    },
  };
}

/** For what is given up anyway: a handle on a broken disk may fail to close, a damaged file to move. */
function quietly(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (failureOf(error) === null) throw error;
  }
}
