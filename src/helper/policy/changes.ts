/**
 * What is checked before and written down around an operation that changes something, so that it is allowed, within
 * its limits and done at most once for an id:
 *
 *   policy → recorded outcome → signature → (its lanes) → client there, deadline → policy, signature, host, limits,
 *   fsynced "begun" in one step → client there, deadline → the act → fsynced outcome
 *
 * Killed before "begun" is on disk, nothing was done; killed after it, the id is answered `outcome_unknown` for
 * ever and counts against the limits, because it may have been done.
 */
import { setImmediate as loopTurn } from "node:timers/promises";
import { AgentError } from "../../model/errors.ts";
import type { Clock } from "../../system/clock.ts";
import { fromWireError, type HelperRequest } from "../link/request.ts";
import type { LimitsRecord } from "./limits.ts";
import { denial, type Policy } from "./policy.ts";
import type { Outcome } from "./record-file.ts";
import { checkSigned } from "./signature.ts";
import type { SignedCommand } from "./signed-command.ts";
import type { SignedRecord } from "./signed-record.ts";
import { isPolicyWord, type PolicyWord, SIGNED_WORDS } from "./words.ts";

export type Ended = Exclude<Outcome, { state: "begun" }>;

export interface Change {
  /**
   * Right before the act, in its lanes.
   * @throws AgentError why it is not done: policy, limits, `record_unusable`, the signal's reason
   */
  begin(signal: AbortSignal): Promise<void>;
  /** In between: a line of what is tried next, or came of it; on disk when it returns. @throws AgentError `record_unusable` */
  step(text: string): void;
  /** Right after it, or after a `begin` that threw. @throws AgentError `record_unusable` */
  end(outcome: Ended): void;
}

/** How a signed command and the call are held against each other. */
export interface Signing {
  /** `Operation.covers` for the arguments of the call. */
  covers(params: SignedCommand["params"]): boolean;
  /** The signature was asked for, and is there and right. */
  verified(): void;
}

/** Without it no signature covers the call. */
const NO_SIGNING: Signing = { covers: () => false, verified: () => undefined };

export interface Changes {
  /**
   * @param admit what else speaks against it on this host, right before it is begun (`Operation.admit`)
   * @returns the recorded result of this id, or the change to be made
   * @throws AgentError not allowed, the recorded error, `outcome_unknown`, `helper_busy` (this id is under way),
   * those of `checkSigned`
   */
  open(
    request: HelperRequest,
    operation: string,
    word: string,
    admit?: (policy: Policy) => void,
    signing?: Signing,
  ): { known: unknown } | Change;
  /** Whether this id waits for its turn or is being carried out, in this process. */
  underWay(id: string): boolean;
  /** @throws AgentError `policy_unusable`, `helper_refused`: why this source may not have such a thing done */
  permit(word: string, source: string | null): Policy;
  /**
   * What `begin` would say now, without doing or writing anything; null: it would not refuse. No deadline, no id, no
   * client: those are of one call.
   */
  refusal(word: string, source: string | null, admit: (policy: Policy) => void): Refusal | null;
  /**
   * Of one call that is still to come, with its id and its signature: that `begin` would let it through now. Nothing is
   * written.
   * @returns the policy it would be done by
   * @throws AgentError why it would not be done; `helper_refused` also where this id was begun before
   */
  foresee(
    call: Pick<HelperRequest, "id" | "source" | "signed">,
    word: PolicyWord,
    admit: (policy: Policy) => void,
    covers: Signing["covers"],
  ): Policy;
}

export interface Refusal {
  readonly error: AgentError;
  /** Minutes of uptime after which the limits would let it through; null: time alone does not help. */
  readonly againInMinutes: number | null;
}

export function openChanges(parts: {
  readonly policy: () => Policy;
  readonly policyPath: string;
  readonly record: LimitsRecord;
  readonly signatures: SignedRecord;
  readonly clock: Clock;
}): Changes {
  const { record, clock, signatures, policyPath } = parts;
  const underWay = new Set<string>();

  function permit(word: string, source: string | null): Policy {
    const policy = parts.policy();
    const refused = denial(policy, parts.policyPath, word, source);
    if (refused !== null) throw refused;
    return policy;
  }

  /** Whatever source is claimed: a main process that was taken over would claim the one that needs no signature. */
  function signedFor(
    request: Pick<HelperRequest, "id" | "signed">,
    word: string,
    policy: Policy,
    signing: Signing,
  ): SignedCommand | null {
    const { publicKey, nodeId } = policy;
    if (publicKey === null || !SIGNED_WORDS.some((signed) => signed === word)) return null;
    const { id, signed } = request;
    const now = clock.now();
    const { covers } = signing;
    const command = checkSigned({
      ...{ signed, id, word, policyPath, now, covers },
      ...{ policy: { publicKey, nodeId }, record: signatures },
    });
    signing.verified();
    return command;
  }

  return {
    permit,
    underWay: (id) => underWay.has(id),
    refusal(word, source, admit) {
      try {
        const policy = permit(word, source);
        admit(policy);
        const tooMany = isPolicyWord(word) ? record.tooMany(word, policy.limits[word], source ?? "") : null;
        if (tooMany !== null) return tooMany;
        const error = record.noRoom(word, source ?? "");
        return error === null ? null : { error, againInMinutes: null };
      } catch (error) {
        if (error instanceof AgentError) return { error, againInMinutes: null };
        throw error;
      }
    },
    foresee(call, word, admit, covers) {
      const policy = permit(word, call.source);
      if (underWay.has(call.id) || record.outcome(call.id) !== null)
        throw new AgentError("helper_refused", "this was begun before, so it is not still to come");
      signedFor(call, word, policy, { covers, verified: () => undefined });
      admit(policy);
      record.check(word, policy.limits[word], call.source ?? "");
      const full = record.noRoom(word, call.source ?? "");
      if (full !== null) throw full;
      return policy;
    },
    open(request, operation, word, admit, signing = NO_SIGNING) {
      const { id, source } = request;
      const allowing = permit(word, source);
      if (underWay.has(id))
        throw new AgentError("helper_busy", "this very command is being carried out", "wait for its end");
      const outcome = record.outcome(id);
      if (outcome !== null) return { known: resultOf(outcome) };
      signedFor(request, word, allowing, signing);
      underWay.add(id);
      let begun = false;
      return {
        async begin(signal) {
          await stillThere(signal);
          // Waiting took time: the file may have changed, and others may have been done.
          const policy = permit(word, source);
          const command = signedFor(request, word, policy, signing);
          admit?.(policy);
          if (isPolicyWord(word)) record.check(word, policy.limits[word], source ?? "");
          if (command !== null) signatures.note(command);
          record.begin({ id, word, operation, source: source ?? "", at: clock.now() });
          try {
            await stillThere(signal);
          } catch (error) {
            record.withdraw(id);
            throw error;
          }
          begun = true;
        },
        step: (text) => record.step(id, text),
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
