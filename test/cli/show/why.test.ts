import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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

  test("a section that fails is there from its first failure, and once it is a condition only once", async () => {
    const { run, view, root } = await daemon({ tree: "vm" });
    const meminfo = join(root, "proc/meminfo");
    const kept = readFileSync(meminfo);
    rmSync(meminfo);
    await view.collect("memory");
    expect(view.status().conditions).toEqual([]);
    const first = (await run(["why"])).stdout;
    expect(first).toMatch(/^ {2}warning {2}The section memory could not be collected the last time: /);
    expect(first).toMatch(/\n +collector_failed\(memory\) \(.*\n +(?:Next|To do): \S/);
    expect(JSON.parse((await run(["why", "--json"])).stdout)).toMatchObject([
      { id: "collector_failed(memory)", severity: "warning" },
    ]);
    await view.collect("memory");
    expect(view.status().conditions).toHaveLength(1);
    expect((await run(["why"])).stdout.match(/collector_failed/g)).toHaveLength(1);
    writeFileSync(meminfo, kept);
    await view.collect("memory");
    expect((await run(["why"])).stdout).toBe("Nothing is wrong.\n");
  });
});
