/** Growth over days, and the samples in SQLite. */
import { describe, expect, it, onTestFinished } from "vitest";
import { dayOf, daysBefore, NO_TREND, trendOf } from "../../../src/collectors/smart/history.ts";
import { sampleOf } from "../../../src/collectors/smart/verdict/counts.ts";
import type { SmartFacts, SmartSample } from "../../../src/model/smart.ts";
import { openMemoryDatabase } from "../../../src/store/file/database.ts";
import { openSmartSamples, SMART_SAMPLE_TABLE } from "../../../src/store/smart-samples.ts";
import { attribute, facts } from "../../support/drives/smart.ts";

const TODAY = "2026-11-21";
const reallocated = (raw: number | null): SmartFacts => facts({ attributes: [attribute(5, { raw })] });
const crc = (raw: number): SmartFacts => facts({ attributes: [attribute(199, { raw })] });
const sample = (daysAgo: number, it: SmartFacts): SmartSample => sampleOf(it, daysBefore(TODAY, daysAgo));

describe("trend", () => {
  it.each<[string, SmartSample[], SmartFacts, number | null]>([
    ["nothing to compare with", [], reallocated(9), null],
    ["it stands still", [sample(20, reallocated(9)), sample(1, reallocated(9))], reallocated(9), 0],
    ["it rose", [sample(20, reallocated(5))], reallocated(9), 4],
    ["it rose within the day", [sample(0, reallocated(5))], reallocated(9), 4],
    [
      "it rose before the window",
      [sample(31, reallocated(5)), sample(30, reallocated(9))],
      reallocated(9),
      0,
    ],
    [
      "it was set back between two rises",
      [sample(9, reallocated(1)), sample(8, reallocated(4)), sample(7, reallocated(0))],
      reallocated(2),
      5,
    ],
    ["a sample lacks it", [sample(9, reallocated(1)), sample(8, facts())], reallocated(3), 2],
    ["it is not told any more", [sample(9, reallocated(1))], facts(), null],
    ["days of a clock in the future do not count", [sample(-30, reallocated(1))], reallocated(3), null],
  ])("%s", (_name, samples, now, expected) => {
    expect(trendOf(samples, now, TODAY).reallocated).toBe(expected);
  });

  it("CRC errors are looked back at for a week", () => {
    expect(trendOf([sample(8, crc(1))], crc(5), TODAY).crc_errors).toBeNull();
    expect(trendOf([sample(7, crc(1))], crc(5), TODAY)).toEqual({
      ...NO_TREND,
      since: "2026-11-14",
      crc_errors: 4,
    });
  });

  it("knows days in UTC", () => {
    expect(dayOf(Date.UTC(2026, 10, 21, 23, 59))).toBe(TODAY);
    expect(daysBefore("2026-03-01", 1)).toBe("2026-02-28");
  });
});

describe("samples in SQLite", () => {
  function open() {
    const db = openMemoryDatabase();
    onTestFinished(() => db.close());
    db.exec(SMART_SAMPLE_TABLE);
    const samples = openSmartSamples((work) => work(db));
    const flush = (): void => {
      let committed: () => void = () => undefined;
      db.transaction(() => {
        committed = samples.writeTo(db);
      });
      committed();
    };
    return { db, samples, flush };
  }

  it("are there at once, written with the flush, and there after it", () => {
    const { db, samples, flush } = open();
    const mine = sample(0, reallocated(3));
    samples.add("S1", mine);
    samples.add("S1", sample(0, reallocated(4)));
    expect(samples.read("S1")).toEqual([mine]);
    expect(samples.dirty()).toBe(true);
    flush();
    expect(samples.dirty()).toBe(false);
    expect(samples.read("S1")).toEqual([mine]);
    expect(openSmartSamples((work) => work(db)).read("S1")).toEqual([mine]);
    expect(samples.read("S2")).toEqual([]);
  });

  it("90 days are kept, of drives that are gone as well", () => {
    const { db, samples, flush } = open();
    for (let days = 100; days >= 0; days--) samples.add("S1", sample(days, reallocated(days)));
    samples.add("GONE", sample(91, reallocated(1)));
    flush();
    const days = samples.read("S1").map(({ day }) => day);
    expect(days).toHaveLength(90);
    expect(days.at(-1)).toBe(TODAY);
    expect(db.all("SELECT * FROM smart_sample WHERE serial = 'GONE'")).toEqual([]);
  });

  it("what came while it was written is written next; a failed commit loses nothing", () => {
    const { db, samples, flush } = open();
    samples.add("S1", sample(1, reallocated(1)));
    expect(() =>
      db.transaction(() => {
        samples.writeTo(db);
        throw new Error("disk full");
      }),
    ).toThrow("disk full");
    expect(samples.dirty()).toBe(true);
    let committed: () => void = () => undefined;
    db.transaction(() => {
      committed = samples.writeTo(db);
    });
    samples.add("S1", sample(0, reallocated(2)));
    committed();
    expect(samples.dirty()).toBe(true);
    flush();
    expect(samples.read("S1").map((one) => one.reallocated)).toEqual([1, 2]);
  });

  it("a damaged row costs itself; what is not written can be forgotten", () => {
    const { db, samples, flush } = open();
    samples.add("S1", sample(0, reallocated(1)));
    flush();
    db.run("INSERT INTO smart_sample VALUES ('S1', '2026-11-20', '{broken')");
    db.run("INSERT INTO smart_sample VALUES ('S1', '2026-11-19', '{\"reallocated\": \"many\"}')");
    expect(samples.read("S1")).toMatchObject([
      { day: "2026-11-19", reallocated: null },
      { day: TODAY, reallocated: 1 },
    ]);
    samples.add("S2", sample(0, reallocated(1)));
    samples.clear();
    expect(samples.dirty()).toBe(false);
  });
});
