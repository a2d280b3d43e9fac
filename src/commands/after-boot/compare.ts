/** Two looks at a host, before a reboot and after it: what worked and is worse now. Pure. */
import * as v from "valibot";
import {
  type Comparison,
  type Item,
  KINDS,
  type Kind,
  type Picture,
  type Regression,
  STANDINGS,
} from "./picture.ts";
import { regressionText, unseenText } from "./words.ts";

/** What came of looking at the node after its boot. */
export interface Looked {
  readonly after: Picture;
  readonly comparison: Comparison;
}

/** What of `before` is worse in `after`. What did not work before can't be. */
export function compare(before: Picture, after: Picture): Comparison {
  const regressed: Regression[] = [];
  const unseen: string[] = [];
  for (const kind of KINDS) {
    if (!before.seen.includes(kind)) continue;
    if (!after.seen.includes(kind)) {
      unseen.push(unseenText(kind, null));
      continue;
    }
    const now = new Map(ofKind(after, kind).map((item) => [item.id, item]));
    if (kind === "unit") regressed.push(...failedSince(before, now.values()));
    else
      for (const was of ofKind(before, kind)) {
        const is = now.get(was.id) ?? { ...was, is: STANDINGS[kind].at(-1) as string, said: undefined };
        if (is.is === "unknown") unseen.push(unseenText(kind, was.name));
        else if (rank(kind, is.is) > rank(kind, was.is))
          regressed.push({
            kind,
            id: was.id,
            name: was.name,
            was: was.is,
            is: is.is,
            ...(is.said === undefined ? {} : { said: is.said }),
          });
      }
  }
  return { regressed, unseen, settled: after.settled };
}

/** Not at its best, and still something that can be lost. */
const WORK_TOO: ReadonlySet<string> = new Set(["mount read-only", "smart warn"]);

/** As it is written down before a reboot: of all but units, which list what has failed, only what works at all. */
export function noted(picture: Picture): Picture {
  const works = ({ kind, is }: Item): boolean =>
    kind === "unit" || rank(kind, is) === 0 || WORK_TOO.has(`${kind} ${is}`);
  return { ...picture, items: picture.items.filter(works).map(({ said: _said, ...item }) => item) };
}

/** Whether looking again can change nothing for the better. */
export function isAllBack({ regressed, unseen, settled }: Comparison): boolean {
  return settled && regressed.length === 0 && unseen.length === 0;
}

/** Of those that were wrong, which still are. @param after a later look, which may have left out what was right */
export function stillGone(regressed: readonly Regression[], after: Picture): Regression[] {
  return regressed.filter((one) => {
    if (!after.seen.includes(one.kind)) return true;
    const item = ofKind(after, one.kind).find(({ id }) => id === one.id);
    if (one.kind === "unit") return item !== undefined;
    const is = item?.is ?? (STANDINGS[one.kind].at(-1) as string);
    return is === "unknown" || rank(one.kind, is) > rank(one.kind, one.was);
  });
}

const word = (most: number) => v.pipe(v.string(), v.maxLength(most));
export const tallySchema = v.array(
  v.object({
    kind: v.picklist(KINDS),
    before: v.number(),
    /** null: not looked at (yet). */
    after: v.nullable(v.number()),
    regressed: v.array(v.object({ name: word(200), was: word(32), is: word(32), text: word(1_000) })),
  }),
);
/** One row for people: how many of a kind worked before, how many of these do now, and the first of those that don't. */
export type Tally = v.InferOutput<typeof tallySchema>[number];

/** Of one kind, named one by one; of the others there is the number. */
const TALLIED = 20;

/** @param after null: nobody has looked yet */
export function tally(before: Picture, after: Picture | null): Tally[] {
  const { regressed } = after === null ? { regressed: [] } : compare(before, after);
  return before.seen.map((kind) => {
    const worse = regressed.filter((one) => one.kind === kind);
    const isSeen = after?.seen.includes(kind) ?? false;
    const count = ofKind(before, kind).length;
    // Of units those that have failed are listed, which is the other way round.
    const now = kind === "unit" ? count + worse.length : count - worse.length;
    return {
      kind,
      before: count,
      after: isSeen ? now : null,
      regressed: worse
        .slice(0, TALLIED)
        .map((one) => ({ name: one.name, was: one.was, is: one.is, text: regressionText(one) })),
    };
  });
}

const ofKind = (picture: Picture, kind: Kind): Item[] => picture.items.filter((item) => item.kind === kind);

function failedSince(before: Picture, now: Iterable<Item>): Regression[] {
  const then = new Set(ofKind(before, "unit").map(({ id }) => id));
  return [...now]
    .filter(({ id }) => !then.has(id))
    .map(({ id, name, is }) => ({ kind: "unit", id, name, was: STANDINGS.unit[0], is }));
}

/** What is in no table is as bad as can be. */
function rank(kind: Kind, is: string): number {
  const words: readonly string[] = STANDINGS[kind];
  const found = words.indexOf(is);
  return found < 0 ? words.length : found;
}
