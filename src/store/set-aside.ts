/**
 * How long what was set aside is kept: an operator may want to see it, or to have an identity back, and not
 * for ever; a card must not fill up with it.
 */
import { EARLIEST_TIME } from "../system/clock.ts";
import type { Database } from "./file/database.ts";
import type { StateFile } from "./file/types.ts";

const DAY_MS = 24 * 3600 * 1000;
/** Identities and tokens … */
export const KEPT_VALUES_DAYS = 90;
/** … of so many nodes. */
const KEPT_GROUPS = 8;
/** Commands, whose ids are known by it, and what is told of events: so long … */
const KEPT_MS = 30 * DAY_MS;
/** … and so many whatever the clock says. */
const KEPT_ROWS = 1_000;

/**
 * Whether identity and tokens set aside at `at` are old enough to be deleted. A time before this program was
 * written is that of a board without a battery: nobody knows how old it is, so the number alone bounds it.
 */
export function isOutdated(at: number, now: number): boolean {
  return at >= EARLIEST_TIME && at < now - KEPT_VALUES_DAYS * DAY_MS;
}

/** Costs no write when there is nothing too old or too many. */
export function pruneAside(file: StateFile, now: number): void {
  const { groups, rows } = file.read((db) => ({ groups: groupsOf(db), rows: countOthers(db) }));
  const gone = groups.filter((at, index) => index >= KEPT_GROUPS || isOutdated(at, now));
  if (gone.length === 0 && rows <= KEPT_ROWS) return;
  file.writeOrOwe((db) => {
    for (const at of gone) db.run("DELETE FROM set_aside WHERE kind = 'value' AND at = ?", at);
    db.run(
      `DELETE FROM set_aside WHERE kind <> 'value' AND at < ?
       AND number NOT IN (SELECT number FROM set_aside WHERE kind <> 'value' ORDER BY number DESC LIMIT ?)`,
      Math.trunc(now - KEPT_MS),
      KEPT_ROWS,
    );
  });
}

/** Their times, newest first. */
function groupsOf(db: Database): number[] {
  return db
    .all<{ at: number }>(
      "SELECT at FROM set_aside WHERE kind = 'value' GROUP BY at ORDER BY max(number) DESC",
    )
    .map(({ at }) => at);
}

function countOthers(db: Database): number {
  return db.get<{ n: number }>("SELECT count(*) AS n FROM set_aside WHERE kind <> 'value'")?.n ?? 0;
}
