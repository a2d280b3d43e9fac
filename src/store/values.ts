/**
 * Small durable values by namespace: identity, tokens, what a control API has to remember. All of them are
 * held in memory (there are some dozens), so they can be read whatever the disk does; what could not be
 * written stays marked and goes out with a later flush.
 */
import type { KeyValue } from "../control/control-api.ts";
import type { StateFile } from "./file/types.ts";

export interface Values {
  of(namespace: string): KeyValue;
  /** All values of the namespaces that `which` names. */
  rows(which: (namespace: string) => boolean): ValueRow[];
  /** Something could not be written yet. */
  readonly dirty: boolean;
  /** Try to write it. */
  retry(): void;
  /** Take what `gone` names for what the file now says. */
  reload(gone: (namespace: string, key: string) => boolean): void;
}

export interface ValueRow {
  readonly namespace: string;
  readonly key: string;
  readonly value: string;
}

export function openValues(file: StateFile): Values {
  const held = new Map<string, Map<string, string>>();
  /** Not on the disk yet; null: to be deleted. */
  const unwritten = new Map<string, { namespace: string; key: string; value: string | null }>();
  reload(() => false);

  function reload(gone: (namespace: string, key: string) => boolean): void {
    held.clear();
    for (const [name, { namespace, key }] of unwritten) if (gone(namespace, key)) unwritten.delete(name);
    for (const row of file.readValues((db) => db.all<ValueRow>("SELECT namespace, key, value FROM value")))
      hold(row.namespace, row.key, row.value);
    for (const { namespace, key, value } of unwritten.values()) hold(namespace, key, value);
  }

  function hold(namespace: string, key: string, value: string | null): void {
    let names = held.get(namespace);
    if (names === undefined) {
      names = new Map();
      held.set(namespace, names);
    }
    if (value === null) names.delete(key);
    else names.set(key, value);
  }

  function writeOut(): void {
    const rows = [...unwritten.values()];
    const done = file.writeValues((db) => {
      for (const { namespace, key, value } of rows) {
        if (value === null) db.run("DELETE FROM value WHERE namespace = ? AND key = ?", namespace, key);
        else
          db.run(
            "INSERT OR REPLACE INTO value (namespace, key, value) VALUES (?, ?, ?)",
            namespace,
            key,
            value,
          );
      }
    });
    if (done) unwritten.clear();
  }

  return {
    of: (namespace) => ({
      get: (key) => held.get(namespace)?.get(key) ?? null,
      set(key, value) {
        if ((held.get(namespace)?.get(key) ?? null) === value) return;
        hold(namespace, key, value);
        unwritten.set(JSON.stringify([namespace, key]), { namespace, key, value });
        writeOut();
      },
    }),
    rows: (which) =>
      [...held].flatMap(([namespace, names]) =>
        which(namespace) ? [...names].map(([key, value]) => ({ namespace, key, value })) : [],
      ),
    get dirty() {
      return unwritten.size > 0;
    },
    retry() {
      if (unwritten.size > 0) writeOut();
    },
    reload,
  };
}
