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
