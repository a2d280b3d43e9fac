/** What a random stream is made of: a server that may be wrong about everything, a clock that jumps, a host that fails. */
import fc from "fast-check";
import { HELPER_MODES } from "./host.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const YEAR = 365 * 24 * HOUR;

/** ok: as it should be; the others are answered with that code. */
export type Flaw = "ok" | "unsupported" | "bad_params" | "bad_signature";

export interface Shape {
  readonly type: string;
  readonly params: unknown;
  readonly flaw: Flaw;
}

const ok = (type: string, params: unknown): Shape => ({ type, params, flaw: "ok" });
const bad = (type: string, params: unknown): Shape => ({ type, params, flaw: "bad_params" });

const GOOD: readonly Shape[] = [
  ok("reboot", { drain_osds: false }),
  ok("reboot", { method: "hard" }),
  ok("reboot", {}),
  ok("reboot", { force: true }),
  ok("noop", {}),
  ok("collect", {}),
  ok("collect", { sections: ["cpu"] }),
  ok("smart_test", { device: "sda", kind: "short" }),
  ok("smart_test", { device: "nvme0n1", kind: "long" }),
  ok("locate", { serial: "S1", on: true }),
];
const BAD: readonly Shape[] = [
  bad("reboot", { methud: "hard" }),
  bad("reboot", { method: 7 }),
  bad("reboot", []),
  bad("reboot", { drain_osds: "no", junk: "x".repeat(100_000) }),
  bad("smart_test", { device: "../sda", kind: "short" }),
  bad("locate", { serial: "", on: true }),
  bad("noop", { really: true }),
  { type: "format_everything", params: {}, flaw: "unsupported" },
  { type: "constructor", params: {}, flaw: "unsupported" },
  { type: "", params: {}, flaw: "unsupported" },
  { type: "reboot", params: {}, flaw: "bad_signature" },
  { type: "noop", params: {}, flaw: "bad_signature" },
];

const who = fc.integer({ min: 0, max: 7 });
const often = <T>(value: T, weight: number) => ({ arbitrary: fc.constant(value), weight });

const offer = fc.record({
  who,
  shape: fc.oneof(
    { arbitrary: fc.constantFrom(...GOOD), weight: 5 },
    { arbitrary: fc.constantFrom(...BAD), weight: 1 },
  ),
  mode: fc.oneof(often("live" as const, 3), often("test" as const, 1)),
  /** After the last of its epoch, or one of the first. */
  seq: fc.oneof(often("next" as const, 6), often("old" as const, 1)),
  issuedInMs: fc.oneof(often(0, 8), fc.constantFrom(-YEAR, 4 * MINUTE, HOUR, YEAR)),
  expiresInMs: fc.oneof(often(24 * HOUR, 6), fc.constantFrom(null, -1, -YEAR, 30 * SECOND, 10 * MINUTE)),
});
export type Offer = typeof offer extends fc.Arbitrary<infer T> ? T : never;

const act = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant("deliver" as const),
      offers: fc.array(offer, { minLength: 1, maxLength: 3 }),
      cancel: fc.array(who, { maxLength: 1 }),
      rejected: fc.oneof(often<number[]>([], 6), fc.array(who, { maxLength: 1 })),
      clock: fc.oneof(often(true, 5), often(false, 1)),
      /** The same answer once more. */
      twice: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("cancel" as const), who }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("cancel_here" as const), who }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("submit" as const), shape: fc.constantFrom(...GOOD, ...BAD) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("hold" as const),
      forMs: fc.constantFrom(null, null, 10 * MINUTE, HOUR),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("time" as const),
      ms: fc.constantFrom(SECOND, 20 * SECOND, MINUTE, 5 * MINUTE, HOUR),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("wall" as const),
      by: fc.constantFrom(YEAR, -YEAR, "1970" as const),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("helper" as const), mode: fc.constantFrom(...HELPER_MODES) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("fail_write" as const),
      nth: fc.integer({ min: 1, max: 6 }),
      how: fc.constantFrom("fail" as const, "killed_before" as const, "killed_after" as const),
    }),
  },
  {
    weight: 24,
    arbitrary: fc.record({
      do: fc.constantFrom(
        ...(["release", "release", "epoch", "register", "restart", "restart", "kill", "kill"] as const),
        ...(["power_cut", "go_down", "go_down", "go_down", "give_up", "lose_state"] as const),
        ...(["go_on", "go_on", "inhibit", "open", "open", "heard", "heard", "slow_look"] as const),
      ),
    }),
  },
);

/** One thing that happens, and how far the agent gets before the next: turns of its event loop, or until it waits. */
const happening = fc.record({
  act,
  turns: fc.oneof(often(-1, 3), { arbitrary: fc.integer({ min: 0, max: 12 }), weight: 2 }),
});
export type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;
export type Act = Happening["act"];

export const stream = (length: number): fc.Arbitrary<Happening[]> =>
  fc.array(happening, { minLength: 4, maxLength: length, size: "max" });
