/**
 * What of a host worked at one moment, as it is written down before a reboot and seen again after it. Words of each kind
 * in one table, the best first, so that "worse than before" needs no rule of its own for any of them.
 */
import * as v from "valibot";
import { printable } from "../../model/text/scrub.ts";

/** What an item of a kind can be, the best first. The last one also holds for what is not there any more. */
export const STANDINGS = {
  unit: ["not failed", "failed"],
  mount: ["writable", "read-only", "gone"],
  link: ["carrier", "no carrier", "gone"],
  route: ["there", "gone"],
  drive: ["there", "not answering", "gone"],
  smart: ["ok", "warn", "fail"],
  clock: ["synchronised", "not synchronised"],
  api: ["reached", "not reached"],
  section: ["collected", "not collected"],
  check: ["works", "fails"],
} as const satisfies Record<string, readonly [string, ...string[]]>;

export type Kind = keyof typeof STANDINGS;
export const KINDS = Object.keys(STANDINGS) as readonly Kind[];

export interface Item {
  readonly kind: Kind;
  /** The same thing before and after: a drive's id, which stays when its kernel name moves on. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  /** One of its kind's standings, or `unknown`: it is there and nobody can say, which is never worse than before. */
  readonly is: string;
  /** What a check said, why a section has nothing. */
  readonly said?: string | undefined;
}

export interface Picture {
  /** Kinds that could be looked at; of the others nobody knows anything. */
  readonly seen: readonly Kind[];
  /** Of units those that have failed, of everything else what is there. */
  readonly items: readonly Item[];
  /** False while systemd still starts what belongs to the boot. */
  readonly settled: boolean;
}

/** One thing that worked before and does not now, or less well. */
export interface Regression extends Item {
  readonly was: string;
}

export interface Comparison {
  readonly regressed: readonly Regression[];
  /** What was looked at before and could not be now, each as a clause: no verdict of these. */
  readonly unseen: readonly string[];
  /** All that there is to see is there. */
  readonly settled: boolean;
}

/** Of one kind; a rack of a hundred drives fits, and what a broken host lists does not fill the journal. */
const MAX_OF_A_KIND = 300;
const MAX_NAME = 120;
const MAX_SAID = 200;

const text = (most: number) => v.pipe(v.string(), v.maxLength(most));

export const pictureSchema = v.object({
  seen: v.array(v.picklist(KINDS)),
  items: v.pipe(
    v.array(
      v.object({
        kind: v.picklist(KINDS),
        id: text(MAX_NAME),
        name: text(MAX_NAME),
        is: text(32),
        said: v.optional(text(MAX_SAID)),
      }),
    ),
    v.maxLength(MAX_OF_A_KIND * KINDS.length),
  ),
  settled: v.boolean(),
});

/** A picture within its bounds. Pure. */
export function pictureOf(seen: readonly Kind[], items: readonly Item[], settled: boolean): Picture {
  const counts = new Map<Kind, number>();
  const kept = items.filter(({ kind }) => {
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    return count <= MAX_OF_A_KIND;
  });
  return {
    seen: KINDS.filter((kind) => seen.includes(kind)),
    items: kept.map(({ kind, id, name, is, said }) => ({
      kind,
      id: id.slice(0, MAX_NAME),
      // Whoever mounts something, or writes a check, chooses it.
      name: printable(name).slice(0, MAX_NAME),
      is,
      ...(said === undefined ? {} : { said: printable(said).slice(0, MAX_SAID) }),
    })),
    settled,
  };
}
