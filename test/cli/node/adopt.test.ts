import { expect, test } from "vitest";
import { AgentError } from "../../../src/model/errors.ts";
import { daemon } from "../../support/agent/daemon.ts";

test("adopt and adopt --undo ask for just that, and say what came of it", async () => {
  const { run, view } = await daemon();
  expect(await run(["adopt"])).toMatchObject({ code: 0, stdout: expect.stringContaining("Adopted: ") });
  expect(await run(["adopt", "--undo"])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("Undone: "),
  });
  expect(JSON.parse((await run(["adopt", "--undo", "--json"])).stdout)).toEqual({ done: true });
  expect(view.calls).toEqual(["adopt", "adopt undo", "adopt undo"]);
});

test("where there is nothing to adopt it says so, with what to type next", async () => {
  const { run, view } = await daemon();
  view.adopt = async () => {
    throw new AgentError("nothing_to_adopt", "No other identity is set aside.", "foundry-agent status");
  };
  const { code, stdout, stderr } = await run(["adopt"]);
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toContain("No other identity is set aside. Next: foundry-agent status");
});
