/** What the torture would find: a judge that never finds anything proves nothing. */
import { expect, test } from "vitest";
import { openLedger } from "./ledger.ts";

type Told = readonly [event: string, command: string, state: string];

function judged(told: readonly Told[], journal: Record<string, string>, rebooted: string[], boots: number) {
  const arrived = told.map(([id, command_id, state]) => ({
    id,
    at: "2026-11-30T00:00:00.000Z",
    type: "command.state",
    severity: "info" as const,
    data: { command_id, state },
  }));
  const ledger = openLedger({ arrived: () => arrived });
  ledger.asked("reboot_1", "reboot");
  ledger.asked("wipe_1", "wipe");
  ledger.look();
  const listed = Object.entries(journal).map(([id, state]) => ({ id, state }));
  return ledger.judge(listed, rebooted, boots);
}

const FINE: readonly Told[] = [
  ["1", "reboot_1", "rebooting"],
  ["2", "reboot_1", "succeeded"],
  ["3", "reboot_1", "succeeded"],
];

test("finds nothing where all is well, and says what came of what", () => {
  const { results, problems } = judged(FINE, { reboot_1: "succeeded" }, ["reboot_1"], 1);
  expect(problems).toEqual([]);
  expect(results).toBe("1 reboot succeeded, 1 wipe forgotten by a restored server");
});

test.each<[string, readonly Told[], Record<string, string>, string[], number, RegExp]>([
  ["a reboot done twice", FINE, {}, ["reboot_1"], 2, /2 boots, and 1 reboots written down/],
  ["one written down twice", FINE, {}, ["reboot_1", "reboot_1"], 2, /written down twice/],
  [
    "two results",
    [...FINE, ["4", "reboot_1", "failed"]],
    {},
    ["reboot_1"],
    1,
    /ended as succeeded and failed/,
  ],
  ["a false success", FINE, {}, [], 0, /did not reboot this host, and it succeeded/],
  [
    "a false failure",
    [["1", "reboot_1", "failed"]],
    {},
    ["reboot_1"],
    1,
    /rebooted this host, and it failed/,
  ],
  ["a result that was lost", [], { reboot_1: "succeeded" }, ["reboot_1"], 1, /nobody was told/],
  ["what is not allowed", [["1", "wipe_1", "succeeded"]], {}, [], 0, /which is not allowed, succeeded/],
])("finds %s", (_name, told, journal, rebooted, boots, says) => {
  expect(judged(told, journal, rebooted, boots).problems.join("; ")).toMatch(says);
});
