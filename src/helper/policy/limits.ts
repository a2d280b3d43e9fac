/**
 * The helper's own memory of what it changed: done ids with their outcomes, and how long ago each was. A file of
 * root, replaced whole and fsynced before anything is done; without a readable one nothing that changes anything
 * is done, because then nobody knows what was done already.
 *
 * Ages are never taken from the wall clock, which a Raspberry Pi guesses and which NTP moves: an entry's age is
 * kept as of the moment the file was written, with boot id and uptime of that moment. Read again in the same
 * boot, the difference of the two uptimes is added; in another boot the whole uptime of this one is. So time
 * only counts while the host is on (noted at least once an hour), ages come out too small or right, and no jump
 * of a clock lets a limit be passed; nor can one block for ever, because uptime grows.
 */

import * as v from "valibot";
import { AgentError } from "../../model/errors.ts";
import { plural } from "../../model/text/sentence.ts";
import { shellWord } from "../../model/text/shell-word.ts";
import type { Files } from "../../system/files.ts";
import { bootTime } from "./boot-time.ts";
import { writeDurable } from "./durable-file.ts";
import { agedRecord, type Outcome, type RecordFile, recordSchema } from "./record-file.ts";
import { compacted, hasRoom, sideOf } from "./record-room.ts";
import { readTrusted } from "./trusted-file.ts";
import type { Limit } from "./words.ts";

const MAX_RECORD_BYTES = 4 * 1024 * 1024;
/** Longer results are recorded as done without the result; sentences of errors are cut. */
const MAX_RESULT_CHARS = 500;
const MAX_SENTENCE_CHARS = 300;
const MAX_STEPS = 40;
const DAY_MS = 86_400_000;
const NOTED_EVERY_MS = 3_600_000;

export interface LimitsRecord {
  /** @returns what is recorded of an id, or null. @throws AgentError `record_unusable` */
  outcome(id: string): Outcome | null;
  /** What was written down along the way of an id; [] where nothing was. @throws AgentError `record_unusable` */
  steps(id: string): readonly string[];
  /**
   * Why one more of this kind now is too many: for the network of all that was done, for this host of its own, so that
   * no server uses up what whoever stands before it may do. @throws AgentError `record_unusable`
   */
  tooMany(word: string, limit: Limit, source: string): TooMany | null;
  /** Why one more of this kind can't be written down. @throws AgentError `record_unusable` */
  noRoom(word: string, source: string): AgentError | null;
  /** @throws AgentError `helper_refused` as `tooMany` has it; `record_unusable` */
  check(word: string, limit: Limit, source: string): void;
  /** On disk when it returns. @throws AgentError `record_unusable`, `helper_refused` (full, or the id is there) */
  begin(entry: { id: string; word: string; operation: string; source: string; at: number }): void;
  /**
   * One more line of what an id went through; cut at 300 characters, and no more than 40 are kept. On disk when it
   * returns. @throws AgentError `record_unusable`
   */
  step(id: string, text: string): void;
  /** Nothing was done after all: as if it had never been begun. @throws AgentError `record_unusable` */
  withdraw(id: string): void;
  /** @throws AgentError `record_unusable` */
  end(id: string, outcome: Exclude<Outcome, { state: "begun" }>): void;
  /** Carry the ages on, if that was last done an hour ago or in another boot. @throws AgentError `record_unusable` */
  note(): void;
}

export interface TooMany {
  readonly error: AgentError;
  /** Minutes of uptime until it is not too many any more. */
  readonly againInMinutes: number;
}

