/** What is known and accepted of a drive: until when it is covered, and what is never covered. */
import { describe, expect, it } from "vitest";
import {
  type Ack,
  acknowledged,
  ackReasons,
  joinedReasons,
  lowered,
} from "../../../../src/collectors/smart/acks/acks.ts";
import { NO_TREND, type SmartTrend } from "../../../../src/collectors/smart/history.ts";
import { smartVerdict } from "../../../../src/collectors/smart/verdict/verdict.ts";
import type { SmartFacts } from "../../../../src/model/smart.ts";
import { attribute, facts } from "../../../support/drives/smart.ts";

const trend = (more: Partial<SmartTrend>): SmartTrend => ({ ...NO_TREND, ...more });

function acceptedOf(told: SmartFacts, rose: SmartTrend = NO_TREND): Ack {
  const reasons = ackReasons(smartVerdict(told, rose).reasons, told);
  return { drive: "S1", by: "root", at: "2026-12-01T00:00:00.000Z", note: null, reasons };
}

/** `ok pending_sectors*`: severity and reasons, accepted ones with a star. */
function judged(told: SmartFacts, ack: Ack | null, rose: SmartTrend = NO_TREND): string {
  const { severity, reasons } = acknowledged(smartVerdict(told, rose), told, ack);
  return [severity, ...reasons.map((it) => `${it.code}${it.acknowledged === true ? "*" : ""}`)].join(" ");
}

const counts = (raws: Record<number, number>, more: Partial<SmartFacts> = {}): SmartFacts =>
  facts({ ...more, attributes: Object.entries(raws).map(([id, raw]) => attribute(Number(id), { raw })) });

