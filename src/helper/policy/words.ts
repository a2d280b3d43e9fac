/**
 * The words of the policy: which kinds of change there are, where a command may come from, and what holds where
 * the file says nothing about limits.
 */

/** Kinds of change, as commands are called. An operation names one of them as its `policy`. */
export const POLICY_WORDS = [
  "reboot",
  "drain",
  "undrain",
  "reweight",
  "collect",
  "diagnostics",
  "smart_test",
  "locate",
  "upgrade",
  "wipe",
] as const;

export type PolicyWord = (typeof POLICY_WORDS)[number];

/** What a source may be allowed: these, and to pass by the gates that `force` passes by. No operation of the helper needs that one. */
export const ALLOWED_WORDS = [...POLICY_WORDS, "force"] as const;

export type AllowedWord = (typeof ALLOWED_WORDS)[number];

/**
 * Who commands: `local`, or the word of a control API; all but `local` come over the network. Which there are the
 * policy says: one that it does not name may have nothing done.
 */
export const SOURCE_WORD = /^[a-z][a-z0-9_]{0,31}$/;

/** What the helper does only for a command that its sender signed, once the policy names a public key. */
export const SIGNED_WORDS: readonly PolicyWord[] = [
  "reboot",
  "drain",
  "undrain",
  "reweight",
  "upgrade",
  "wipe",
];

export interface Limit {
  /** Minutes that must lie between two. */
  readonly minutesApart: number;
  /** How many in 24 hours. */
  readonly aDay: number;
}

/** A self-test of every drive of a large node fits into a day; a loop does not. */
const DEFAULT_LIMIT: Limit = { minutesApart: 0, aDay: 200 };

export const DEFAULT_LIMITS: Readonly<Record<PolicyWord, Limit>> = {
  reboot: { minutesApart: 30, aDay: 3 },
  drain: DEFAULT_LIMIT,
  undrain: DEFAULT_LIMIT,
  reweight: DEFAULT_LIMIT,
  collect: DEFAULT_LIMIT,
  diagnostics: DEFAULT_LIMIT,
  smart_test: DEFAULT_LIMIT,
  locate: DEFAULT_LIMIT,
  upgrade: { minutesApart: 30, aDay: 3 },
  wipe: { minutesApart: 0, aDay: 50 },
};

export function isPolicyWord(word: string): word is PolicyWord {
  return (POLICY_WORDS as readonly string[]).includes(word);
}

/** What a source may have done: nothing where the policy does not name it. @param allow of the policy */
export function allowedTo<Word extends string>(
  allow: Readonly<Record<string, readonly Word[]>>,
  source: string,
): readonly Word[] {
  return Object.hasOwn(allow, source) ? (allow[source] ?? []) : [];
}
