/**
 * What of the system event log is news. The last record seen is kept over restarts, so an entry made while the
 * agent was down is told and none is told twice. The first look ever only sets the baseline: a log of years
 * must not become a flood of events.
 */
import * as v from "valibot";
import type { BmcSelResult } from "../../helper/bmc/reads.ts";
import { markOf, type SelMark, type SelRecord, selMarkSchema } from "../../helper/bmc/sel.ts";
import { seqSchema, usableHistory, withNews } from "../told-once.ts";
import { isCriticalEntry } from "./health.ts";
import type { BmcNews } from "./schema.ts";

/** Told one by one at one look; of more only the newest, and how many they were. */
export const MAX_NEWS = 20;

const text = v.pipe(v.string(), v.maxLength(256));
const newsItem = v.object({
  seq: seqSchema,
  what: v.picklist(["baseline", "critical", "cleared", "skipped"]),
  count: v.nullable(v.number()),
  id: v.nullable(v.number()),
  at: v.nullable(text),
  sensor: v.nullable(text),
  event: v.nullable(text),
  detail: v.nullable(text),
});
const memorySchema = v.object({ last: v.nullable(selMarkSchema), news: v.array(v.unknown()) });

type News = Omit<BmcNews, "seq">;

export interface SelMemory {
  /** null: the log was empty. */
  readonly last: SelMark | null;
  readonly news: readonly BmcNews[];
}

/** Null when nothing usable was kept: then the next look sets the baseline. */
export function parseSelMemory(value: unknown): SelMemory | null {
  const parsed = v.safeParse(memorySchema, value);
  if (!parsed.success) return null;
  const { last, news } = parsed.output;
  return { last, news: usableHistory(news.slice(-2 * MAX_NEWS), newsItem) };
}

/** The memory after a look at the log. Pure. @param before null: the first look ever */
export function rememberSel(before: SelMemory | null, look: BmcSelResult): SelMemory {
  if (before !== null && look.unchanged) return before;
  const last = look.last === null ? null : markOf(look.last);
  if (before === null)
    return {
      last,
      news: withNews<News>([], [{ ...NOTHING, what: "baseline", count: look.entries }], MAX_NEWS),
    };
  // Half an answer may lack the end of the log: then nothing is said of what is gone, only of what is new.
  const kept = look.last === null && look.incomplete.length > 0 ? before.last : last;
  const critical = look.records.filter(isCriticalEntry);
  const told = critical.slice(-MAX_NEWS);
  const skipped = critical.length - told.length;
  const news: News[] = [];
  if (look.restarted) news.push({ ...NOTHING, what: "cleared", count: look.entries });
  if (skipped > 0 || look.gap) news.push({ ...NOTHING, what: "skipped", count: look.gap ? null : skipped });
  news.push(...told.map(newsOf));
  return { last: kept, news: withNews(before.news, news, MAX_NEWS) };
}

const NOTHING = { count: null, id: null, at: null, sensor: null, event: null, detail: null };

function newsOf({ id, at, sensor, event, detail }: SelRecord): News {
  return { what: "critical", count: null, id, at, sensor, event, detail };
}
