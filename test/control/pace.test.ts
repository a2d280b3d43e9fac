import { expect, test } from "vitest";
import { openPace } from "../../src/control/pace.ts";
import { handClock } from "../support/store/store.ts";

const NEWS = { waitedS: 0, intervalS: 60, more: false, pollable: true, ofCommands: false };

test("one long poll follows news, more of them only what became of a command", () => {
  const pace = openPace({
    profile: "normal",
    intervalS: null,
    machineId: "m",
    clock: handClock(),
    random: () => 0.5,
  });
  const delayMs = (round: Partial<typeof NEWS>): number => {
    pace.began();
    return pace.succeeded({ ...NEWS, ...round });
  };
  expect(delayMs({})).toBeLessThan(5_000);
  expect(delayMs({})).toBeGreaterThan(30_000);
  for (let event = 0; event < 5; event++) expect(delayMs({ ofCommands: true })).toBeLessThan(5_000);
  expect(delayMs({ pollable: false, ofCommands: true })).toBeGreaterThan(30_000);
});
