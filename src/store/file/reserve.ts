/**
 * Space kept back for the command journal, so that on a full disk a reboot can still be accepted, done and
 * proven. Two kinds, because a disk is full in two ways: `reserve` is a file beside the database, whose
 * blocks the file system gives back for the WAL to grow; the padding row inside is pages the database can
 * use without growing. Both are spent on the first journal write that finds no space, and only filled
 * again by an ordinary write that succeeds with them in place, so that events never eat what is left.
 */
import { randomFillSync } from "node:crypto";
import { rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Database } from "./database.ts";
import { PADDING_BYTES } from "./schema.ts";

/** More than the WAL grows before it is checkpointed: 200 frames of 4120 bytes. */
const FILE_BYTES = 1024 * 1024;

/** Make both kinds where they are missing; call it in a transaction. @throws when there is no space for them */
export function fillReserve(folder: string, db: Database): void {
  if (!hasPadding(db)) db.run("INSERT INTO reserve (padding) VALUES (zeroblob(?))", PADDING_BYTES);
  const path = join(folder, "reserve");
  if (statSync(path, { throwIfNoEntry: false })?.size === FILE_BYTES) return;
  try {
    // Random, because a file system that compresses would keep nothing back for zeros.
    writeFileSync(path, randomFillSync(Buffer.allocUnsafeSlow(FILE_BYTES)), { mode: 0o600 });
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
}

/** Give the file's blocks back; done before the transaction that needs them. */
export function spendReserveFile(folder: string): void {
  rmSync(join(folder, "reserve"), { force: true });
}

/** Give the padding's pages back; call it first in the transaction that needs them. */
export function spendPadding(db: Database): void {
  db.run("DELETE FROM reserve");
}

export function hasPadding(db: Database): boolean {
  return db.get("SELECT 1 AS found FROM reserve") !== undefined;
}
