/** The store, with everybody who follows events told of new ones, and the loops woken by urgent ones. */
import { wakes } from "../control/rhythm.ts";
import type { AgentEvent, EventDraft } from "../model/event.ts";
import type { Store } from "../store/types.ts";

/** @param wake called after an event that is worth a round of its own; `command`: it is about a command */
export function announcing(
  store: Store,
  listeners: ReadonlySet<(event: AgentEvent) => void>,
  wake: (command: boolean) => void,
): Store {
  function announce(events: readonly AgentEvent[]): void {
    for (const event of events) for (const listener of listeners) listener(event);
    if (events.some(wakes)) wake(events.some((event) => event.type === "command.state"));
  }
  return {
    ...store,
    get mode() {
      return store.mode;
    },
    get problem() {
      return store.problem;
    },
    appendEvents(drafts: readonly EventDraft[], now: number) {
      const events = store.appendEvents(drafts, now);
      announce(events);
      return events;
    },
    insertCommand(...args) {
      const inserted = store.insertCommand(...args);
      if (inserted.event !== null) announce([inserted.event]);
      return inserted;
    },
    setCommandState(...args) {
      const event = store.setCommandState(...args);
      if (event !== null) announce([event]);
      return event;
    },
  };
}
