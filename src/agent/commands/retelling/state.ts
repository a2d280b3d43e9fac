/**
 * Whether a server is told again what ended: it was restored from a backup when its epoch is another one than that of
 * the last telling. Pure. An epoch is a word of the server, so it does not set off more than a few tellings a day,
 * whatever it says, and nothing is written down for those that set off none.
 */
import * as v from "valibot";

const DAY_MS = 86_400_000;
/** So that a restore that is done over again is answered at once; a server that says another epoch each time gets no more. */
const TELLINGS_A_DAY = 3;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const schema = v.object({
  /** Of the last telling, or the first that was heard. */
  epoch: v.string(),
  /** When the last ones began; wall clock, milliseconds. */
  began: v.array(count),
  /** Rows of the journal after `after` up to `upTo` are still to be told; null: all was. */
  telling: v.nullable(v.object({ after: count, upTo: count })),
});

export type Retelling = v.InferOutput<typeof schema>;

/** @param text as it was kept; null for what is not there or can't be read */
export function parseRetelling(text: string | null): Retelling | null {
  if (text === null) return null;
  try {
    const read = v.safeParse(schema, JSON.parse(text));
    return read.success ? read.output : null;
  } catch {
    return null;
  }
}

/**
 * What an answer's epoch makes of it; the same object when nothing changes.
 * @param newest number of the newest row of the journal
 * @param now wall clock, milliseconds; a jump of it costs a telling too many or a day's wait, no more
 */
export function heard(before: Retelling | null, epoch: string, newest: number, now: number): Retelling {
  // The first one: what ended before was told to this very server.
  if (before === null) return { epoch, began: [], telling: null };
  if (epoch === before.epoch) return before;
  const lately = before.began.filter((at) => Math.abs(now - at) < DAY_MS);
  if (lately.length >= TELLINGS_A_DAY) return before;
  return { epoch, began: [...lately, Math.trunc(now)], telling: { after: 0, upTo: newest } };
}
