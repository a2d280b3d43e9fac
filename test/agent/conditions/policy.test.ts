/** When the helper is asked about the policy, and when not. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openPolicyCondition } from "../../../src/agent/conditions/policy.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";
import { handClock } from "../../support/store/store.ts";

function rig(answers: () => unknown) {
  const path = join(temporaryFolder(), "policy.toml");
  writeFileSync(path, "");
  const clock = handClock();
  const made = { asked: 0, told: [] as string[][], path, clock };
  const policy = openPolicyCondition({
    path,
    clock,
    async ask() {
      made.asked++;
      return answers();
    },
    own: () => null,
    tell: (conditions) => made.told.push(conditions.map(({ text }) => text)),
  });
  onTestFinished(() => policy.stop());
  return Object.assign(made, { policy });
}
const wrong = { usable: false, sentence: "no policy", next_step: null };

test("a gate that sees something else than is shown has the helper asked, once for a file as it is", async () => {
  let answer: unknown = wrong;
  const made = rig(() => answer);
  const { policy } = made;
  policy.start();
  await eventually(() => made.told.length === 1);
  expect(made.told[0]?.[0]).toContain("no policy");
  policy.seen(false);
  expect(made.asked).toBe(1);
  answer = { usable: true };
  policy.seen(true);
  await eventually(() => made.told.length === 2);
  expect(made.told[1]).toEqual([]);
  for (let look = 0; look < 3; look++) policy.seen(false);
  policy.look();
  expect(made.asked).toBe(2);
});

test("a helper that can't be asked is asked again with a later call that it answers, and not with each", async () => {
  let answer: unknown = null;
  const made = rig(() => answer);
  const { policy } = made;
  policy.answered();
  expect(made.asked).toBe(0);
  policy.start();
  await eventually(() => made.asked === 1);
  for (let call = 0; call < 3; call++) policy.answered();
  expect(made.asked).toBe(1);
  answer = wrong;
  made.clock.forward(60_000);
  await eventually(() => {
    policy.answered();
    return made.told.length === 1;
  });
  made.clock.forward(60_000);
  policy.answered();
  expect(made.asked).toBe(2);
  made.clock.forward(600_000);
  await eventually(() => {
    policy.answered();
    return made.asked === 3;
  });
});
