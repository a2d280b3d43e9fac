/** The spool against a model of it: whatever is appended, acknowledged, flushed and reopened, in any order. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Severity } from "../../src/model/condition.ts";
import type { AgentEvent } from "../../src/model/event.ts";
import { type SpoolEntry, whatToDrop } from "../../src/store/spool/drop.ts";
import { cappedText, MAX_DATA_BYTES } from "../../src/store/spool/event.ts";
import { openStore } from "../../src/store/store.ts";
import { forAll } from "../support/for-all.ts";
import { temporaryFolder } from "../support/machine/tree.ts";
import { handClock } from "../support/store/store.ts";

const APIS = ["a", "b"] as const;

type Step =
  | { do: "append"; severities: Severity[]; bytes: number; clock: number }
  | { do: "acknowledge"; api: (typeof APIS)[number]; picks: number[] }
  | { do: "flush" }
  | { do: "reopen" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("append" as const),
      severities: fc.array(fc.constantFrom<Severity>("info", "info", "info", "warning", "error"), {
        maxLength: 8,
      }),
      bytes: fc.nat(400),
      clock: fc.integer({ min: -5_000, max: 5_000 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("acknowledge" as const),
      api: fc.constantFrom(...APIS),
      picks: fc.array(fc.nat(30), { maxLength: 12 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "flush" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "reopen" as const }) },
);

describe("the spool", () => {
  it("loses nothing silently, brings back nothing acknowledged, keeps the order and its bounds", () => {
    forAll(
      fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => {
        const folder = temporaryFolder();
        const clock = handClock();
        const limits = { events: 24, bytes: 8_000, history: 6 };
        const open = () => {
          const opened = openStore(folder, { clock, limits });
          opened.setSubscribers(APIS);
          return opened;
        };
        let store = open();
        const appended: AgentEvent[] = [];
        const acked = { a: new Map<string, AgentEvent>(), b: new Map<string, AgentEvent>() };
        try {
          for (const one of steps) {
            if (one.do === "append") {
              clock.forward(Math.max(0, one.clock));
              clock.set(clock.now() + Math.min(0, one.clock));
              const drafts = one.severities.map((severity) => ({
                type: "test",
                severity,
                data: { text: "x".repeat(one.bytes) },
              }));
              appended.push(...store.appendEvents(drafts, clock.now()));
            } else if (one.do === "acknowledge") {
              const pending = store.pendingEvents(one.api, 999);
              const picked = one.picks.flatMap((at) => pending[at] ?? []);
              for (const event of picked) acked[one.api].set(event.id, event);
              store.acknowledgeEvents(one.api, [...picked.map((event) => event.id), "01NEVERTHERE"]);
            } else if (one.do === "flush") store.flush(clock.now(), true);
            else {
              store.close();
              store = open();
            }
            check();
          }
          store.close();
          store = open();
          check();
        } finally {
          store.close();
        }

        function check(): void {
          const kept = store.eventsSince("", 9_999);
          const ids = kept.map((event) => event.id);
          expect(ids).toEqual([...new Set(ids)].sort());
          const rising = appended.map((event) => event.id);
          expect(rising).toEqual([...new Set(rising)].sort());
          for (const api of APIS) {
            const pending = store.pendingEvents(api, 9_999);
            // Exactly what is kept and was not acknowledged, in order.
            expect(pending).toEqual(kept.filter((event) => !acked[api].has(event.id)));
            expect(store.pendingCount(api)).toBe(pending.length);
            expect(store.pendingEvents(api, 3)).toEqual(pending.slice(0, 3));
            // What it never got is counted by `dropped` events that it got or can get.
            const here = new Set(ids);
            const missing = appended.filter((event) => !here.has(event.id) && !acked[api].has(event.id));
            const counted = [...pending, ...acked[api].values()]
              .filter((event) => event.type === "dropped")
              .reduce((sum, event) => sum + (event.data.count as number), 0);
            expect(counted).toBeGreaterThanOrEqual(missing.length);
            // No error gave way while there was an info left to drop that was on the disk.
            const lostErrors = missing.filter((event) => event.severity === "error");
            if (lostErrors.length > 0)
              expect(
                kept.filter((e) => e.severity === "info" && e.id < (lostErrors[0] as AgentEvent).id),
              ).toEqual([]);
          }
          const spool = store.spool();
          expect(spool.events).toBe(kept.length);
        }
        store = open();
        store.flush(clock.now(), true);
        const after = store.spool();
        store.close();
        expect(after.events).toBeLessThanOrEqual(limits.events);
        expect(after.bytes).toBeLessThanOrEqual(limits.bytes);
      }),
      { seed: 20_260_101, cases: 80 },
    );
  });
});

describe("whatToDrop", () => {
  const entries = fc
    .array(
      fc.record({
        rank: fc.nat(2),
        bytes: fc.integer({ min: 1, max: 500 }),
        standsFor: fc.integer({ min: 1, max: 9 }),
      }),
      { maxLength: 80 },
    )
    .map((list) => list.map((entry, n): SpoolEntry => ({ ...entry, id: String(n).padStart(4, "0") })));

  it("drops what is needed and no more, the least important and oldest first", () => {
    forAll(
      fc.property(
        entries,
        fc.integer({ min: 1, max: 90 }),
        fc.integer({ min: 100, max: 20_000 }),
        fc.nat(80),
        (all, events, bytes, upto) => {
          const ackedUpTo = String(upto).padStart(4, "0");
          const drops = whatToDrop(all, { events, bytes }, ackedUpTo);
          const gone = new Set(drops.ids);
          const left = all.filter((entry) => !gone.has(entry.id));
          const size = (list: readonly SpoolEntry[]): number =>
            list.reduce((sum, entry) => sum + entry.bytes, 0);
          const within = (list: readonly SpoolEntry[], part: number): boolean =>
            list.length <= events * part && size(list) <= bytes * part;
          if (within(all, 1)) expect(drops.ids).toEqual([]);
          else {
            expect(within(left, 0.95)).toBe(true);
            const last = all.find((entry) => entry.id === drops.ids.at(-1)) as SpoolEntry;
            expect(within([...left, last], 0.95)).toBe(false);
          }
          const weight = (entry: SpoolEntry): number => (entry.id <= ackedUpTo ? -1 : entry.rank);
          const order = [...all].sort((x, y) => weight(x) - weight(y) || (x.id < y.id ? -1 : 1));
          expect(drops.ids).toEqual(order.slice(0, drops.ids.length).map((entry) => entry.id));
          expect(drops.lost).toBe(
            order
              .slice(0, drops.ids.length)
              .reduce((sum, e) => sum + (weight(e) === -1 ? 0 : e.standsFor), 0),
          );
          expect(drops.bytes).toBe(size(all) - size(left));
        },
      ),
      { seed: 7, cases: 500 },
    );
  });
});

describe("cappedText", () => {
  it("is JSON of at most 16 KiB for anything, and the whole of what fits", () => {
    const data = fc.dictionary(
      fc.string({ maxLength: 20 }),
      fc.oneof(
        fc.jsonValue(),
        fc.string({ unit: "binary", maxLength: 30 }).map((text) => text.repeat(1_500)),
        fc.array(fc.double(), { maxLength: 50 }).map((list) => Array(60).fill(list)),
      ),
      { maxKeys: 12 },
    );
    forAll(
      fc.property(data, (given) => {
        const whole = JSON.stringify(given);
        const text = cappedText(given);
        const parsed = JSON.parse(text) as Record<string, unknown>;
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_DATA_BYTES);
        if (Buffer.byteLength(whole) <= MAX_DATA_BYTES) expect(text).toBe(whole);
        else expect(parsed.truncated_bytes).toBe(Buffer.byteLength(whole));
      }),
      { seed: 11, cases: 100 },
    );
  });
});
