/** One zone in whatever is printed, and the same one wherever it is typed. */
import { readFileSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { daemon } from "../../support/agent/daemon.ts";
import { pretendCommands, pretendEvents } from "../../support/agent/pretend.ts";
import { commandRecord } from "../../support/commands/records.ts";
import { NOW } from "../../support/now.ts";
import { projectFiles } from "../../support/text/project-files.ts";

/** As a process in this zone would print it. */
async function inZone<T>(zone: string, work: () => Promise<T>): Promise<T> {
  const { TZ: before } = process.env;
  process.env.TZ = zone;
  const back = (): void => {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  };
  onTestFinished(back);
  const done = await work();
  back();
  return done;
}

const LISTINGS =
  "status|status --json|report|report system|report cpu|drives|drives sda|network|events --since all|why|why cmd_9|commands|commands cmd_9|commands cmd_w|hold --reason x --for 4h|hold --reason y|release|reboot --dry-run --test|collect system|check|sync".split(
    "|",
  );

test("every listing has its absolute times in UTC, says so, and does not follow the zone of whoever asks", async () => {
  const printed = async () => {
    const { view, run } = await daemon({ registered: "test" });
    const { happen } = pretendEvents(view);
    happen({ type: "x", severity: "error", data: { text: "It broke." } });
    const done = commandRecord({ id: "cmd_9" }, { state: "succeeded" });
    const waits = commandRecord({ id: "cmd_w", expiresAt: NOW + 9e6 }, { state: "waiting" });
    pretendCommands(view, [done, waits], {
      cmd_9: [{ at: NOW - 5_000, state: "accepted", step: null, text: "Accepted." }],
    });
    const all: [string, string][] = [];
    for (const line of LISTINGS) all.push([line, (await run(line.split(" "))).stdout]);
    return all;
  };
  // Local midnight is another day in both: a date in the wrong zone would be another one.
  const east = await inZone("Pacific/Kiritimati", printed);
  const west = await inZone("Pacific/Pago_Pago", printed);
  const withTimes = new Set<string>();
  for (const [at, [line, text]] of east.entries()) {
    // What differs between two agents: durations, ports, ids.
    const times = (shown: string) =>
      shown.match(/\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?: UTC|Z)?/g) ?? [];
    const [here, there] = [times(text), times(west[at]?.[1] ?? "")];
    const fixed = (list: string[]) => list.map((time) => time.slice(0, 16));
    if (!line.includes("--json") && line !== "hold --reason x --for 4h")
      expect(fixed(here), line).toEqual(fixed(there));
    for (const time of here) {
      withTimes.add(line);
      expect(/(?: UTC|Z)$/.test(time) || text.includes("(UTC)"), `${line}: ${time}`).toBe(true);
    }
  }
  for (const line of [
    "events --since all",
    "commands cmd_9",
    "commands cmd_w",
    "hold --reason x --for 4h",
    "release",
  ])
    expect(withTimes).toContain(line);
});

test("nothing that prints asks for the zone it is in", () => {
  const local =
    /\.get(?:Hours|Minutes|Date|Day|Month|FullYear|TimezoneOffset)\(|\.toLocale(?:Time|Date)?String\(/;
  const asking = projectFiles(["src"]).filter(
    (path) =>
      path.endsWith(".ts") && local.test(readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8")),
  );
  expect(asking).toEqual([]);
});