describe("a warning that was accepted", () => {
  const ack = acceptedOf(counts({ 5: 20, 197: 8 }));

  it.each([
    ["the same counters", { 5: 20, 197: 8 }, "ok pending_sectors* reallocated_sectors*"],
    ["one is lower", { 5: 20, 197: 3 }, "ok pending_sectors* reallocated_sectors*"],
    ["one has gone", { 5: 20 }, "ok reallocated_sectors*"],
    ["one has grown", { 5: 20, 197: 9 }, "warn pending_sectors reallocated_sectors*"],
    [
      "another reason came",
      { 5: 20, 197: 8, 198: 1 },
      "warn uncorrectable_sectors pending_sectors* reallocated_sectors*",
    ],
  ])("%s", (_name, raws, shown) => {
    expect(judged(counts(raws as Record<number, number>), ack)).toBe(shown);
  });

  it("never hides that the drive is failing, and marks nothing then", () => {
    expect(judged(counts({ 5: 20, 197: 8 }, { passed: false }), ack)).toBe(
      "fail smart_failed pending_sectors reallocated_sectors",
    );
  });

  it("is as before when it is taken back", () => {
    const told = counts({ 5: 20 });
    const accepted = acknowledged(smartVerdict(told), told, ack);
    expect(acknowledged(accepted, told, null)).toEqual(smartVerdict(told));
  });

  it("covers one counter by whichever reason looks at it", () => {
    const growing = acceptedOf(counts({ 5: 20 }), trend({ reallocated: 4 }));
    expect(judged(counts({ 5: 20 }), growing)).toBe("ok reallocated_sectors*");
    expect(judged(counts({ 5: 21 }), growing, trend({ reallocated: 1 }))).toBe("warn reallocated_growing");
  });

  it("of a cable counts all there was and not the week's", () => {
    const cable = acceptedOf(counts({ 199: 50 }), trend({ crc_errors: 5 }));
    expect(judged(counts({ 199: 50 }), cable, trend({ crc_errors: 5 }))).toBe("ok check_cable*");
    expect(judged(counts({ 199: 52 }), cable, trend({ crc_errors: 2 }))).toBe("warn check_cable");
  });

  it("of a self-test counts until another one fails", () => {
    const failed = (hours: number) =>
      facts({ self_tests: [{ kind: "short", passed: false, text: "read failure", hours }] });
    expect(judged(failed(100), acceptedOf(failed(100)))).toBe("ok self_test_failed*");
    expect(judged(failed(200), acceptedOf(failed(100)))).toBe("warn self_test_failed");
    // 65 536 hours later the drive's log begins at 0 again.
    expect(judged(failed(40), acceptedOf(failed(65_500)))).toBe("warn self_test_failed");
  });

  it("of heat covers the weather, and no more heat than that", () => {
    const hot = (celsius: number | null) => facts({ temperature_c: celsius, temperature_limit_c: 60 });
    const row = (celsius: number | null) =>
      facts({
        temperature_c: celsius,
        attributes: [attribute(190, { when_failed: "now", thresh: 45, worst: 120 - (celsius ?? 0) })],
      });
    for (const made of [hot, row]) {
      const one = acceptedOf(made(62));
      expect(judged(made(62), one)).toBe("ok hot*");
      expect(judged(made(66), one)).toBe("ok hot*");
      expect(judged(made(67), one)).toBe("warn hot");
      // Cool for a while, and then as hot as it was.
      expect(lowered(one, made(40))).toBe(one);
    }
    expect(judged(hot(62), acceptedOf(counts({ 197: 8 })))).toBe("warn hot");
    expect(
      judged(
        { ...counts({ 197: 9 }), ...{ temperature_c: 62, temperature_limit_c: 60 } },
        acceptedOf(hot(62)),
      ),
    ).toBe("warn pending_sectors hot*");
  });

  it("of an attribute is about that attribute, and until it is worse", () => {
    const old = (id: number, worst: number) =>
      facts({ attributes: [attribute(id, { when_failed: "now", prefail: false, thresh: 20, worst })] });
    const one = acceptedOf(old(9, 10));
    expect(judged(old(9, 10), one)).toBe("ok attribute_old_age*");
    expect(judged(old(9, 9), one)).toBe("warn attribute_old_age");
    expect(judged(old(12, 10), one)).toBe("warn attribute_old_age");
  });

  it("of wear covers neither more of it nor that it is used up", () => {
    const one = acceptedOf(facts({ wear_percent: 93, rotation_rate: 0 }));
    expect(judged(facts({ wear_percent: 93 }), one)).toBe("ok wear_high*");
    expect(judged(facts({ wear_percent: 94 }), one)).toBe("warn wear_high");
  });

  it("is compared by what the reason counts where the drive tells nothing now", () => {
    const { reasons } = smartVerdict(counts({ 197: 8 }));
    const before = { smart_ok: null, severity: "warn", reasons } as const;
    expect(acknowledged(before, null, ack).severity).toBe("ok");
    const more = { ...before, reasons: smartVerdict(counts({ 197: 9 })).reasons };
    expect(acknowledged(more, null, ack).severity).toBe("warn");
  });

  it("is not undone by a gap beside it, which is never accepted itself", () => {
    const gap = { messages: [{ text: "Read SMART Error Log failed", severity: "error" }] };
    const one = acceptedOf(counts({ 197: 8 }));
    expect(judged(counts({ 197: 8 }, gap), one)).toBe("ok log_unreadable pending_sectors*");
    expect(judged(counts({ 197: 9 }, gap), one)).toBe("warn pending_sectors log_unreadable");
  });

  it("of a reason that the rules do not know any more covers nothing else", () => {
    const [first] = ack.reasons;
    if (first === undefined) throw new Error("nothing was accepted");
    const other = { ...ack, reasons: [{ ...first, code: "sectors_of_yore" }] };
    expect(judged(counts({ 197: 8 }), other)).toBe("warn pending_sectors");
  });
});

describe("counters that were set back", () => {
  it("are new from where they are", () => {
    const ack = acceptedOf(counts({ 5: 40, 197: 8 }));
    const now = lowered(ack, counts({ 5: 0, 197: 0 }));
    expect(judged(counts({ 5: 20, 197: 8 }), now)).toBe("warn reallocated_sectors pending_sectors*");
    expect(lowered(ack, counts({ 5: 40 }))).toBe(ack);
    expect(lowered(ack, counts({ 5: 50, 197: 1 }))).toBe(ack);
  });
});

it("accepting anew takes the newest counter of each reason", () => {
  const before = acceptedOf(counts({ 5: 20, 197: 8 })).reasons;
  const now = acceptedOf(counts({ 197: 9 })).reasons;
  expect(joinedReasons(before, now).map(({ code, value }) => `${code} ${value}`)).toEqual([
    "reallocated_sectors 20",
    "pending_sectors 9",
  ]);
});
