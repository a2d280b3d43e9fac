/** What kind of key it is, told by its prefix before it is ever sent. */

export type KeyKind = "live" | "test" | "read-only" | "enrol" | "node" | "unknown";

const PREFIXES: readonly (readonly [string, KeyKind])[] = [
  ["nf_sk_live_", "live"],
  ["nf_sk_test_", "test"],
  ["nf_sk_ro_", "read-only"],
  ["nf_en_", "enrol"],
  ["nf_nt_", "node"],
];

/** Of all, kinds that this version does not know among them. */
export const TOKENS = [...PREFIXES.map(([prefix]) => prefix), "nf_sk_"];

export function keyKind(key: string): KeyKind {
  return PREFIXES.find(([prefix]) => key.startsWith(prefix))?.[1] ?? "unknown";
}
