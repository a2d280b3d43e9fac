/**
 * What may be written late: hashes the control APIs confirmed, what collectors remember, traffic. After a
 * crash it is a quarter of an hour old, which costs a section sent twice and nothing else, and it spares the
 * card: an idle node writes its traffic counters once an hour.
 */
import type { Database } from "./file/database.ts";
import type { StateFile } from "./file/types.ts";
import type { Store, Traffic } from "./types.ts";

export interface Lazy
  extends Pick<Store, "confirmedHashes" | "setConfirmedHashes" | "memory" | "addTraffic" | "traffic"> {
  /** What there is to write: nothing, counters that can wait an hour, or more. Looks closely: call it when a flush is due. */
  dirty(): "no" | "traffic" | "yes";
  /** Call in a transaction; the function returned when it was committed. */
  writeTo(db: Database): () => void;
  /** The rows were deleted: forget what control APIs confirmed, and what collectors remember too when `memories`. */
  clear(memories: boolean): void;
}

interface Remembered {
  value: unknown;
  /** JSON as it is on disk, or null. */
  written: string | null;
  touched: boolean;
  /** Changes all the time, and is no reason to write more often than traffic is. */
  canWait: boolean;
}

type Counters = { -readonly [key in keyof Traffic]: Traffic[key] };

export function openLazy(file: StateFile): Lazy {
  const hashes = new Map<string, ReadonlyMap<string, string>>();
  const hashesWritten = new Map<string, string>();
  const memories = new Map<string, Remembered>();
  const counters = new Map<string, Counters>();
  const countersTouched = new Set<string>();

  const rows = file.read((db) => ({
    confirmed: db.all<{ api: string; hashes: string }>("SELECT api, hashes FROM confirmed"),
    traffic: db.all<{ api: string; month: string; sent: number; received: number; requests: number }>(
      "SELECT api, month, sent, received, requests FROM traffic",
    ),
  }));
  for (const row of rows.confirmed) {
    hashesWritten.set(row.api, row.hashes);
    hashes.set(row.api, hashesOf(row.hashes));
  }
  for (const row of rows.traffic) {
    counters.set(counterKey(row.api, row.month), {
      api: row.api,
      month: row.month,
      sentBytes: row.sent,
      receivedBytes: row.received,
      requests: row.requests,
    });
  }

  function remembered(collector: string, canWait = false): Remembered {
    let found = memories.get(collector);
    if (found === undefined) {
      const text = file.read((db) =>
        db.get<{ value: string }>("SELECT value FROM memory WHERE collector = ?", collector),
      )?.value;
      found = { value: parsed(text), written: text ?? null, touched: false, canWait };
      memories.set(collector, found);
    }
    return found;
  }

  function changedHashes(): [string, string][] {
    const changed: [string, string][] = [];
    for (const [api, map] of hashes) {
      const text = JSON.stringify(Object.fromEntries(map));
      if (text !== hashesWritten.get(api)) changed.push([api, text]);
    }
    return changed;
  }

  function changedMemories(): [Remembered, string, string][] {
    const changed: [Remembered, string, string][] = [];
    for (const [collector, memory] of memories) {
      if (!memory.touched) continue;
      const text = JSON.stringify(memory.value) ?? "null";
      if (text === memory.written) memory.touched = false;
      else changed.push([memory, collector, text]);
    }
    return changed;
  }

  return {
    confirmedHashes: (api) => hashes.get(api) ?? new Map(),
    setConfirmedHashes(api, confirmed) {
      hashes.set(api, new Map(Object.entries(confirmed)));
    },
    memory: (collector, canWait) => ({
      get: () => remembered(collector, canWait).value,
      set(value) {
        const memory = remembered(collector, canWait);
        memory.value = value;
        memory.touched = true;
      },
    }),
    addTraffic(api, month, sent, received) {
      const key = counterKey(api, month);
      let found = counters.get(key);
      if (found === undefined) {
        found = { api, month, sentBytes: 0, receivedBytes: 0, requests: 0 };
        counters.set(key, found);
      }
      found.sentBytes += sent;
      found.receivedBytes += received;
      found.requests++;
      countersTouched.add(key);
    },
    traffic: (month) =>
      [...counters.values()].filter((item) => item.month === month).map((item) => ({ ...item })),
    dirty() {
      const changed = changedMemories();
      if (changedHashes().length > 0 || changed.some(([{ canWait }]) => !canWait)) return "yes";
      return countersTouched.size > 0 || changed.length > 0 ? "traffic" : "no";
    },
    writeTo(db) {
      const confirmed = changedHashes();
      for (const [api, text] of confirmed)
        db.run("INSERT OR REPLACE INTO confirmed (api, hashes) VALUES (?, ?)", api, text);
      const memory = changedMemories();
      for (const [, collector, text] of memory)
        db.run("INSERT OR REPLACE INTO memory (collector, value) VALUES (?, ?)", collector, text);
      const touched = [...countersTouched];
      for (const key of touched) {
        const item = counters.get(key) as Counters;
        db.run(
          "INSERT OR REPLACE INTO traffic (api, month, sent, received, requests) VALUES (?, ?, ?, ?, ?)",
          item.api,
          item.month,
          item.sentBytes,
          item.receivedBytes,
          item.requests,
        );
      }
      return () => {
        for (const [api, text] of confirmed) hashesWritten.set(api, text);
        for (const [item, , text] of memory) {
          item.written = text;
          item.touched = false;
        }
        for (const key of touched) countersTouched.delete(key);
      };
    },
    clear(alsoMemories) {
      hashes.clear();
      hashesWritten.clear();
      if (alsoMemories) memories.clear();
    },
  };
}

function counterKey(api: string, month: string): string {
  return `${month} ${api}`;
}

/** null for what is not there or damaged: a collector starts anew then. */
function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

function hashesOf(text: string): Map<string, string> {
  const found = parsed(text);
  if (found === null || typeof found !== "object") return new Map();
  return new Map(
    Object.entries(found).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
