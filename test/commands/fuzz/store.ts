/** A real store in which every write of the journal is seen by the model, and may fail or be the last. */

import { AgentError } from "../../../src/model/errors.ts";
import type { Store } from "../../../src/store/types.ts";
import { isOver, type Model } from "./model.ts";

/** What a port may get wrong, for the property to find. */
export type Mistake = "forgets_ids" | "asks_twice" | "ignores_hold" | "intent_not_written";

/** The write after so many more fails, or the agent is killed right before or after it. */
export interface Fault {
  next: { left: number; readonly how: "fail" | "killed_before" | "killed_after" } | null;
}

export function watchedStore(
  store: Store,
  model: Model,
  mistake: Mistake | null,
  fault: Fault,
  kill: () => void,
): Store {
  const isForgetful = mistake === "forgets_ids";
  const over = store.commands(100).filter(({ state }) => isForgetful && isOver(state));
  const forgotten = new Set(over.map(({ id }) => id));

  function written<T>(work: () => T, seen: () => void): T {
    const { next } = fault;
    const how = next !== null && --next.left <= 0 ? next.how : null;
    if (how !== null) fault.next = null;
    if (how === "fail") throw new AgentError("journal_not_writable", "the disk takes nothing");
    if (how === "killed_before") kill();
    const result = work();
    seen();
    if (how === "killed_after") kill();
    return result;
  }

  const watched: Pick<Store, "isCommandKnown" | "insertCommand" | "setCommandState"> = {
    isCommandKnown: (id) => !forgotten.has(id) && store.isCommandKnown(id),
    insertCommand(row, event, entry) {
      const { id, source, state, error } = row;
      const isKnown = store.isCommandKnown(id);
      if (isKnown && !forgotten.delete(id)) return { isNew: false, event: null };
      return written(
        () => {
          if (!isKnown) return store.insertCommand(row, event, entry);
          store.setCommandState(id, row, event ?? null, entry ?? null, row.receivedAt);
          return { isNew: true, event: null };
        },
        () => model.inserted(id, source, error === null ? state : `${state}!${error.code}`, row.command),
      );
    },
    setCommandState(id, change, event, entry, now) {
      const isLost = mistake === "intent_not_written" && change.state === "rebooting";
      return written(
        () => (isLost ? null : store.setCommandState(id, change, event, entry, now)),
        () => model.moved(id, change.state, change.error?.code ?? null),
      );
    },
  };
  return Object.assign(Object.create(store) as Store, watched);
}
