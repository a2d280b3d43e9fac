/**
 * The event spool: append-only, bounded, read by every control API at its own pace.
 *
 * Events live in `event` and, until the next write, in `waiting`: infos wait for the lazy flush, and
 * everything waits there while the disk can't be written. Both are always read together, by id.
 */
import { randomBytes } from "node:crypto";
import type { AgentEvent, EventDraft } from "../../model/event.ts";
import { nextUlid } from "../../model/ulid.ts";
import type { Database } from "../file/database.ts";
import type { StateFile } from "../file/types.ts";
import type { Store } from "../types.ts";
import { openCursors } from "./cursors.ts";
import {
  type Bounds,
  bytesOf,
  isOver,
  MEMORY_LIMITS,
  type SpoolLimits,
  WAITING_LIMITS,
  whatToDrop,
} from "./drop.ts";
import { droppedDraft, eventOf, isUrgent, type SpooledEvent, spooled } from "./event.ts";
import {
  acknowledgedHistory,
  answersAfter,
  countEvents,
  deleteEvents,
  type EventRow,
  eventsAfter,
  hasEvent,
  idsAfter,
  insertEvent,
  lastKnownId,
  spoolEntries,
} from "./event-table.ts";

export interface Spool
  extends Pick<
    Store,
    | "appendEvents"
    | "pendingEvents"
    | "pendingCount"
    | "answerPending"
    | "acknowledgeEvents"
    | "eventsSince"
    | "setSubscribers"
    | "spool"
    | "listen"
  > {
  readonly dirty: boolean;
  /** Something that should be on the disk waits for it to be writable. */
  readonly overdue: boolean;
  /** A new event that is not in the spool yet: for a transaction of the journal. */
  draft(draft: EventDraft, now: number): SpooledEvent;
  /** It was committed by somebody else's transaction. */
  inserted(event: SpooledEvent): void;
  /** Call in a transaction; the function returned when it was committed. */
  writeTo(db: Database, now: number, prune: boolean): () => void;
  /** Everything in it belonged to another node. */
  clear(): void;
}

/** Acknowledged events are deleted so many at a time, not one by one. */
const PRUNE_BATCH = 100;

/**
 * @param beside written in the transaction of urgent events: what collectors remember of what they told. Without it
 * a power cut would make them tell it again.
 */
