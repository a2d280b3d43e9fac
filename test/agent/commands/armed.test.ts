/** The one place that says what arms a node. */
import { expect, test } from "vitest";
import { armedBy } from "../../../src/agent/commands/armed.ts";
import { parsePolicy } from "../../../src/helper/policy/policy.ts";

const look = (remote: string) => ({
  file: "p",
  problem: null,
  policy: parsePolicy("p", `[commands]\nremote = "${remote}"\n`),
});

test("only where the policy lets it be done, hardware may be touched, and one key is live", () => {
  const on = look("on");
  expect(armedBy(on, true, ["live"])).toMatchObject({ armed: true, mode: "live", signed: false });
  expect(armedBy(on, true, ["test", "live"]).armed).toBe(true);
  for (const [policy, hardware, modes] of [
    [look("rehearse"), true, ["live"]],
    [look("off"), true, ["live"]],
    [{ file: "p", policy: null, problem: null }, true, ["live"]],
    [on, false, ["live"]],
    [on, true, ["test", "read-only"]],
    [on, true, [null]],
    [on, true, []],
  ] as const)
    expect(armedBy(policy, hardware, modes).armed).toBe(false);
});
