/**
 * What is checked before and written down around an operation that changes something, so that it is allowed, within
 * its limits and done at most once for an id:
 *
 *   policy → recorded outcome → (its lanes) → client there, deadline → policy, limits, fsynced "begun" in one step
 *   → client there, deadline → the act → fsynced outcome
 *
 * Killed before "begun" is on disk, nothing was done; killed after it, the id is answered `outcome_unknown` for
 * ever and counts against the limits, because it may have been done.
 */
import { setImmediate as loopTurn } from "node:timers/promises";
import { AgentError } from "../model/errors.ts";
import type { Clock } from "../system/clock.ts";
import type { LimitsRecord, Outcome } from "./limits.ts";
import { denial, type Policy } from "./policy.ts";
import { isPolicyWord } from "./policy-words.ts";
import { fromWireError, type HelperRequest } from "./request.ts";

export type Ended = Exclude<Outcome, { state: "begun" }>;

export interface Change {
  /**
   * Right before the act, in its lanes.
   * @throws AgentError why it is not done: policy, limits, `record_unusable`, the signal's reason
   */
  begin(signal: AbortSignal): Promise<void>;
  /** Right after it, or after a `begin` that threw. @throws AgentError `record_unusable` */
  end(outcome: Ended): void;
}

export interface Changes {
  /**
   * @returns the recorded result of this id, or the change to be made
   * @throws AgentError not allowed, the recorded error, `outcome_unknown`, `helper_busy` (this id is under way)
   */
  open(request: HelperRequest, operation: string, word: string): { known: unknown } | Change;
}

export function openChanges(parts: {
  readonly policy: () => Policy;
  readonly policyPath: string;
  readonly record: LimitsRecord;
  readonly clock: Clock;
}): Changes {
  const { record, clock } = parts;
  const underWay = new Set<string>();

  function permit(word: string, source: string | null): Policy {
    const policy = parts.policy();
    const refused = denial(policy, parts.policyPath, word, source);
    if (refused !== null) throw refused;
    return policy;
  }

  return {
    open({ id, source }, operation, word) {
      permit(word, source);
      if (underWay.has(id))
        throw new AgentError("helper_busy", "this very command is being carried out", "wait for its end");
      const outcome = record.outcome(id);
      if (outcome !== null) return { known: resultOf(outcome) };
      underWay.add(id);
      let begun = false;
      return {
        async begin(signal) {
          await stillThere(signal);
          // Waiting took time: the file may have changed, and others may have been done.
          const policy = permit(word, source);
          if (isPolicyWord(word)) record.check(word, policy.limits[word]);
          record.begin({ id, word, operation, at: clock.now() });
          try {
            await stillThere(signal);
          } catch (error) {
            record.withdraw(id);
            throw error;
          }
          begun = true;
        },
        end(ended) {
          underWay.delete(id);
          if (begun) record.end(id, ended);
        },
      };
    },
  };
}

function resultOf(outcome: Outcome): unknown {
  if (outcome.state === "done") return outcome.result;
  if (outcome.state === "failed") throw fromWireError(outcome.error);
  throw new AgentError(
    "outcome_unknown",
    "this was begun before and its end is not known, so it is not done again",
    "journalctl -u foundry-agent-helper",
  );
}

/**
 * The deadline has not passed and the client is there. A hang-up is only known once the event loop has looked:
 * the first turn ends the current round, the second has polled every connection in between.
 */
async function stillThere(signal: AbortSignal): Promise<void> {
  await loopTurn();
  await loopTurn();
  signal.throwIfAborted();
}
