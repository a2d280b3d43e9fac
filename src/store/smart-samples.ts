/**
 * SMART samples: one a day and drive, 90 days, by serial number, so that they outlive reboots and new device
 * letters. Written with the next lazy flush and read when a drive was asked; nothing of them is held in memory
 * but what is not written yet.
 */
import * as v from "valibot";
import type { SmartHistory, SmartSample } from "../model/smart.ts";
import type { Database } from "./file/database.ts";

const KEPT_DAYS = 90;
const DAY_MS = 86_400_000;

/** Additive: a version without it runs on. */
export const SMART_SAMPLE_TABLE = `
  CREATE TABLE smart_sample (
    serial TEXT NOT NULL, day TEXT NOT NULL, sample TEXT NOT NULL, PRIMARY KEY (serial, day)
  ) STRICT, WITHOUT ROWID;
`;

const count = v.fallback(v.nullable(v.number()), null);
const sampleSchema = v.object({
  reallocated: count,
  pending: count,
  uncorrectable: count,
  reported_uncorrectable: count,
  command_timeouts: count,
  crc_errors: count,
  media_errors: count,
  grown_defects: count,
  pending_defects: count,
  helium_percent: count,
  wear_percent: count,
  power_on_hours: count,
  temperature_c: count,
});

export interface SmartSamples extends SmartHistory {
  /** Whether there is something to write. */
  dirty(): boolean;
  /** Call in a transaction; the function returned when it was committed. */
  writeTo(db: Database): () => void;
  /** The rows were deleted: forget what waits to be written. */
  clear(): void;
}

/** @param read as StateFile.read */
export function openSmartSamples(read: <T>(work: (db: Database) => T) => T): SmartSamples {
  const waiting = new Map<string, SmartSample[]>();

  return {
    read(serial) {
      const rows = read((db) =>
        db.all<{ day: string; sample: string }>(
          "SELECT day, sample FROM smart_sample WHERE serial = ? ORDER BY day DESC LIMIT ?",
          serial,
          KEPT_DAYS,
        ),
      );
      const samples = rows.reverse().flatMap(({ day, sample }) => sampleOf(day, sample));
      return [...samples, ...(waiting.get(serial) ?? [])].sort((a, b) => (a.day < b.day ? -1 : 1));
    },
    add(serial, sample) {
      const before = waiting.get(serial) ?? [];
      if (!before.some(({ day }) => day === sample.day)) waiting.set(serial, [...before, sample]);
    },
    dirty: () => waiting.size > 0,
    writeTo(db) {
      const written = [...waiting].map(([serial, samples]): [string, readonly SmartSample[]] => [
        serial,
        samples,
      ]);
      const stored = db.get<{ day: string | null }>("SELECT max(day) AS day FROM smart_sample")?.day ?? null;
      for (const [serial, samples] of written) {
        for (const { day, ...sample } of samples)
          db.run(
            "INSERT OR IGNORE INTO smart_sample (serial, day, sample) VALUES (?, ?, ?)",
            serial,
            day,
            JSON.stringify(sample),
          );
      }
      const newest = written
        .flatMap(([, samples]) => samples.map(({ day }) => day))
        .sort()
        .at(-1);
      if (newest !== undefined && isBelievable(newest, stored)) trim(db, newest);
      return () => {
        for (const [serial, samples] of written) {
          const left = (waiting.get(serial) ?? []).filter((sample) => !samples.includes(sample));
          if (left.length === 0) waiting.delete(serial);
          else waiting.set(serial, left);
        }
      };
    },
    clear: () => waiting.clear(),
  };
}

/** A clock that jumped far ahead must not make all there is too old. */
function isBelievable(newest: string, stored: string | null): boolean {
  return stored === null || Date.parse(newest) - Date.parse(stored) < 4 * KEPT_DAYS * DAY_MS;
}

/** Days that are too old, of every drive: one that was taken out writes no more itself. */
function trim(db: Database, newest: string): void {
  const oldest = new Date(Date.parse(newest) - KEPT_DAYS * DAY_MS).toISOString().slice(0, 10);
  db.run("DELETE FROM smart_sample WHERE day < ?", oldest);
}

/** A damaged row costs only itself. */
function sampleOf(day: string, text: string): SmartSample[] {
  try {
    const parsed = v.safeParse(sampleSchema, JSON.parse(text));
    return parsed.success ? [{ day, ...parsed.output }] : [];
  } catch {
    return [];
  }
}