/** @param owner uid besides root that may own the file; this process' own */
export function openLimits(options: { path: string; files: Files; owner: number }): LimitsRecord {
  const { path, files, owner } = options;

  function load(): { record: RecordFile; asRead: RecordFile } {
    const now = bootTime(files);
    const fresh: RecordFile = { v: 1, boot_id: now.bootId, uptime_ms: now.uptimeMs, entries: [] };
    const text = trusted(path, owner);
    if (text === null) return { record: fresh, asRead: fresh };
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw broken(path, error);
    }
    const read = v.safeParse(recordSchema, value);
    if (!read.success) throw broken(path, null);
    return { record: agedRecord(read.output, now), asRead: read.output };
  }

  function change(edit: (entries: RecordFile["entries"]) => RecordFile["entries"]): void {
    const { record } = load();
    writeDurable(path, JSON.stringify({ ...record, entries: edit(record.entries) }));
  }

  function tooMany(word: string, { minutesApart, aDay }: Limit, source: string): TooMany | null {
    const { entries } = load().record;
    const counts = ({ source: other }: RecordFile["entries"][number]): boolean =>
      sideOf(source) === "network" || other === undefined || sideOf(other) === "local";
    const ages = entries.filter((entry) => entry.word === word && counts(entry)).map(({ age_ms }) => age_ms);
    const youngest = Math.min(...ages);
    if (youngest < minutesApart * 60_000) {
      const left = Math.ceil((minutesApart * 60_000 - youngest) / 60_000);
      return tooOften(`the last ${word} was less than ${plural(minutesApart, "minute")} of uptime ago`, left);
    }
    const today = ages.filter((age) => age < DAY_MS);
    if (today.length >= aDay) {
      const left = Math.ceil((DAY_MS - Math.max(0, ...today)) / 60_000);
      return tooOften(`${plural(today.length, "time")} ${word} in 24 hours of uptime is the limit`, left);
    }
    return null;
  }

  return {
    outcome: (id) => load().record.entries.find((entry) => entry.id === id)?.outcome ?? null,
    steps: (id) => load().record.entries.find((entry) => entry.id === id)?.steps ?? [],
    tooMany,
    noRoom: (word, source) =>
      roomIn(load().record.entries, word, source) === null ? full(path, word) : null,
    check(word, limit, source) {
      const found = tooMany(word, limit, source);
      if (found !== null) throw found.error;
    },
    begin({ id, word, operation, source, at }) {
      change((entries) => {
        if (entries.some((entry) => entry.id === id))
          throw new AgentError("helper_refused", "this id was begun before");
        const room = roomIn(entries, word, source);
        if (room === null) throw full(path, word);
        const begun_at = new Date(at).toISOString();
        return [...room, { id, word, operation, source, age_ms: 0, begun_at, outcome: { state: "begun" } }];
      });
    },
    step(id, text) {
      const line = text.slice(0, MAX_SENTENCE_CHARS);
      change((entries) =>
        entries.map((entry) =>
          entry.id === id ? { ...entry, steps: [...(entry.steps ?? []), line].slice(-MAX_STEPS) } : entry,
        ),
      );
    },
    withdraw: (id) => change((entries) => entries.filter((entry) => entry.id !== id)),
    end(id, outcome) {
      const kept = shortened(outcome);
      change((entries) => entries.map((entry) => (entry.id === id ? { ...entry, outcome: kept } : entry)));
    },
    note() {
      const { record, asRead } = load();
      if (asRead.entries.length === 0) return;
      const noted = record.boot_id === asRead.boot_id && record.uptime_ms - asRead.uptime_ms < NOTED_EVERY_MS;
      if (!noted) writeDurable(path, JSON.stringify(record));
    },
  };
}

function shortened(outcome: Exclude<Outcome, { state: "begun" }>): Outcome {
  if (outcome.state === "done") {
    const isLong = (JSON.stringify(outcome.result) ?? "").length > MAX_RESULT_CHARS;
    return isLong ? { state: "done", result: null } : outcome;
  }
  const { code, message, next_step } = outcome.error;
  const cut = {
    message: message.slice(0, MAX_SENTENCE_CHARS),
    next_step: next_step?.slice(0, MAX_SENTENCE_CHARS) ?? null,
  };
  return { state: "failed", error: { code, ...cut } };
}

function full(path: string, word: string): AgentError {
  return new AgentError(
    "helper_refused",
    `${path} is full for ${word}: more of it was done in 30 days than is kept`,
    "journalctl -u foundry-agent-helper",
  );
}

function trusted(path: string, owner: number): string | null {
  try {
    return readTrusted(path, owner, MAX_RECORD_BYTES);
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    throw new AgentError(
      "record_unusable",
      `${error.message}, so nothing that changes anything is done`,
      error.nextStep,
      { cause: error },
    );
  }
}

function broken(path: string, cause: unknown): AgentError {
  const word = shellWord(path);
  return new AgentError(
    "record_unusable",
    `${path} is damaged, so what was done already isn't known and nothing that changes anything is done`,
    `mv ${word} ${word}.damaged`,
    { cause },
  );
}

function tooOften(sentence: string, minutes: number): TooMany {
  const error = new AgentError("helper_refused", sentence, `again in ${plural(minutes, "minute")}`);
  return { error, againInMinutes: minutes };
}

/** The entries with room for one more of this kind, without details of old ones where that makes it; null: there is none. */
function roomIn(entries: RecordFile["entries"], word: string, source: string): RecordFile["entries"] | null {
  if (hasRoom(entries, word, source)) return entries;
  const short = compacted(entries);
  return hasRoom(short, word, source) ? short : null;
}
