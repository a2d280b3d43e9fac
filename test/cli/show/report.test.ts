import { describe, expect, test } from "vitest";
import { daemon } from "../../support/agent/daemon.ts";

describe("report", () => {
  test("names the daemon that was asked in the line to type next", async () => {
    const { run } = await daemon();
    expect((await run(["report"])).stdout).toMatch(
      /\nOne of them whole: foundry-agent report \S+ --socket \S+\n$/,
    );
  });
});
