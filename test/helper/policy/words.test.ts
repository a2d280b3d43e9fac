import { expect, test } from "vitest";
import { helperOperations, type OperationParts } from "../../../src/helper/operations.ts";
import { SIGNED_WORDS } from "../../../src/helper/policy/words.ts";

// Their declarations are looked at and none is performed, so none needs its parts.
const operations = helperOperations({} as OperationParts);

test("an operation says what a signature covers (`covers`) if its word is in SIGNED_WORDS, and only then", () => {
  const signed = operations.filter(({ policy }) => SIGNED_WORDS.some((word) => word === policy));
  const covered = operations.filter(({ covers }) => covers !== undefined);
  const names = (list: typeof operations): string[] => list.map(({ name }) => name);
  // Without `covers` it is never done where the policy names a key; without the word nobody asks for a signature.
  expect(names(covered)).toEqual(names(signed));
  expect(names(signed)).toContain("reboot");
});
