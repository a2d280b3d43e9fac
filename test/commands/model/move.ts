/** One thing that can happen, and how an agent can be wrong about it. */
import type { Why } from "../../../src/model/command.ts";
import type { Scenario, World } from "./world.ts";

/** How an agent that is wrong in one place would differ; none of them: as it is built. */
export type Mistake =
  | "asks_before_intent"
  | "asks_again_after_restart"
  | "verdict_without_deadline"
  | "verdict_without_shutdown_look"
  | "verdict_without_in_flight_look"
  | "success_when_taken"
  | "cancels_while_rebooting"
  | "undo_after_change"
  | "undo_by_time_is_forgotten"
  | "repeats_what_may_not_be"
  | "takes_what_it_refuses"
  | "helper_forgets"
  | "helper_ignores_deadline"
  | "helper_ignores_hang_up"
  | "verdict_after_one_look"
  | "cause_wants_an_end"
  | "test_mode_asks"
  | "reboots_again_when_worse";

export type Mistakes = ReadonlySet<Mistake>;

export interface Move {
  readonly name: string;
  readonly to: World;
  /** Counted, and not taken where it is asked whether things end well. */
  readonly fault: boolean;
  /** What must never happen. */
  readonly wrong?: string;
}

export interface Ground {
  readonly scenario: Scenario;
  readonly mistakes: Mistakes;
  readonly maxFaults: number;
}

export const why = (code: string): Why => ({ code, text: `${code}.`, nextStep: null });

export type Add = (name: string, change: Partial<World>) => void;
export type Also = (move: Move) => void;

export const backToTop: Partial<World> = { main: "top", connected: false, answer: "", quiet: false };

export const dead = (): Partial<World> => ({
  main: "dead",
  connected: false,
  answer: "",
  seenShutdown: false,
  quiet: false,
});
