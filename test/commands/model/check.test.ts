/**
 * The real advance() in every world it can come into, with the helper's hop, three faults, three deliveries and a
 * cancel at any point; and agents that are wrong in one place, which the same check must find.
 */
import { describe, expect, it } from "vitest";
import { explore } from "./explore.ts";
import type { Mistake } from "./move.ts";
import type { Scenario } from "./world.ts";

const REBOOT: Scenario = { name: "reboot", mode: "live", reboot: true };
const WORK: Scenario = { name: "two steps and an undo", mode: "live", reboot: false };
const REBOOT_TEST: Scenario = { name: "reboot as a test", mode: "test", reboot: true };
const WORK_TEST: Scenario = { name: "two steps as a test", mode: "test", reboot: false };

describe("every interleaving", () => {
  // All or nothing: of a part nobody can say whether each of its worlds comes to an end. So there is no budget here, and
  // a time-out that only what hangs can reach.
  it.each([REBOOT, WORK, REBOOT_TEST, WORK_TEST])(
    "of $name, its faults, deliveries and a cancel keeps what is promised",
    { timeout: 600_000 },
    (scenario) => {
      const { flaw, ends, states, transitions } = explore(scenario);
      console.log(
        `model check: ${scenario.name}: ${states} states, ${transitions} transitions, at most 3 faults and 3 deliveries`,
      );
      expect(flaw).toBeNull();
      expect([...ends]).toEqual(
        expect.arrayContaining(["succeeded", "cancelled", "refused", "expired", "rehearsed"]),
      );
      expect(states).toBeGreaterThan(1_000);
    },
  );
});

/** What is wrong, where it shows, and how many faults it needs to show. */
const WRONG: readonly (readonly [string, Scenario, readonly Mistake[], number, RegExp])[] = [
  ["asks before the intent is written", REBOOT, ["asks_before_intent"], 1, /reboot/],
  ["calls it failed before the deadline", REBOOT, ["verdict_without_deadline"], 1, /a reboot after failed/],
  ["does not look for a shutdown", REBOOT, ["verdict_without_shutdown_look"], 1, /a reboot after failed/],
  ["does not ask what is in flight", REBOOT, ["verdict_without_in_flight_look"], 1, /a reboot after failed/],
  ["is sure after one look", REBOOT, ["verdict_after_one_look"], 1, /a reboot after failed/],
  ["asks again after a restart", REBOOT, ["asks_again_after_restart"], 1, /reboot|twice/],
  ["calls it done when it was taken", REBOOT, ["success_when_taken"], 1, /on the boot it began on/],
  [
    "calls it unverified where the helper was ended",
    REBOOT,
    ["cause_wants_an_end"],
    1,
    /helper says command/,
  ],
  ["cancels while rebooting", REBOOT, ["cancels_while_rebooting"], 1, /reboot/],
  [
    "acts for one who hung up and after the deadline",
    REBOOT,
    ["helper_ignores_deadline", "helper_ignores_hang_up"],
    1,
    /reboot/,
  ],
  ["carries out what it said it refuses", REBOOT, ["takes_what_it_refuses"], 1, /after refused/],
  ["writes the undo record after the change", WORK, ["undo_after_change"], 1, /end/],
  ["forgets an undo whose time came too early", WORK, ["undo_by_time_is_forgotten"], 1, /end/],
  ["repeats what may not be repeated", WORK, ["repeats_what_may_not_be"], 1, /twice/],
  [
    "reboots again when the node is worse",
    REBOOT,
    ["reboots_again_when_worse", "helper_forgets"],
    1,
    /reboot|twice/,
  ],
  ["asks the helper for a test", REBOOT_TEST, ["test_mode_asks"], 1, /a test acted/],
];

describe("an agent that", () => {
  it.each(WRONG)("%s is found", (_name, scenario, mistakes, faults, what) => {
    expect(explore(scenario, mistakes, faults).flaw?.what).toMatch(what);
  });
});
