/**
 * How far each control API has acknowledged the spool: everything up to `upto`, and single events beyond it
 * (an answer may acknowledge some and not others). Kept in memory, written with the next transaction of the
 * spool: an acknowledgement lost in a crash makes an event be sent twice, which its id tells.
 */
import { BEYOND_ULIDS } from "../../model/ulid.ts";
import type { Database } from "../file/database.ts";

export interface Cursors {
  upto(api: string): string;
  acknowledged(api: string, id: string): boolean;
  /** @param after the next ids in the spool after a given one, oldest first; [] at its end */
  acknowledge(api: string, ids: readonly string[], after: (id: string) => readonly string[]): void;
  /** What all of `apis` have acknowledged without a gap; "" for no apis. */
  ackedUpTo(apis: readonly string[]): string;
  /** Ids that are no longer in the spool need no mark. */
  forget(ids: readonly string[]): void;
  readonly dirty: boolean;
  /** Call in a transaction; the function returned when it was committed. */
  writeTo(db: Database): () => void;
  clear(): void;
}

interface Cursor {
  upto: string;
  readonly beyond: Set<string>;
}

interface Row {
  readonly api: string;
  readonly upto: string;
  readonly beyond: string;
}

/** @param rows what was written before */
export function openCursors(rows: readonly Row[]): Cursors {
  const cursors = new Map<string, Cursor>();
  const dirty = new Set<string>();
  for (const row of rows) {
    // Else everything that comes would count as acknowledged; this way some is sent again, and told by its id.
    const upto = row.upto < BEYOND_ULIDS ? row.upto : "";
    cursors.set(row.api, { upto, beyond: parseIds(row.beyond) });
  }

  function cursorOf(api: string): Cursor {
    let found = cursors.get(api);
    if (found === undefined) {
      found = { upto: "", beyond: new Set() };
      cursors.set(api, found);
    }
    return found;
  }

  function advance(cursor: Cursor, after: (id: string) => readonly string[]): void {
    while (cursor.beyond.size > 0) {
      const next = after(cursor.upto);
      if (next.length === 0) break;
      for (const id of next) {
        if (!cursor.beyond.delete(id)) return;
        cursor.upto = id;
      }
    }
  }

  return {
    upto: (api) => cursors.get(api)?.upto ?? "",
    acknowledged(api, id) {
      const cursor = cursors.get(api);
      return cursor !== undefined && (id <= cursor.upto || cursor.beyond.has(id));
    },
    acknowledge(api, ids, after) {
      const cursor = cursorOf(api);
      for (const id of ids) cursor.beyond.add(id);
      if (ids.length === 0) return;
      dirty.add(api);
      advance(cursor, after);
    },
    ackedUpTo(apis) {
      let lowest: string | null = null;
      for (const api of apis) {
        const upto = cursors.get(api)?.upto ?? "";
        if (lowest === null || upto < lowest) lowest = upto;
      }
      return lowest ?? "";
    },
    forget(ids) {
      for (const [api, cursor] of cursors) {
        for (const id of ids) if (cursor.beyond.delete(id)) dirty.add(api);
      }
    },
    get dirty() {
      return dirty.size > 0;
    },
    writeTo(db) {
      const apis = [...dirty];
      for (const api of apis) {
        const { upto, beyond } = cursorOf(api);
        db.run(
          "INSERT OR REPLACE INTO cursor (api, upto, beyond) VALUES (?, ?, ?)",
          api,
          upto,
          JSON.stringify([...beyond]),
        );
      }
      return () => {
        for (const api of apis) dirty.delete(api);
      };
    },
    clear() {
      cursors.clear();
      dirty.clear();
    },
  };
}

function parseIds(text: string): Set<string> {
  try {
    const ids: unknown = JSON.parse(text);
    return new Set(Array.isArray(ids) ? ids.filter((id) => typeof id === "string") : []);
  } catch {
    return new Set(); // marks lost: some events are sent again and told by their id
  }
}
