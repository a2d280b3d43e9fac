/** What does not fit, in words for whoever typed it. */

import * as v from "valibot";
import { expect, test } from "vitest";
import { issueWords } from "../../src/sandbox/issue-words.ts";

const SCHEMA = v.strictObject({
  method: v.optional(v.picklist(["graceful", "hard"])),
  weight: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
  osd_ids: v.optional(v.pipe(v.array(v.pipe(v.number(), v.integer())), v.minLength(1))),
  confirm: v.optional(v.literal(true)),
  serial: v.string(),
  device: v.optional(v.pipe(v.string(), v.regex(/^sd[a-z]$/))),
  drain: v.optional(v.boolean()),
  key: v.optional(
    v.pipe(
      v.string(),
      v.check((text) => text !== "no", "is no key of this server."),
    ),
  ),
});

function said(value: unknown): string {
  const result = v.safeParse(SCHEMA, value, { abortEarly: true });
  if (result.success) throw new Error("it fits");
  return issueWords(result.issues[0]);
}

test.each([
  [{ serial: "x", method: "kick" }, 'method must be one of "graceful", "hard", not "kick".'],
  [{ serial: "x", weight: 1.01 }, "weight must be at most 1, and is 1.01."],
  [{ serial: "x", weight: -1 }, "weight must be at least 0, and is -1."],
  [{ serial: "x", weight: "1" }, 'weight must be a number, not "1".'],
  [{ serial: "x", osd_ids: [1.5] }, "osd_ids.0 must be a whole number, and is 1.5."],
  [{ serial: "x", osd_ids: [] }, "osd_ids must have a length of at least 1, and is a list."],
  [{ serial: "x", osd_ids: {} }, "osd_ids must be a list, not an object."],
  [{ serial: "x", confirm: false }, "confirm must be true, not false."],
  [{ serial: "x", device: "/dev/sda" }, 'device is not written as it should be, and is "/dev/sda".'],
  [{ serial: "x", drain: 1 }, "drain must be true or false, not 1."],
  [{ serial: "x", key: "no" }, "key is no key of this server."],
  [{ serial: "x", force: true }, "There is no field force here."],
  [{}, "serial is missing."],
  [null, "What was sent must be an object, not null."],
  ["x", 'What was sent must be an object, not "x".'],
])("%j", (value, words) => {
  expect(said(value)).toBe(words);
});

test("what is long is cut", () => {
  expect(said({ serial: "x", method: "k".repeat(10_000) }).length).toBeLessThan(200);
});
