/** What is said of a metered network is what happens on one. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../../scripts/paths.mjs";
import { intervalNote, METERED_DOC } from "../../src/control/metered.ts";
import { intervalS, startRhythm } from "../../src/control/rhythm.ts";
import { daemon } from "../support/agent/daemon.ts";
import { pretendStatus } from "../support/agent/pretend.ts";
import { NOW } from "../support/now.ts";

test("the words have the figures of the pace", () => {
  const held = (given: number | null): number => intervalS(startRhythm("metered", given));
  expect(METERED_DOC).toContain(`every ${held(null) / 60} minutes`);
  expect(METERED_DOC).toContain(`not below ${held(60) / 60} minutes`);
  expect(intervalNote("metered", null)).toBe("3600 on a metered network");
  expect(intervalNote("metered", 60)).toBe("900 on a metered network");
  expect(intervalNote("metered", 7200)).toBeNull();
  expect(intervalNote("normal", 60)).toBeNull();
  expect(intervalNote("normal", null)).toBeNull();
});

test("no document has a figure of the metered network by hand", () => {
  const said = readdirSync(join(ROOT, "docs"), { encoding: "utf8" })
    .filter((name) => name.endsWith(".md") && name !== "bench.md" && name !== "configuration.md")
    .flatMap((name) => readFileSync(join(ROOT, "docs", name), "utf8").split("\n"))
    .filter((line) => /metered/.test(line) && /\d+ ?(?:s|min|minutes?|hours?)\b|an hour|quarter/.test(line));
  expect(said).toEqual([]);
});

test("status says when a command arrives at the latest", async () => {
  const { run, view } = await daemon({ registered: "test" });
  const [api] = view.status().controlApis;
  if (api === undefined) throw new Error("no API");
  expect((await run(["status"])).stdout).not.toContain("metered");
  const due = { ...api, breaker: "closed" as const, intervalS: 3600, nextDueAt: NOW + 42 * 60_000 };
  pretendStatus(view, { networkProfile: "metered", controlApis: [due] });
  const { stdout } = await run(["status"]);
  expect(stdout).toContain(
    "  nodefoundry: on a metered network it is asked every 1 h; a command from there arrives in 42 min at the latest\n",
  );
  expect(JSON.parse((await run(["status", "--json"])).stdout).network_profile).toBe("metered");
  pretendStatus(view, { controlApis: [{ ...due, breaker: "open" }] });
  expect((await run(["status"])).stdout).not.toContain("at the latest");
});
