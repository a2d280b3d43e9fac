import { expect, it } from "vitest";
import { dampedConditions } from "../../../src/agent/conditions/damped.ts";
import { openHealth } from "../../../src/agent/conditions/health.ts";
import type { EventDraft } from "../../../src/model/event.ts";
import { handClock } from "../../support/store/store.ts";
import { recordedLog } from "../../support/text/log.ts";

const BAD = {
  code: "command_malformed",
  subject: "x",
  severity: "warning",
  text: "Bad.",
  nextStep: null,
} as const;

function rig() {
  const clock = handClock();
  const health = openHealth(clock, recordedLog().log, () => undefined);
  return { clock, health, damped: dampedConditions(health, clock) };
}

it("what came and went too often and is cleared only once, as at leaving, ends within the hour", () => {
  const { clock, health, damped } = rig();
  for (let answer = 0; answer < 20; answer++) {
    clock.forward(15_000);
    damped.raise(BAD);
    damped.clear(BAD.code, BAD.subject);
  }
  const ends: boolean[] = [];
  for (let minute = 0; minute < 60; minute++) {
    clock.forward(60_000);
    damped.ticked();
    ends.push(health.list().length === 0);
  }
  expect([ends[0], ends.at(-1)]).toEqual([false, true]);
});

it("what is raised again holds, however often it was cleared and whatever time has passed", () => {
  const { clock, health, damped } = rig();
  for (let answer = 0; answer < 20; answer++) {
    damped.clear(BAD.code, BAD.subject);
    damped.raise(BAD);
  }
  for (let minute = 0; minute < 180; minute++) {
    clock.forward(60_000);
    damped.ticked();
    damped.endCleared();
    expect(health.list()).toHaveLength(1);
  }
  damped.clear(BAD.code, BAD.subject);
  expect(health.list()).toEqual([]);
});

it("an operator's act ends at once what was cleared", () => {
  const { health, damped } = rig();
  for (let answer = 0; answer < 20; answer++) {
    damped.raise(BAD);
    damped.clear(BAD.code, BAD.subject);
  }
  expect(health.list()).toHaveLength(1);
  damped.endCleared();
  expect(health.list()).toEqual([]);
});

it("a server that makes a condition come and go with each answer is told of a few times, and then it stays", () => {
  const clock = handClock();
  const events: EventDraft[] = [];
  const health = openHealth(clock, recordedLog().log, (event) => events.push(event));
  const damped = dampedConditions(health, clock);
  for (let answer = 0; answer < 200; answer++) {
    clock.forward(15_000);
    damped.raise(BAD);
    damped.clear(BAD.code, BAD.subject);
  }
  expect(events.length).toBeLessThan(14);
  expect(health.list()).toMatchObject([{ code: BAD.code }]);
  // It is over when it has been quiet, and what comes only now and then is told each time.
  clock.forward(3_600_000);
  damped.clear(BAD.code, BAD.subject);
  expect(health.list()).toEqual([]);
  damped.raise(BAD);
  expect(health.list()).toHaveLength(1);
  damped.clear(BAD.code, BAD.subject);
  expect(health.list()).toEqual([]);
});
