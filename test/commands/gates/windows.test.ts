import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  isWindow,
  localTime,
  openZone,
  parseWindow,
  parseWindows,
  type Window,
  windowAt,
} from "../../../src/commands/gates/windows.ts";
import { AgentError } from "../../../src/model/errors.ts";
import { forAll } from "../../support/for-all.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

const at = (text: string): number => Date.parse(text);
const look = (windows: string[], zone: string, moment: string) => {
  const { open, changesAt } = windowAt(parseWindows(windows), openZone(zone), at(moment));
  return { open, changesAt: changesAt === null ? null : new Date(changesAt).toISOString() };
};

describe("a window", () => {
  it("is read with days in lists and spans, also over the end of the week", () => {
    const on = (text: string): string => parseWindow(text).days.map(Number).join("");
    expect(on("daily 02:00-04:00")).toBe("1111111");
    expect(on("mon-fri 22:00-06:00")).toBe("0111110");
    expect(on("sat,sun 00:00-24:00")).toBe("1000001");
    expect(on("fri-mon 00:00-01:00")).toBe("1100011");
    expect(on("Wed,fri-sat  00:00-01:00")).toBe("0001011");
    expect(parseWindow("mon 22:30-06:05")).toMatchObject({ from: 1350, to: 365 });
    expect(parseWindow("mon 00:00-24:00")).toMatchObject({ from: 0, to: 1440 });
  });

  it.each([
    ["", "days, a space and hours"],
    ["mon-fri", "days, a space and hours"],
    ["mon 1:00-2:00", "hours as HH:MM-HH:MM"],
    ["mon 01:00 - 02:00", "days, a space and hours"],
    ["mon 24:00-02:00", "hours from 00:00 to 24:00"],
    ["mon 01:60-02:00", "hours from 00:00 to 24:00"],
    ["mon 01:00-24:01", "hours from 00:00 to 24:00"],
    ["mon 02:00-02:00", "an end that is not the beginning"],
    ["monday 02:00-03:00", "days as daily, sat,sun or mon-fri"],
    ["mon- 02:00-03:00", "days as daily"],
    ["mon-tue-wed 02:00-03:00", "days as daily"],
    [`${"mon,".repeat(40)}tue 02:00-03:00`, "days, a space and hours"],
  ])("%j is refused with what is expected", (text, expected) => {
    expect(isWindow(text)).toBe(false);
    expect(() => parseWindow(text)).toThrow(expected);
    expect(() => parseWindow(text)).toThrow(AgentError);
  });

  it("never makes anything but a window or an error of any text", () => {
    forAll(
      fc.property(fc.string(), (text) => typeof isWindow(text) === "boolean"),
      { seed: 20, cases: 300 },
    );
  });
});

