/**
 * Who has how much of the helper's record. Each kind of change has a part of its own, once for this host and once for
 * the network, and beyond it there is a common one: so nothing that is done often, and no source that asks without end,
 * takes the room of another. Pure.
 */
import type { RecordFile } from "./record-file.ts";

type Entry = RecordFile["entries"][number];

/** More of one kind and side are refused: room for a month at the limits. */
const MAX_ENTRIES = 6_000;
/** Bytes that each kind and side has to itself: some two hundred entries, where a reboot a day needs thirty. */
const OWN_BYTES = 64 * 1024;
/** Of all that need more, together. What is left up to the longest record that is read is for outcomes. */
const SHARED_BYTES = 1_792 * 1024;
const DAY_MS = 86_400_000;
const MAX_OLD_SENTENCE = 60;

/** `local`: whoever stands on this host. What an older version wrote down does not say; it may have been anybody. */
export function sideOf(source: string | undefined): "local" | "network" {
  return source === "local" ? "local" : "network";
}

/** Whether one more of this kind from there can be written down. */
export function hasRoom(entries: readonly Entry[], word: string, source: string): boolean {
  const used = new Map<string, { count: number; bytes: number }>();
  for (const entry of entries) {
    const part = partOf(entry.word, entry.source);
    const { count, bytes } = used.get(part) ?? { count: 0, bytes: 0 };
    used.set(part, { count: count + 1, bytes: bytes + Buffer.byteLength(JSON.stringify(entry)) });
  }
  const own = used.get(partOf(word, source)) ?? { count: 0, bytes: 0 };
  if (own.count >= MAX_ENTRIES) return false;
  if (own.bytes < OWN_BYTES) return true;
  const shared = [...used.values()].reduce((sum, { bytes }) => sum + Math.max(0, bytes - OWN_BYTES), 0);
  return shared < SHARED_BYTES;
}

/** What is needed of entries older than a day: that it was done, and how it ended, without details. */
export function compacted(entries: readonly Entry[]): Entry[] {
  return entries.map((entry) => {
    if (entry.age_ms < DAY_MS) return entry;
    const { steps: _gone, ...rest } = entry;
    const { outcome } = entry;
    if (outcome.state === "done") return { ...rest, outcome: { state: "done", result: null } };
    if (outcome.state === "begun") return rest;
    const message = outcome.error.message.slice(0, MAX_OLD_SENTENCE);
    return { ...rest, outcome: { state: "failed", error: { ...outcome.error, message, next_step: null } } };
  });
}

const partOf = (word: string, source: string | undefined): string => `${word} ${sideOf(source)}`;
