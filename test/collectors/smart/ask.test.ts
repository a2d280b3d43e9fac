/** Rounds of asking: late answers, being cut off, and whatever else a question may come to. */
import { expect, it } from "vitest";
import { jsonSchema } from "../../../scripts/docs/json-schema.ts";
import { parseSmartMemory, rememberSmart } from "../../../src/collectors/smart/memory.ts";
import { type SmartOutcome, type SmartTarget, smartAsker } from "../../../src/collectors/smart/rounds/ask.ts";
import { deviceLabel } from "../../../src/collectors/smart/rounds/identity.ts";
import { smartSchema } from "../../../src/collectors/smart/schema.ts";
import { AgentError } from "../../../src/model/errors.ts";
import type { SmartFacts } from "../../../src/model/smart.ts";
import { facts } from "../../support/drives/smart.ts";
import { handClock } from "../../support/store/store.ts";

const target = (key: string): SmartTarget => ({ key, device: key, type: "sat" });
const never = new AbortController().signal;

function openAsker(parallel: number, patienceMs: number) {
  const got: string[] = [];
  const outcomes = new Map<string, SmartOutcome>();
  const asker = smartAsker({
    clock: handClock(),
    parallel,
    patienceMs,
    onOutcome(key, outcome, late) {
      outcomes.set(key, outcome);
      got.push(late ? `${key} late` : key);
    },
  });
  return { asker, got, outcomes };
}

it("a round that is cut off has handed on what is there; what comes after it is late", async () => {
  const { asker, got } = openAsker(2, 60_000);
  const slow = Promise.withResolvers<SmartFacts>();
  const cut = new AbortController();
  const asked: string[] = [];
  const ask = async ({ key }: SmartTarget): Promise<SmartFacts> => {
    asked.push(key);
    return key === "slow" ? await slow.promise : facts();
  };
  const round = asker.round([target("slow"), target("a")], ask, cut.signal);
  await expect.poll(() => got).toEqual(["a"]);
  cut.abort();
  await round;
  await asker.round([target("slow"), target("b")], ask, AbortSignal.abort());
  slow.resolve(facts());
  await expect.poll(() => got).toEqual(["a", "slow late"]);
  expect(asked).toEqual(["slow", "a"]);
});

it("one that still hangs is not asked again, and its answer ends the round that waits for it", async () => {
  const { asker, got } = openAsker(1, 1);
  const slow = Promise.withResolvers<SmartFacts>();
  const ask = ({ key }: SmartTarget) => (key === "slow" ? slow.promise : Promise.resolve(facts()));
  await asker.round([target("slow")], ask, never);
  expect(got).toEqual([]);
  const next = asker.round([target("slow"), target("b")], ask, never);
  slow.resolve(facts());
  await next;
  expect(got).toEqual(["slow", "b"]);
});

it("whatever is thrown is an error with a code; only time-outs count as hanging", async () => {
  const { asker, outcomes } = openAsker(4, 60_000);
  const errors: Record<string, unknown> = {
    a: new TypeError("oops"),
    b: "text",
    c: new AgentError("helper_timeout", "late"),
  };
  await asker.round(Object.keys(errors).map(target), ({ key }) => Promise.reject(errors[key]), never);
  expect([...outcomes].map(([key, { error }]) => [key, error?.code, asker.hangs(key)]).sort()).toEqual([
    ["a", "unexpected", 0],
    ["b", "unexpected", 0],
    ["c", "helper_timeout", 1],
  ]);
});

it("labels are smartctl_exporter's", () => {
  expect(deviceLabel("/dev/sda", "sat,12")).toBe("sda");
  expect(deviceLabel("/dev/nvme0", "nvme,0xffffffff")).toBe("nvme0");
  expect(deviceLabel("/dev/sdb", "usbjmicron,x,0")).toBe("sdb");
  expect(deviceLabel("/dev/sdb", "usbasm1352r,1")).toBe("sdb_usbasm1352r_1");
  expect(deviceLabel("/dev/bus/0", "megaraid,3")).toBe("bus_0_megaraid_3");
  expect(deviceLabel("/dev/cciss/c0d0", "cciss,1")).toBe("cciss_c0d0_cciss_1");
});

it("a damaged memory costs what is damaged", () => {
  const good = {
    id: "wwn-0x5",
    severity: "warn",
    reasons: [],
    since: "2026-11-21T00:00:00.000Z",
    tests: null,
  };
  for (const value of [null, 7, [], { drives: 1 }, "text"])
    expect(parseSmartMemory(value).drives).toEqual([]);
  const parsed = parseSmartMemory({ drives: [good, { id: 1 }, null], history: [{ seq: 0 }, "x"] });
  expect(parsed).toEqual({ drives: [good], history: [], shared: [] });
  expect(rememberSmart(parsed, [], "2026-11-22T00:00:00.000Z")).toEqual(parsed);
});

it("its shape can be documented", () => {
  const schema = jsonSchema(smartSchema) as { properties: object };
  expect(Object.keys(schema.properties)).toContain("drives");
});
