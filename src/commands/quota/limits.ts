/**
 * How much of the journal one source may have, so that none takes another's room. Whatever was carried out, or may have
 * been, stays known for its 30 days: full, nothing more of its source is taken. What was refused did nothing, so its
 * oldest rows give way; delivered again such a command is judged anew.
 */

import type { Why } from "../../model/command.ts";
import { plural } from "../../model/text/sentence.ts";

/** Rows of one source that are known for 30 days: all but what was refused. */
export const KEPT_ROWS = 8_000;
/** Characters of JSON in those rows. */
const KEPT_CHARACTERS = 16 * 1024 * 1024;
/** Rows of one source that were refused or rehearsed, or had expired. */
export const REFUSED_ROWS = 500;
/** Ended commands of this host: their ids are made here and never come again. */
export const LOCAL_ROWS = 2_000;
/** Unfinished ones of one source, of this host those of one user. */
export const MAX_WAITING = 100;

/** What the journal has of one source and must keep. */
export interface JournalUse {
  readonly rows: number;
  /** Of JSON. */
  readonly characters: number;
}

export function isFull({ rows, characters }: JournalUse): boolean {
  return rows >= KEPT_ROWS || characters >= KEPT_CHARACTERS;
}

export function journalFull(source: string, { rows }: JournalUse): Why {
  return {
    code: "journal_full",
    text: `The journal holds ${plural(rows, "command")} of ${source}, which is all that it keeps of one source for 30 days, so no more of them are taken.`,
    nextStep:
      "foundry-agent commands  # shows what asks so often; other sources and this host have their own room",
  };
}

export function tooManyWaiting(waiting: number): Why {
  return {
    code: "too_many_commands",
    text: `${plural(waiting, "command")} wait already.`,
    nextStep: "foundry-agent commands",
  };
}
