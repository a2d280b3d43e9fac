/**
 * Taking a state out of use that belongs to another node: a copied card, or an operator's reset. Nothing of
 * it is executed or sent; what an operator may want to see, or to have back by `adopt`, is set aside.
 */
import { setCommandsAside, unfinishedCommands } from "./store-commands.ts";
import type { Database } from "./store-database.ts";
import type { StateFile } from "./store-file-types.ts";

const OURS = "(namespace = 'identity' OR namespace LIKE 'api.%')";

/** The namespaces that go with an identity. */
export function belongsToIdentity(namespace: string): boolean {
  return namespace === "identity" || namespace.startsWith("api.");
}

/** @param keep identity and tokens are set aside, else deleted, those set aside before too */
export function abandonState(
  file: StateFile,
  reason: string,
  now: number,
  keep: boolean,
): { unfinishedCommands: number } {
  const unfinished = file.read(unfinishedCommands);
  file.writeOrOwe((db) => {
    setCommandsAside(db, reason, now);
    if (keep) setValuesAside(db, reason, now);
    else db.run("DELETE FROM set_aside WHERE kind = 'value'");
    db.run(`DELETE FROM value WHERE ${OURS}`);
    db.run(
      `INSERT INTO set_aside (at, reason, kind, name, content)
       SELECT ?, ?, 'events', 'events', count(*) FROM event HAVING count(*) > 0`,
      Math.trunc(now),
      reason,
    );
    for (const table of ["event", "cursor", "confirmed", "memory"]) db.run(`DELETE FROM ${table}`);
  });
  // In the state of a newer version `value` is all that this version may touch.
  if (file.mode === "too_new") file.writeValues((db) => void db.run(`DELETE FROM value WHERE ${OURS}`));
  return { unfinishedCommands: unfinished };
}

/** An identity that never registered is not worth having back, and must not hide one that had. */
function setValuesAside(db: Database, reason: string, now: number): void {
  if (db.get("SELECT 1 AS found FROM value WHERE namespace LIKE 'api.%'") === undefined) return;
  db.run(
    `INSERT INTO set_aside (at, reason, kind, name, content)
     SELECT ?, ?, 'value', json_array(namespace, key), value FROM value WHERE ${OURS}`,
    Math.trunc(now),
    reason,
  );
}

/** Identity and tokens as they were set aside last; false when there are none. */
export function restoreState(file: StateFile): boolean {
  const last = file.read((db) =>
    db.get<{ at: number; reason: string }>(
      "SELECT at, reason FROM set_aside WHERE kind = 'value' ORDER BY number DESC LIMIT 1",
    ),
  );
  if (last === undefined) return false;
  file.writeOrOwe((db) => {
    db.run(`DELETE FROM value WHERE ${OURS}`);
    db.run(
      `INSERT OR REPLACE INTO value (namespace, key, value)
       SELECT json_extract(name, '$[0]'), json_extract(name, '$[1]'), content
       FROM set_aside WHERE kind = 'value' AND at = ? AND reason = ?`,
      last.at,
      last.reason,
    );
    db.run("DELETE FROM set_aside WHERE kind = 'value' AND at = ? AND reason = ?", last.at, last.reason);
    db.run("DELETE FROM confirmed");
  });
  return true;
}