export function openSpool(file: StateFile, limits: SpoolLimits, beside: (db: Database) => () => void): Spool {
  const cursors = openCursors(
    file.read((db) => db.all<{ api: string; upto: string; beyond: string }>("SELECT * FROM cursor")),
  );
  let waiting: SpooledEvent[] = [];
  let subscribers: readonly string[] = [];
  let lastId = file.read(lastKnownId);
  let dropped = 0;
  const listeners = new Set<(events: readonly AgentEvent[]) => void>();
  let counted = { generation: -1, events: 0, bytes: 0 };

  /** What is in the table, counted once and then kept up. */
  function stored(db: Database): { events: number; bytes: number } {
    if (counted.generation !== file.generation) counted = { generation: file.generation, ...countEvents(db) };
    return counted;
  }

  const inMemory: Bounds = {
    events: Math.min(limits.events, MEMORY_LIMITS.events),
    bytes: Math.min(limits.bytes, MEMORY_LIMITS.bytes),
  };
  const bounds = (): Bounds => (file.inMemory ? inMemory : limits);

  function draft(of: EventDraft, now: number, standsFor = 1): SpooledEvent {
    lastId = nextUlid(lastId, now, randomBytes(10));
    return spooled(lastId, of, now, standsFor);
  }

  /** The disk can't be written and memory is bounded too. */
  function shortenWaiting(now: number): void {
    const drops = whatToDrop(waiting, inMemory, cursors.ackedUpTo(subscribers));
    if (drops.ids.length === 0) return;
    const gone = new Set(drops.ids);
    waiting = waiting.filter((event) => !gone.has(event.id));
    cursors.forget(drops.ids);
    if (drops.lost === 0) return;
    dropped += drops.newly;
    waiting.push(draft(droppedDraft(drops.lost), now, drops.lost));
  }

  function writeTo(db: Database, now: number, prune: boolean): () => void {
    const written = waiting;
    let { events, bytes } = stored(db);
    const put = (event: SpooledEvent): void => {
      insertEvent(db, event);
      events++;
      bytes += event.bytes;
    };
    const gone: string[] = [];
    const remove = (ids: readonly string[], size: number): void => {
      deleteEvents(db, ids);
      gone.push(...ids);
      events -= ids.length;
      bytes -= size;
    };
    // On a full disk everything that everybody has goes, so that its pages can hold what nobody has.
    const keep = file.full ? 0 : limits.history;
    if (prune && events > keep + (file.full ? 0 : PRUNE_BATCH)) {
      const old = acknowledgedHistory(db, cursors.ackedUpTo(subscribers), keep);
      const ids = old.map(({ id }) => id);
      remove(ids, bytesOf(old));
    }
    for (const event of written) put(event);
    let newly = 0;
    const limit = bounds();
    if (isOver({ events, bytes }, limit)) {
      const drops = whatToDrop(spoolEntries(db), limit, cursors.ackedUpTo(subscribers));
      remove(drops.ids, drops.bytes);
      newly = drops.newly;
      if (drops.lost > 0) put(draft(droppedDraft(drops.lost), now, drops.lost));
    }
    const cursorsWritten = cursors.writeTo(db);
    return () => {
      waiting = waiting.slice(written.length);
      counted = { generation: file.generation, events, bytes };
      dropped += newly;
      cursorsWritten();
      cursors.forget(gone);
    };
  }

  function append(events: readonly SpooledEvent[], urgent: boolean, now: number): void {
    waiting.push(...events);
    if (!urgent && !isOver({ events: waiting.length, bytes: bytesOf(waiting) }, WAITING_LIMITS)) return;
    let committed: (() => void)[] = [];
    const done = file.write((db) => {
      committed = [writeTo(db, now, false), ...(file.full ? [] : [beside(db)])];
    });
    if (done) for (const apply of committed) apply();
    else shortenWaiting(now);
  }

  /** The next events after `id`, oldest first, from both places. */
  function after(id: string, limit: number): EventRow[] {
    const rows = file.read((db) => eventsAfter(db, id, limit));
    const more = waiting.filter((event) => event.id > id);
    if (more.length === 0) return rows;
    // Not simply one after the other: on a full disk the journal's own events overtake those that wait.
    return [...rows, ...more].sort((a, b) => (a.id < b.id ? -1 : 1)).slice(0, limit);
  }

  function pending(api: string, limit: number): EventRow[] {
    const found: EventRow[] = [];
    for (let id = cursors.upto(api); found.length < limit; ) {
      const next = after(id, limit);
      if (next.length === 0) break;
      for (const event of next) if (!cursors.acknowledged(api, event.id)) found.push(event);
      id = (next.at(-1) as EventRow).id;
    }
    return found.slice(0, limit);
  }

  const exists = (id: string): boolean =>
    waiting.some((event) => event.id === id) || file.read((db) => hasEvent(db, id));

  function told(spooledEvents: readonly SpooledEvent[]): AgentEvent[] {
    const events = spooledEvents.map(eventOf);
    for (const listener of listeners) listener(events);
    return events;
  }

  return {
    appendEvents(drafts, now) {
      const events = drafts.map((of) => draft(of, now));
      append(events, drafts.some(isUrgent), now);
      return told(events);
    },
    pendingEvents: (api, limit) => pending(api, limit).map(eventOf),
    pendingCount(api) {
      const ids = file.read((db) => idsAfter(db, cursors.upto(api)));
      for (const event of waiting) ids.push(event.id);
      return ids.filter((id) => !cursors.acknowledged(api, id)).length;
    },
    answerPending(api, commandId) {
      const ids = file.read((db) => answersAfter(db, cursors.upto(api), commandId));
      for (const event of waiting)
        if (event.type === "command.state" && eventOf(event).data.command_id === commandId)
          ids.push(event.id);
      return ids.some((id) => !cursors.acknowledged(api, id));
    },
    acknowledgeEvents(api, ids) {
      const known = ids.filter((id) => !cursors.acknowledged(api, id) && exists(id));
      cursors.acknowledge(api, known, (id) => after(id, 200).map((event) => event.id));
    },
    eventsSince: (sinceId, limit) => after(sinceId, limit).map(eventOf),
    setSubscribers(apis) {
      subscribers = [...new Set(apis)];
    },
    spool() {
      const { events, bytes } = file.read(stored);
      return {
        events: events + waiting.length,
        bytes: bytes + bytesOf(waiting),
        dropped,
      };
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    get dirty() {
      return waiting.length > 0 || cursors.dirty;
    },
    get overdue() {
      return waiting.some(isUrgent);
    },
    draft: (of, now) => draft(of, now),
    inserted(event) {
      if (counted.generation === file.generation)
        counted = { ...counted, events: counted.events + 1, bytes: counted.bytes + event.bytes };
      told([event]);
    },
    writeTo,
    clear() {
      waiting = [];
      cursors.clear();
      counted = { generation: -1, events: 0, bytes: 0 };
    },
  };
}
