/** The state file as the parts of the store see it; state-file.ts makes one. */

import type { Lost } from "../../commands/gates/gate.ts";
import type { Store } from "../types.ts";
import type { Database } from "./database.ts";

export interface StateFile {
  readonly mode: Store["mode"];
  readonly problem: Store["problem"];
  readonly fresh: boolean;
  readonly lost: Lost | null;
  /** On the disk as soon as that can be written. */
  keepLost(lost: Lost | null): void;
  markStart(): void;
  /** Rises when another database took the place of the one before: what was counted must be counted anew. */
  readonly generation: number;
  /** True while the database is in memory for good: keep little in it. */
  readonly inMemory: boolean;
  /** The last write failed, and the disk is to be tried again. */
  readonly failing: boolean;
  /** True while there is no space: what can be spared should go. */
  readonly full: boolean;
  read<T>(work: (db: Database) => T): T;
  /** One transaction, fsynced on return; false when it can't be written now (tried again at most every 30 s unless `force`). `work` must not change anything but the database. */
  write(work: (db: Database) => void, force?: boolean): boolean;
  /**
   * One transaction that may use the reserved space; `short` then asks for the journal's own rows only.
   * @throws AgentError `journal_not_writable` or `state_too_new`
   */
  writeJournal(work: (db: Database, short: boolean) => void): void;
  /** Rows of `value`; false when they can't be written now. */
  writeValues(work: (db: Database) => void): boolean;
  /** Rows of `value` are read from here. */
  readValues<T>(work: (db: Database) => T): T;
  /** Done now for every reader, and on the disk as soon as that can be written. */
  writeOrOwe(work: (db: Database) => void): void;
  written(): { transactions: number; bytes: number };
  close(): void;
}
