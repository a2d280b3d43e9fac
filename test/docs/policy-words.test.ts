/** Whoever reads which words the policy has, and which of them are to be signed, reads all of them and no other. */
import { expect, test } from "vitest";
import { committed } from "../../scripts/docs/derive.ts";
import { POLICY_WORDS, SIGNED_WORDS } from "../../src/helper/policy/words.ts";

const LISTS: readonly (readonly [string, RegExp, readonly string[]])[] = [
  ["docs/policy.md", /\| none \| ([\w, ]+) only for commands with a valid signature/, SIGNED_WORDS],
  ["docs/signing.md", /With a public key in the policy, ([^.]+) are done only/, SIGNED_WORDS],
  ["docs/THREATS.md", /With `public_key` in the policy ([^.]+?)\s+are done only/, SIGNED_WORDS],
  ["docs/policy.md", /^Words: (.+)\.$/m, POLICY_WORDS],
];

test.each(LISTS)("%s, %s: the list is that of src/helper/policy/words.ts", (path, place, words) => {
  const found = place.exec(committed(path))?.[1] ?? "";
  expect((found.match(/\w+/g) ?? []).filter((word) => word !== "and")).toEqual(words);
});
