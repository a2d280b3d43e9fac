import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openSeats, type Seat } from "../../../src/helper/link/seats.ts";
import { forAll } from "../../support/for-all.ts";

function rig(each = 3, together = 6) {
  const seats = openSeats<string>({ each, together, isPrivileged: (key) => key === "root" });
  const ended: string[] = [];
  const come = (key: string, name = key): Seat | null => seats.take(key, () => ended.push(name));
  return { seats, ended, come };
}

describe("who has all his seats", () => {
  it("loses his own that was idle longest, never another's", () => {
    const { ended, come } = rig();
    come("bob", "bob 1");
    const second = come("ann", "ann 1");
    come("ann", "ann 2");
    come("ann", "ann 3");
    second?.idle(); // it asked something just now
    come("ann", "ann 4");
    expect(ended).toEqual(["ann 2"]);
  });

  it("is turned away when all of them are busy, or have a reason to wait", () => {
    const { ended, come } = rig();
    for (let i = 0; i < 2; i++) come("ann")?.busy();
    come("ann")?.idle(true);
    expect(come("ann")).toBeNull();
    expect(come("bob")).not.toBeNull();
    expect(ended).toEqual([]);
  });
});

describe("when all are taken", () => {
  it("whoever has most loses one, so that one who comes for the first time gets in", () => {
    const { ended, come } = rig();
    come("bob", "bob 1");
    come("bob", "bob 2");
    for (let i = 1; i <= 3; i++) come("ann", `ann ${i}`);
    come("cat", "cat 1");
    expect(come("dan", "dan 1")).not.toBeNull();
    expect(ended).toEqual(["ann 1"]);
  });

  it("many who have one each lose the one that was idle longest", () => {
    const { ended, come } = rig();
    for (let i = 0; i < 50; i++) expect(come(`user ${i}`)).not.toBeNull();
    expect(ended).toEqual(Array.from({ length: 44 }, (_, i) => `user ${i}`));
  });

  it("one that waits with reason goes only where nobody is idle, a busy one never", () => {
    const { ended, come } = rig(3, 3);
    come("ann", "busy")?.busy();
    come("bob", "kept")?.idle(true);
    come("cat", "idle");
    come("dan", "dan")?.busy();
    expect(ended).toEqual(["idle"]);
    come("eve", "eve")?.busy();
    expect(ended).toEqual(["idle", "kept"]);
    expect(come("fay")).toBeNull();
  });

  it("root gets in, takes nobody's seat and loses none", () => {
    const { ended, come, seats } = rig();
    for (let i = 0; i < 6; i++) come(`user ${i}`)?.busy();
    for (let i = 0; i < 3; i++) expect(come("root")).not.toBeNull();
    for (let i = 0; i < 100; i++) come(`more ${i}`);
    expect([ended, seats.taken("root"), come("user 1")]).toEqual([[], 3, null]);
  });
});

it("whatever happens: never more than there are, and who has none gets one unless all are busy", () => {
  const act = fc.record({
    who: fc.constantFrom("a", "b", "c", "d", "e"),
    what: fc.constantFrom("come", "come", "come", "idle", "kept", "leave"),
    which: fc.nat(5),
  });
  forAll(
    fc.property(fc.array(act, { maxLength: 80 }), (acts) => {
      const seats = openSeats<string>({ each: 3, together: 7, isPrivileged: () => false });
      const held = new Map<string, Set<Seat>>();
      const of = (who: string): Set<Seat> => {
        const found = held.get(who) ?? new Set<Seat>();
        held.set(who, found);
        return found;
      };
      for (const { who, what, which } of acts) {
        const mine = of(who);
        const one = [...mine][which];
        if (what === "come") {
          const before = mine.size;
          const cell: { seat: Seat | null } = { seat: null };
          cell.seat = seats.take(who, () => {
            if (cell.seat !== null) mine.delete(cell.seat);
          });
          if (cell.seat !== null) mine.add(cell.seat);
          if (before === 0) expect(cell.seat).not.toBeNull();
        } else if (one !== undefined && what === "leave") {
          one.leave();
          mine.delete(one);
        } else one?.idle(what === "kept");
        for (const name of "abcde") expect(seats.taken(name)).toBe(of(name).size);
        expect(Math.max(...[..."abcde"].map((name) => seats.taken(name)))).toBeLessThanOrEqual(3);
        expect(seats.taken()).toBeLessThanOrEqual(7);
      }
    }),
    { seed: 20_261_130, cases: 400 },
  );
});
