/** The real store with a point before and after each write, and copies of what it promises to have on the disk. */

import type { AgentEvent } from "../../../src/model/event.ts";
import type { Store } from "../../../src/store/types.ts";
import { copyJournal } from "./disk.ts";
import type { Points } from "./points.ts";
import type { Job } from "./types.ts";

export interface WatchedStore {
  readonly store: Store;
  /** Of the mutant that writes its intent down too late: now. */
  writeLate(): void;
}

export function watchStore(job: Job, store: Store, { point, say }: Points): WatchedStore {
  let late: (() => void)[] = [];

  function written<T>(what: string, write: () => T): T {
    point(`main: ${what}`);
    const result = write();
    // The mutant forgets to sync all that comes after the command itself.
    if (job.mutant !== "unsynced_journal" || what === "insert command") copyJournal(job);
    point(`main: after ${what}`);
    return result;
  }
  function promise(event: AgentEvent | null): void {
    if (event === null || (event.severity === "info" && event.type !== "command.state")) return;
    const state = event.type === "command.state" ? String(event.data.state) : null;
    say({ kind: "promised", id: event.id, state });
  }

  const watched: Partial<Store> = {
    insertCommand: (row, event, history) => {
      const result = written("insert command", () => store.insertCommand(row, event, history));
      promise(result.event);
      return result;
    },
    setCommandState(id, change, event, history, now) {
      const what = `set ${change.state}`;
      if (job.mutant === "late_intent" && change.state === "rebooting") {
        late.push(() => void store.setCommandState(id, change, event, history, now));
        return null;
      }
      const result = written(what, () => store.setCommandState(id, change, event, history, now));
      promise(result);
      return result;
    },
    setCommandAside: (...args) => written("set aside", () => store.setCommandAside(...args)),
    appendEvents(drafts, now) {
      const events = written("append events", () => store.appendEvents(drafts, now));
      for (const event of events) promise(event);
      return events;
    },
    acknowledgeEvents: (...args) => written("acknowledge", () => store.acknowledgeEvents(...args)),
    flush: (...args) => written("flush", () => store.flush(...args)),
    undo: {
      list: store.undo.list,
      add: (undo) => written("undo add", () => store.undo.add(undo)),
      failed: (...args) => written("undo failed", () => store.undo.failed(...args)),
      remove: (number) => written("undo remove", () => store.undo.remove(number)),
    },
  };
  return {
    // Of the real one what is not watched; its getters are asked there.
    store: new Proxy(store, {
      get: (target, key) => Reflect.get(key in watched ? watched : target, key),
    }),
    writeLate() {
      for (const write of late) write();
      late = [];
    },
  };
}