describe("windowAt", () => {
  it("opens and closes over midnight and the end of the week", () => {
    const nights = ["mon-fri 22:00-06:00"];
    expect(look(nights, "Europe/Berlin", "2026-11-21T04:59:00Z")).toEqual({
      open: true,
      changesAt: "2026-11-21T05:00:00.000Z",
    });
    expect(look(nights, "Europe/Berlin", "2026-11-21T05:00:00Z")).toEqual({
      open: false,
      changesAt: "2026-11-23T21:00:00.000Z",
    });
    expect(look(["sun 23:00-01:00"], "UTC", "2026-11-23T00:30:00Z").open).toBe(true);
    expect(look(["sun 23:00-01:00"], "UTC", "2026-11-22T00:30:00Z").open).toBe(false);
  });

  it("takes windows that touch as one, and says null where nothing ever changes", () => {
    expect(look(["daily 00:00-12:00", "daily 12:00-24:00"], "UTC", "2026-11-21T04:00:00Z")).toEqual({
      open: true,
      changesAt: null,
    });
    expect(look(["sat,sun 00:00-24:00"], "UTC", "2026-11-20T04:00:00Z").changesAt).toBe(
      "2026-11-21T00:00:00.000Z",
    );
    expect(look(["sat,sun 00:00-24:00"], "UTC", "2026-11-21T04:00:00Z").changesAt).toBe(
      "2026-11-23T00:00:00.000Z",
    );
    expect(look([], "UTC", "2026-11-21T04:00:00Z")).toEqual({ open: false, changesAt: null });
  });

  it("is never open in an hour that is skipped, and twice in one that comes twice", () => {
    // 29 March 2026: 02:00 CET is 03:00 CEST. 25 October 2026: 03:00 CEST is 02:00 CET.
    const night = ["daily 02:00-03:00"];
    expect(look(night, "Europe/Berlin", "2026-03-29T00:30:00Z")).toEqual({
      open: false,
      changesAt: "2026-03-30T00:00:00.000Z",
    });
    expect(look(night, "Europe/Berlin", "2026-10-25T00:00:00Z")).toEqual({
      open: true,
      changesAt: "2026-10-25T02:00:00.000Z",
    });
    // Half the window is skipped: what is left of it begins with the new time.
    expect(look(["sun 02:30-03:30"], "Europe/Berlin", "2026-03-29T00:59:00Z").changesAt).toBe(
      "2026-03-29T01:00:00.000Z",
    );
    // 02:30 comes twice: open, closed at 03:00 that is 02:00 again, open once more.
    expect(look(["sun 02:30-03:00"], "Europe/Berlin", "2026-10-25T00:40:00Z").changesAt).toBe(
      "2026-10-25T01:00:00.000Z",
    );
    expect(look(["sun 02:30-03:00"], "Europe/Berlin", "2026-10-25T01:10:00Z").changesAt).toBe(
      "2026-10-25T01:30:00.000Z",
    );
  });

  const hhmm = fc.integer({ min: 0, max: 1439 });
  const window: fc.Arbitrary<Window> = fc
    .record({ days: fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }), from: hhmm, to: hhmm })
    .map(({ days, from, to }) => ({ days, from, to: to === from ? 1440 : to }))
    .filter(({ from, to }) => from !== to);

  // Sydney's neighbour changes by half an hour; Kolkata never, and lies half an hour off.
  it.each(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])(
    "says in %s what a walk from minute to minute says",
    (name) => {
      const zone = openZone(name);
      const clock = new Intl.DateTimeFormat("en-US", {
        timeZone: name,
        weekday: "short",
        hour: "2-digit",
        minute: "2-digit",
        hourCycle: "h23",
      });
      const changes: number[] = [];
      for (let hour = at("2026-01-01T00:00:00Z"); hour < at("2027-01-01T00:00:00Z"); hour += 3 * HOUR)
        if (zone.offset(hour) !== zone.offset(hour + 3 * HOUR)) changes.push(hour);
      expect(changes.length).toBe(["UTC", "Asia/Kolkata"].includes(name) ? 0 : 2);
      const centres = changes.length > 0 ? changes : [at("2026-06-01T00:00:00Z")];
      const moment = fc
        .tuple(fc.constantFrom(...centres), fc.integer({ min: -30 * HOUR, max: 30 * HOUR }))
        .map(([centre, away]) => centre + away);

      forAll(
        fc.property(fc.array(window, { minLength: 1, maxLength: 3 }), moment, (windows, now) => {
          const open = new Set<number>();
          for (const { days, from, to } of windows)
            for (let day = 0; day < 7; day++)
              if (days[day] === true)
                for (let minute = from; minute < (to > from ? to : to + 1440); minute++)
                  open.add((day * 1440 + minute) % (7 * 1440));
          const isOpen = (moment: number): boolean => {
            const { weekday, hour, minute } = Object.fromEntries(
              clock.formatToParts(moment).map(({ type, value }) => [type, value]),
            );
            return open.has(DAYS.indexOf(weekday ?? "") * 1440 + Number(hour) * 60 + Number(minute));
          };
          const found = windowAt(windows, zone, now);
          expect(found.open).toBe(isOpen(now));
          const end = found.changesAt ?? now + 8 * 24 * HOUR;
          // Every minute near the end, every seventh before it.
          for (let minute = now - (now % MINUTE) + MINUTE; minute < end; ) {
            expect(isOpen(minute)).toBe(found.open);
            minute += end - minute > 60 * MINUTE ? 7 * MINUTE : MINUTE;
          }
          if (found.changesAt !== null) {
            expect(found.changesAt % MINUTE).toBe(0);
            expect(isOpen(found.changesAt)).toBe(!found.open);
          }
        }),
        { seed: 42, cases: 40 },
      );
    },
  );

  it("shows times as they are on the wall there", () => {
    expect(localTime(openZone("Europe/Berlin"), at("2026-11-21T21:05:00Z"))).toBe(
      "Sat 22:05 in Europe/Berlin",
    );
    expect(localTime(openZone("Asia/Kolkata"), at("2026-12-31T21:05:00Z"))).toBe("Fri 02:35 in Asia/Kolkata");
  });

  it("takes the host's own zone for null, and no zone that does not exist", () => {
    expect(openZone(null).name).toBe(Intl.DateTimeFormat().resolvedOptions().timeZone);
    expect(() => openZone("Europe/Berlim")).toThrow("the time zone Europe/Berlim is not known");
  });
});
