/** The first minute is over once, and nothing of it is kept. */
import { expect, it } from "vitest";
import { openEarly } from "../../../src/agent/conditions/early.ts";
import { handClock } from "../../support/store/store.ts";

it("keeps what ended in it, and nothing that ends afterwards", () => {
  const clock = handClock();
  const early = openEarly(clock, 60_000);
  for (const name of ["a", "b", "a"]) early.ended(name);
  expect(early.size).toBe(2);
  clock.forward(60_000);
  for (let end = 0; end < 1_000; end++) early.ended(`condition ${end}`);
  expect(early.size).toBe(0);
});
