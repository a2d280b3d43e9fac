/** Which self-test that failed still counts, and what is said of it. */
import { expect, it } from "vitest";
import { failedTest } from "../../../../src/collectors/smart/verdict/failed-test.ts";
import { smartVerdict } from "../../../../src/collectors/smart/verdict/verdict.ts";
import { facts } from "../../../support/drives/smart.ts";

/** `long- short+ short?`, newest first: failed, passed, aborted. */
const log = (text: string) =>
  text.split(" ").map((word, index) => ({
    kind: word.slice(0, -1),
    passed: word.endsWith("?") ? null : word.endsWith("+"),
    text: word.endsWith("-") ? "read failure" : "",
    hours: 900 - index,
  }));

it.each([
  ["long-", 900, false],
  ["short? long-", 899, false],
  ["short+ long-", 899, true],
  ["short+ short+ conveyance+ long-", 897, true],
  ["long+ long-", null, null],
  ["long+ short-", null, null],
  ["short+ short-", null, null],
  ["short+ short- long-", 898, true],
  ["short- long+ long-", 900, false],
  ["short+ long+", null, null],
])("%s", (text, hours, isOlder) => {
  const found = failedTest(log(text));
  expect(found?.test.hours ?? null).toBe(hours);
  expect(found?.isOlder ?? null).toBe(isOlder);
});

it("a short test that passed does not take back a long one that failed", () => {
  const { severity, reasons } = smartVerdict(facts({ self_tests: log("short+ long-") }));
  expect([severity, ...reasons.map(({ detail }) => detail)]).toEqual([
    "warn",
    "The newest self-test of its kind (long), and one that proves more than those since, failed: read failure.",
  ]);
});
