import { describe, expect, it } from "vitest";
import { moreText, openRepeats } from "../../../src/model/text/repeats.ts";
import { eventually } from "../../support/eventually.ts";

function rig(windowMs?: number) {
  const told: [string | null, number][] = [];
  const clock = { now: 0 };
  const repeats = openRepeats({
    tell: (kind, more) => told.push([kind, more]),
    monotonic: () => clock.now,
    ...(windowMs === undefined ? {} : { windowMs }),
  });
  return { repeats, told, clock };
}

describe("what is said again and again", () => {
  it("is let through once a minute, and counted", () => {
    const { repeats, told, clock } = rig();
    const taken = Array.from({ length: 312 }, () => repeats.take("same")).filter(Boolean);
    expect([taken.length, repeats.take("other"), told]).toEqual([1, true, []]);
    clock.now = 60_000;
    expect(repeats.take("same")).toBe(true);
    expect(told).toEqual([["same", 311]]);
    expect(moreText(311)).toBe("and 311 more of these in the last minute");
  });

  it("is bounded in kinds too: those that are too many are counted together", () => {
    const { repeats, told } = rig();
    const taken = Array.from({ length: 10_000 }, (_, i) => repeats.take(`kind ${i}`)).filter(Boolean);
    expect(taken).toHaveLength(20);
    repeats.flush();
    expect(told).toEqual([[null, 9_980]]);
    repeats.flush();
    expect(told).toHaveLength(1);
  });

  it("says the first of each group however many kinds there were, and counts on", () => {
    const { repeats, told } = rig();
    for (let i = 0; i < 100; i++) repeats.take(`kind ${i}`, "loud");
    expect(repeats.take("quiet 1", "quiet")).toBe(true);
    expect(repeats.take("quiet 2", "quiet")).toBe(false);
    expect(repeats.take("quiet 1", "quiet")).toBe(false);
    repeats.flush();
    expect(told).toEqual([
      ["quiet 1", 1],
      [null, 80],
    ]);
    // And anew in the next minute.
    for (let i = 0; i < 100; i++) repeats.take(`kind ${i}`, "loud");
    expect(repeats.take("quiet 2", "quiet")).toBe(true);
  });

  it("what was counted is told when its time is over, without another one", async () => {
    const { repeats, told } = rig(10);
    for (let i = 0; i < 3; i++) repeats.take("same");
    await eventually(() => told.length === 1);
    expect(told).toEqual([["same", 2]]);
  });
});
