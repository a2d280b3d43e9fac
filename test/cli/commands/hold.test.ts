import { expect, test } from "vitest";
import { timeText } from "../../../src/cli/text/time.ts";
import { daemon } from "../../support/agent/daemon.ts";
import { NOW } from "../../support/now.ts";

test("a second hold tells what it takes the place of", async () => {
  const { view, run } = await daemon();
  const held = await run(["hold", "--reason", "fan", "--for", "4h"]);
  expect(held.stdout).not.toContain("This replaces");
  const user = view.status().hold?.by;
  const second = await run(["hold", "--reason", "memory test."]);
  expect([second.code, second.stdout.split("\n").slice(-2)]).toEqual([
    0,
    [`This replaces what ${user} held until ${timeText(NOW + 4 * 3_600_000)}: fan.`, ""],
  ]);
  expect((await run(["hold", "--reason", "fan"])).stdout).toMatch(
    /\nThis replaces what \S.* held until it is released: memory test\.\n$/,
  );
  // What programs read stays one value.
  expect(JSON.parse((await run(["hold", "--reason", "fan", "--json"])).stdout)).toMatchObject({
    reason: "fan",
    until: null,
  });
});
