import { expect, test } from "vitest";
import { type HealthMemory, openHealth } from "../../../src/agent/conditions/health.ts";
import type { ConditionDraft } from "../../../src/model/condition.ts";
import type { EventDraft } from "../../../src/model/event.ts";
import { recordedLog } from "../../support/text/log.ts";

function rig(memory?: HealthMemory, settleMs = 0) {
  const events: EventDraft[] = [];
  const { log, lines } = recordedLog();
  let now = 1000;
  const health = openHealth(
    { now: () => now, monotonic: () => now },
    log,
    (event) => events.push(event),
    memory,
    settleMs,
  );
  return { health, events, lines, advance: (ms: number) => (now += ms) };
}
const hot = (text = "sda is hot"): ConditionDraft => ({
  code: "drive_hot",
  subject: "sda",
  severity: "warning",
  text,
  nextStep: "look",
});

test("raised once, cleared once, however often it is said; the words may change", () => {
  const { health, events, lines, advance } = rig();
  health.raise(hot());
  advance(5000);
  health.raise(hot("sda is hotter"));
  expect(health.list()).toEqual([{ ...hot("sda is hotter"), since: 1000 }]);
  expect(events.map((event) => event.type)).toEqual(["condition.raised"]);
  health.clear("drive_hot", "sda");
  health.clear("drive_hot", "sda");
  expect(health.list()).toEqual([]);
  expect(events.map((event) => event.type)).toEqual(["condition.raised", "condition.cleared"]);
  expect(events[1]?.data.held_s).toBe(5);
  expect(lines).toHaveLength(2);
});

test("an owner's conditions are replaced as a set, others' stay", () => {
  const { health } = rig();
  health.raise({ code: "other", severity: "error", text: "x", nextStep: null });
  health.set("drives", [hot(), { ...hot(), subject: "sdb" }]);
  expect(health.list().map((c) => [c.code, c.subject])).toEqual([
    ["other", undefined],
    ["drive_hot", "sda"],
    ["drive_hot", "sdb"],
  ]);
  health.set("drives", [{ ...hot(), subject: "sdb" }]);
  expect(health.list().map((c) => c.subject)).toEqual([undefined, "sdb"]);
  health.set("drives", []);
  expect(health.list().map((c) => c.code)).toEqual(["other"]);
});

test("getting worse is news", () => {
  const { health, events } = rig();
  health.raise(hot());
  health.raise({ ...hot(), severity: "error" });
  expect(events.map((event) => event.severity)).toEqual(["warning", "error"]);
});

test("over a restart: what still holds is no news, what is over is told, and what is judged later waits", () => {
  let value: unknown = null;
  const memory = {
    get: () => value,
    set: (next: unknown) => {
      value = JSON.parse(JSON.stringify(next));
    },
  };
  const first = rig(memory);
  for (const subject of ["sda", "sdb", "nodefoundry"]) first.health.raise({ ...hot(), subject });
  first.health.clear("drive_hot", "none");

  const { health, events, advance } = rig(memory);
  advance(60_000);
  health.set("drives", [hot()]);
  expect(health.list()).toEqual([{ ...hot(), since: 1000 }]);
  health.settle(({ subject }) => subject === "nodefoundry");
  expect(events.map(({ type, data }) => [type, data.subject, data.held_s])).toEqual([
    ["condition.cleared", "sdb", 60],
  ]);
  health.clear("drive_hot", "nodefoundry");
  expect(events.at(-1)).toMatchObject({ type: "condition.cleared", data: { subject: "nodefoundry" } });
  health.set("drives", []);
  expect(events.map(({ data }) => data.subject)).toEqual(["sdb", "nodefoundry", "sda"]);
  expect(value).toEqual([]);

  // Worse than before is news also then, and what can't be read is nothing.
  value = [{ ...hot(), since: 5 }, "rubbish", { code: 3 }];
  const third = rig(memory);
  third.health.raise({ ...hot(), severity: "error" });
  third.health.settle(() => false);
  expect(third.events.map(({ type, severity }) => [type, severity])).toEqual([["condition.raised", "error"]]);
});

test("told again: what holds and nothing else, marked, and kept for the next start although that was emptied", () => {
  let value: unknown = null;
  const memory: HealthMemory = {
    get: () => value,
    set: (next) => {
      value = structuredClone(next);
    },
  };
  const { health, events } = rig(memory);
  health.tellAgain();
  expect(events).toEqual([]);
  health.raise({ code: "over", severity: "error", text: "x", nextStep: null });
  health.clear("over");
  health.raise(hot());
  const [raised] = events.slice(-1);
  value = null;
  events.length = 0;
  health.tellAgain();
  expect(events).toEqual([{ ...raised, data: { ...raised?.data, repeated: true } }]);
  const next = rig(memory);
  next.health.raise(hot());
  expect(next.events).toEqual([]);
});

test("what is absent since the start settles, what has failed does not, nor does who answered and is gone", () => {
  const { health, events, advance } = rig(undefined, 60_000);
  const absent = (code: string): ConditionDraft => ({
    code,
    severity: "warning",
    text: code,
    nextStep: null,
  });
  const helper = absent("helper_unavailable");
  const unknown = () => health.notYetKnown().map(({ code, owner }) => [code, owner]);
  const codes = () => health.list().map(({ code }) => code);
  health.set("helper", [helper]);
  health.set("collector lldp", []);
  health.set("collector lldp", [absent("lldp_not_running")]);
  health.raise(absent("smart_failing"));
  expect(codes()).toEqual(["smart_failing"]);
  expect(unknown()).toEqual([
    ["helper_unavailable", "helper"],
    ["lldp_not_running", "collector lldp"],
  ]);
  health.set("helper", []);
  expect(unknown()).toEqual([["lldp_not_running", "collector lldp"]]);
  health.set("helper", [helper]);
  expect(codes()).toEqual(["smart_failing", "helper_unavailable"]);
  advance(60_000);
  expect(codes()).not.toContain("lldp_not_running");
  health.settleEarly();
  expect([codes(), unknown()]).toEqual([["smart_failing", "helper_unavailable", "lldp_not_running"], []]);
  expect(events).toHaveLength(3);
  health.set("collector lldp", []);
  health.set("collector lldp", [absent("lldp_not_running")]);
  expect(events).toHaveLength(5);
});
