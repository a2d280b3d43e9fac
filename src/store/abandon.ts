/**
 * Taking a state out of use that belongs to another node: a copied card, or an operator's reset. Nothing of
 * it is executed or sent. Identity and tokens are set aside as one group, known by the time they were put
 * there, so that `adopt` can change them for those of now: neither way is anything lost.
 */
import { setCommandsAside, unfinishedCommands } from "./commands-aside.ts";
import type { Database } from "./file/database.ts";
import type { StateFile } from "./file/types.ts";
import type { Abandoned, ValuesFate } from "./types.ts";
import type { ValueRow } from "./values.ts";

const OURS = "(namespace = 'identity' OR namespace LIKE 'api.%')";
/**
 * What commands left behind to be looked at: theirs, and they are set aside. Not a hold, where an earlier version left
 * it there: that ends when somebody on this host says so.
 */
const LEFT_BEHIND = "(namespace = 'commands' AND key <> 'hold')";
/** That, and what was noted of the board's last boot. */
const NOTES = `(namespace = 'boot' OR ${LEFT_BEHIND})`;

/** The namespaces that go with an identity, to be set aside with it. */
export function belongsToIdentity(namespace: string): boolean {
  return namespace === "identity" || namespace.startsWith("api.");
}

/** What is deleted with an identity: not even written any more where the disk still owes it. */
export function goesWithIdentity(namespace: string, key: string): boolean {
  return belongsToIdentity(namespace) || namespace === "boot" || (namespace === "commands" && key !== "hold");
}

/** @param present identity and tokens of now, what is not on the disk yet included */
export function abandonState(
  file: StateFile,
  present: readonly ValueRow[],
  reason: string,
  now: number,
  fate: ValuesFate,
): Abandoned {
  const unfinished = file.read(unfinishedCommands);
  const at = freeTime(file, now);
  file.writeOrOwe((db) => {
    setCommandsAside(db, reason, at);
    if (fate === "set_aside") setValuesAside(db, present, reason, at);
    if (fate === "forget") db.run("DELETE FROM set_aside WHERE kind = 'value'");
    db.run(`DELETE FROM value WHERE ${OURS} OR ${NOTES}`);
    db.run(
      `INSERT INTO set_aside (at, reason, kind, name, content)
       SELECT ?, ?, 'events', 'events', count(*) FROM event HAVING count(*) > 0`,
      at,
      reason,
    );
    for (const table of ["event", "cursor", "confirmed", "memory", "smart_sample"])
      db.run(`DELETE FROM ${table}`);
  });
  // In the state of a newer version `value` is all that this version may touch.
  if (file.mode === "too_new")
    file.writeValues((db) => void db.run(`DELETE FROM value WHERE ${OURS} OR ${NOTES}`));
  return { unfinishedCommands: unfinished, at };
}

/**
 * What was set aside at `at` is in use again, and what is in use now is set aside for it, together with the
 * commands: whoever asked them meant the node that this one is no more.
 * @returns the time by which what was in use until now is known, or null when nothing of `at` is there
 */
export function restoreState(
  file: StateFile,
  present: readonly ValueRow[],
  at: number,
  now: number,
): number | null {
  const rows = file.read((db) => rowsAside(db, at));
  if (rows.length === 0) return null;
  const asideAt = freeTime(file, now);
  const replace = (db: Database): void => {
    db.run(`DELETE FROM value WHERE ${OURS} OR ${LEFT_BEHIND}`);
    for (const { namespace, key, value } of rows)
      db.run("INSERT OR REPLACE INTO value (namespace, key, value) VALUES (?, ?, ?)", namespace, key, value);
  };
  file.writeOrOwe((db) => {
    setCommandsAside(db, "identity_adopted", asideAt);
    db.run("DELETE FROM set_aside WHERE kind = 'value' AND at = ?", at);
    setValuesAside(db, present, "identity_adopted", asideAt);
    replace(db);
    db.run("DELETE FROM confirmed");
  });
  if (file.mode === "too_new") file.writeValues(replace);
  return asideAt;
}

/** Two groups never have one time, or they would be one: a clock may stand still or be set back. */
function freeTime(file: StateFile, now: number): number {
  let at = Math.trunc(now);
  while (file.read((db) => rowsAside(db, at)).length > 0) at++;
  return at;
}

function rowsAside(db: Database, at: number): ValueRow[] {
  return db
    .all<{ name: string; content: string }>(
      "SELECT name, content FROM set_aside WHERE kind = 'value' AND at = ? ORDER BY number",
      at,
    )
    .flatMap(({ name, content }) => {
      const [namespace, key] = namesOf(name);
      return typeof namespace === "string" && typeof key === "string"
        ? [{ namespace, key, value: content }]
        : [];
    });
}

/** [] for what a flipped bit made unreadable. */
function namesOf(name: string): unknown[] {
  try {
    const found: unknown = JSON.parse(name);
    return Array.isArray(found) ? found : [];
  } catch {
    return [];
  }
}

function setValuesAside(db: Database, rows: readonly ValueRow[], reason: string, at: number): void {
  for (const { namespace, key, value } of rows)
    db.run(
      "INSERT INTO set_aside (at, reason, kind, name, content) VALUES (?, ?, 'value', ?, ?)",
      at,
      reason,
      JSON.stringify([namespace, key]),
      value,
    );
}
