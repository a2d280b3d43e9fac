/** What a loop of rounds with one control API (sync-loop.ts) is given and what may be asked of it. */

import type { ControlApi, SyncInput, SyncOutcome } from "../../control/control-api.ts";
import type { Pace } from "../../control/pace.ts";
import type { Logger } from "../../model/log.ts";
import type { NodeStatus, Report } from "../../model/report.ts";
import type { Store } from "../../store/types.ts";
import type { Clock } from "../../system/clock.ts";
import type { DampedConditions } from "../conditions/damped.ts";
import type { Ledger } from "./ledger.ts";

export interface RoundResult {
  readonly ok: boolean;
  /** One sentence for the person who asked. */
  readonly text: string;
  /** What to type next, where something went wrong and it is known. */
  readonly nextStep: string | null;
  /** Names of the sections sent in full. */
  readonly sections: readonly string[];
  readonly events: number;
}

export interface LoopStatus {
  readonly lastSyncAt: number | null;
  readonly lastError: { code: string; text: string; at: number } | null;
  /** Wall clock of the next round. */
  readonly nextDueAt: number | null;
}

export interface SyncLoop {
  readonly api: ControlApi;
  readonly pace: Pace;
  start(): void;
  /** Ends the round under way. */
  stop(): Promise<void>;
  /** Something urgent is waiting in the spool; `command`: it is about a command. Before the first round only that counts. */
  wake(command: boolean): void;
  /** A round now (after the one under way, which is cut short when it only waits). */
  now(): Promise<RoundResult>;
  /**
   * What was said so far counts no more (enrolled, left, another identity): the answer of a round under way is
   * dropped, all is to be said again, and the next round begins at once.
   */
  forget(): void;
  status(): LoopStatus;
  /** What the next round would say. */
  input(waitS: number): SyncInput;
}

export interface SyncLoopOptions {
  readonly api: ControlApi;
  readonly pace: Pace;
  readonly ledger: Ledger;
  readonly store: Store;
  readonly health: Pick<DampedConditions, "raise" | "clear" | "endCleared">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly report: () => Report;
  readonly nodeStatus: () => NodeStatus;
  readonly onSynced: (outcome: SyncOutcome) => void;
  /** Takes in what is asked for. @returns ids of commands that are new */
  readonly deliver: (api: string, outcome: SyncOutcome) => readonly string[];
  /** How the loop before a reload stood: then the first round follows at once, since somebody waits for it. */
  readonly before?: LoopStatus | null;
}
