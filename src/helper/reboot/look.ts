/**
 * `reboot.look`: all that the rest of the agent has to know about a reboot before it asks for one and after it did, in
 * one answer. It only looks.
 */
import * as v from "valibot";
import { type OsdsHere, osdsHere } from "../../ceph/here.ts";
import { wireError } from "../link/request.ts";
import type { Operation } from "../operation.ts";
import type { Changes } from "../policy/changes.ts";
import type { LimitsRecord } from "../policy/limits.ts";
import { admitReboot, type RebootMethod, rebootMethod } from "./reboot.ts";
import { lookAtShutdown } from "./shutdown.ts";
import type { StatePlace } from "./volatile-state.ts";
import { commandId, commandSource } from "./words.ts";

export interface RebootLookArgs {
  /** Of the command; null: nobody is meant, `known` is null then. */
  readonly id: string | null;
  /** On whose behalf a reboot would be asked for: `local`, or a control API's name. */
  readonly source: string;
  readonly method: RebootMethod;
}

export interface RebootLook {
  /** What the helper's record says of this id; null: it was never begun (or the id is null). */
  readonly known: {
    readonly state: "begun" | "done" | "failed";
    /** What was tried and what came of it, oldest first. */
    readonly steps: readonly string[];
    readonly error?: { readonly code: string; readonly message: string };
  } | null;
  /** This very id waits for its turn or is being carried out. */
  readonly in_flight: boolean;
  /** Whoever asked for it. */
  readonly shutdown: { readonly scheduled: boolean; readonly under_way: boolean };
  /** Why nobody could tell whether a shutdown is under way, which counts as one. */
  readonly doubt: string | null;
  /** Why a reboot with a new id would be refused now; null: it would not. A signature is not looked at. */
  readonly refusal: {
    readonly code: string;
    readonly text: string;
    readonly next_step: string | null;
  } | null;
  /** Whether OSDs of Ceph are on this host, and which: to the rest of the agent Ceph's folders are closed. */
  readonly osds: OsdsHere;
  /** Minutes of uptime until the limits let one through, where they are the reason. */
  readonly again_in_minutes: number | null;
}

/** @throws AgentError `record_unusable` when an id is given and the record can't tell of it */
export function rebootLookOperation(parts: {
  readonly record: LimitsRecord;
  readonly changes: Changes;
  readonly state: StatePlace;
}): Operation<RebootLookArgs, RebootLook> {
  const { record, changes, state } = parts;
  return {
    name: "reboot.look",
    args: v.strictObject({ id: v.nullable(commandId), source: commandSource, method: rebootMethod }),
    timeoutMs: 15_000,
    lanes: () => [{ name: "look", limit: 4 }],
    policy: null,
    async perform({ id, source, method }, context) {
      // Before and after the shutdown is looked at: what was begun in between may not show there yet.
      const wasUnderWay = id !== null && changes.underWay(id);
      const { shutdown, doubt } = await lookAtShutdown(context);
      context.signal.throwIfAborted();
      // After the programs were waited for: what was begun meanwhile is told.
      const refused = changes.refusal("reboot", source, (policy) =>
        admitReboot(state, method, policy, context.files),
      );
      const error = refused === null ? null : wireError(refused.error);
      return {
        known: id === null ? null : knownOf(record, id),
        in_flight: wasUnderWay || (id !== null && changes.underWay(id)),
        shutdown,
        doubt,
        refusal:
          error === null ? null : { code: error.code, text: error.message, next_step: error.next_step },
        osds: osdsHere(context.files),
        again_in_minutes: refused?.againInMinutes ?? null,
      };
    },
  };
}

function knownOf(record: LimitsRecord, id: string): RebootLook["known"] {
  const outcome = record.outcome(id);
  if (outcome === null) return null;
  const steps = record.steps(id);
  if (outcome.state !== "failed") return { state: outcome.state, steps };
  const { code, message } = outcome.error;
  return { state: "failed", steps, error: { code, message } };
}
