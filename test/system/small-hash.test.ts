import { createHash, createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { smallHash, smallHmac } from "../../src/system/small-hash.ts";
import { forAll } from "../support/for-all.ts";

test("gives what node:crypto gives, for any text and key", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 300 });
  forAll(
    fc.property(text, text, (key, message) => {
      expect(smallHash(message)).toBe(createHash("sha256").update(message).digest("hex"));
      expect(smallHmac(key, message)).toBe(createHmac("sha256", key).update(message).digest("hex"));
    }),
    { seed: 5 },
  );
});
