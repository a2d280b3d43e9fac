/** What was said of a command and is not to be said again: forgotten with the command, and never without end. */

export interface Said {
  /** Whether this was not the last thing said of it; from now on it is. */
  isNew(id: string, what: string): boolean;
  forget(id: string): void;
  /** Of how many something is remembered. */
  readonly size: number;
}

/** From so many on those that are over are looked for. */
const MANY = 100;
/** Of more than any node has to do with at a time the oldest is forgotten. */
const MOST = 1_000;

/** @param isOver whether nothing more is said of a command */
export function openSaid(isOver: (id: string) => boolean): Said {
  const said = new Map<string, string>();

  function makeRoom(): void {
    if (said.size < MANY) return;
    for (const id of said.keys()) if (isOver(id)) said.delete(id);
    const [oldest] = said.keys();
    if (said.size >= MOST && oldest !== undefined) said.delete(oldest);
  }

  return {
    isNew(id, what) {
      if (said.get(id) === what) return false;
      makeRoom();
      said.delete(id);
      said.set(id, what);
      return true;
    },
    forget: (id) => void said.delete(id),
    get size() {
      return said.size;
    },
  };
}
