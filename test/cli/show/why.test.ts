import { describe, expect, test } from "vitest";
import { whyCommand } from "../../../src/cli/show/why.ts";
import { daemon } from "../../support/agent/daemon.ts";

describe("why", () => {
  test("every example of its help can be typed where nothing is wrong", async () => {
    const { run, view } = await daemon({ tree: "vm" });
    expect(view.status().conditions).toEqual([]);
    expect(whyCommand.examples.length).toBeGreaterThan(1);
    for (const example of whyCommand.examples) {
      const words = example.replace(/\s+#.*$/, "").split(" ");
      expect([example, await run(words.slice(1))]).toMatchObject([example, { code: 0, stderr: "" }]);
    }
  });
});
