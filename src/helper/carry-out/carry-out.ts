/**
 * Carrying out one request: its arguments, its turn, its time, the audit line. The same for the helper behind its
 * socket and for direct mode. Reading is checked for its arguments only; changes.ts has what else a change needs.
 */
import * as v from "valibot";
import { AgentError, errorCode } from "../../model/errors.ts";
import type { Clock } from "../../system/clock.ts";
import type { Files } from "../../system/files.ts";
import type { RunProgram } from "../../system/program.ts";
import { fromWireError, type HelperRequest, issuePlace, wireError } from "../link/request.ts";
import type { Operation, OperationContext } from "../operation.ts";
import type { Change, Changes, Ended } from "../policy/changes.ts";
import type { Policy } from "../policy/policy.ts";
import type { Audit } from "./audit.ts";
import { openLanes, type Turn } from "./lanes.ts";

/** How long an operation may take to notice that its time is over (a killed program takes up to 1 s). */
const NOTICE_MS = 2_000;
const MAX_WAITING = 128;

export interface CarryOutParts {
  readonly operations: readonly Operation[];
  readonly changes: Changes;
  readonly files: Files;
  readonly clock: Clock;
  readonly run: RunProgram;
  readonly audit: Audit;
}

export interface CarryOut {
  /**
   * @param gone fires when the client hangs up, or all is to end; its reason is what is answered
   * @param peer who asked, for the audit line
   * @throws AgentError as HelperPort.call documents
   */
  perform(request: HelperRequest, gone: AbortSignal, peer: object | null): Promise<unknown>;
  /** Whether something runs, waits, or can't be ended. */
  busy(): boolean;
}

/** One request on its way. */
interface Call {
  readonly request: HelperRequest;
  readonly operation: Operation;
  readonly args: unknown;
  /** Fires when the client is gone, at the deadline, and at the operation's own time-out. */
  readonly signal: AbortSignal;
  /** Fire the signal. */
  tooLate(): void;
  /** Monotonic, when the deadline of the request passes. */
  readonly endsAt: number;
  readonly trace: Trace;
}

/** How far a request came, for its audit line. */
interface Trace {
  /** Word of the change that was begun. */
  act?: string;
  isRead?: boolean;
  /** Its outcome was in the record already. */
  isKnown?: boolean;
}

export function openCarryOut(parts: CarryOutParts): CarryOut {
  const { changes, clock, files } = parts;
  const verified = new WeakSet<HelperRequest>();
  const audit: Audit = (entry) =>
    parts.audit({ ...entry, verified: entry.request !== null && verified.has(entry.request) });
  const table = new Map(parts.operations.map((operation) => [operation.name, operation]));
  const lanes = openLanes(MAX_WAITING);
  const kept = new Map<string, unknown>();
  let active = 0;

  async function attempt(request: HelperRequest, gone: AbortSignal, trace: Trace): Promise<unknown> {
    const operation = table.get(request.operation);
    if (operation === undefined)
      throw new AgentError("helper_refused", "there is no such operation", "foundry-agent version");
    const args = v.safeParse(operation.args, request.args);
    if (!args.success)
      throw new AgentError(
        "helper_refused",
        `${operation.name} does not take these arguments (${issuePlace(args.issues)})`,
      );
    const over = new AbortController();
    const tooLate = (): void =>
      over.abort(new AgentError("helper_timeout", `${operation.name} was not done within its time`));
    const left = request.deadlineMs - request.underWayMs;
    const endsAt = clock.monotonic() + left;
    if (left <= 0) tooLate();
    const timer = setTimeout(tooLate, Math.max(0, left));
    const signal = AbortSignal.any([gone, over.signal]);
    const call: Call = { request, operation, args: args.output, signal, tooLate, endsAt, trace };
    try {
      signal.throwIfAborted();
      if (operation.policy === null) return await inLanes(call, null);
      const admit = (policy: Policy): void => operation.admit?.(args.output, policy, files);
      const change = changes.open(request, operation.name, operation.policy, admit, {
        covers: (params) => operation.covers?.(args.output, params) ?? false,
        verified: () => verified.add(request),
      });
      if (!("known" in change)) return await inLanes(call, change);
      trace.isKnown = true;
      return change.known;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Wait for a turn and perform; the lanes are given back when the operation is really over. */
  async function inLanes(call: Call, change: Change | null): Promise<unknown> {
    const { operation, args, signal, tooLate } = call;
    let turn: Turn;
    try {
      turn = await lanes.enter(operation.lanes(args), signal);
    } catch (error) {
      ended(call, change, { state: "failed", error: wireError(error) });
      throw error;
    }
    // From here on: who waits for his turn has the whole deadline, who has it the operation's own time.
    const timer = setTimeout(tooLate, operation.timeoutMs);
    const endsAt = Math.min(call.endsAt, clock.monotonic() + operation.timeoutMs);
    const context: OperationContext = {
      ...{ files, clock, kept, signal, signed: call.request.signed, run: runIn(turn) },
      leftMs: () => Math.max(0, endsAt - clock.monotonic()),
      step: (text) => stepped(call, change, text),
      begun: () => tellBegun(call, operation.acts ?? operation.name),
    };
    const work = (async () => {
      try {
        if (change === null) call.trace.isRead = operation.acts === undefined;
        else await begin(call, change);
        const result = await operation.perform(args, context);
        ended(call, change, { state: "done", result: result ?? null });
        return result;
      } catch (error) {
        ended(call, change, { state: "failed", error: wireError(error) });
        throw error;
      } finally {
        clearTimeout(timer);
        turn.release();
      }
    })();
    return await inTime(work, signal);
  }

  /** In the record, and on disk in the audit trail too, before anything is done. */
  async function begin(call: Call, change: Change): Promise<void> {
    const { operation, signal } = call;
    await change.begin(signal);
    tellBegun(call, operation.policy ?? operation.name);
  }

  function tellBegun({ request, trace }: Call, act: string): void {
    audit({ request, peer: null, outcome: "begun", message: null, durationMs: 0, act });
    trace.act = act;
  }

  /** A step in the record and in the journal; that it can't be recorded is told in the journal. */
  function stepped({ request, trace }: Call, change: Change | null, text: string): void {
    if (change === null) return;
    audit({ request, peer: null, outcome: "step", message: text, durationMs: 0, ...trace });
    try {
      change.step(text);
    } catch (error) {
      const { code, message } = wireError(error);
      audit({ request, peer: null, outcome: code, message, durationMs: 0, ...trace });
    }
  }

  /** It is done or not, so that it can't be written down is no reason to say otherwise: it stays "begun". */
  function ended({ request, trace }: Call, change: Change | null, outcome: Ended): void {
    try {
      change?.end(outcome);
    } catch (error) {
      const { code, message } = wireError(error);
      audit({ request, peer: null, outcome: code, message, durationMs: 0, ...trace });
    }
  }

  /** Programs of one operation: what can't be killed keeps its lanes. */
  function runIn(turn: Turn): RunProgram {
    return async (argv, options) => {
      const result = await parts.run(argv, options);
      if (result.lingering !== null) turn.hold(result.lingering);
      return result;
    };
  }

  return {
    async perform(request, gone, peer) {
      const started = clock.monotonic();
      active++;
      const trace: Trace = {};
      const tell = (outcome: string, message: string | null): void => {
        const { act, isRead } = trace;
        const how = { ...(act === undefined ? {} : { act }), ...(isRead === undefined ? {} : { isRead }) };
        audit({ request, peer, outcome, message, durationMs: clock.monotonic() - started, ...how });
      };
      try {
        const result = await attempt(request, gone, trace);
        tell("ok", trace.isKnown === true ? "done before, answered from the record" : null);
        return result;
      } catch (error) {
        const told = wireError(error);
        tell(told.code, error instanceof AgentError ? told.message : `${told.message}: ${String(error)}`);
        throw fromWireError(told);
      } finally {
        active--;
      }
    },
    busy: () => active > 0 || lanes.busy(),
  };
}

/** The work's end, or the signal's reason when the work does not end soon after the signal. */
async function inTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const late = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  const fired = (): void => {
    timer = setTimeout(() => late.reject(signal.reason), NOTICE_MS);
  };
  if (signal.aborted) fired();
  else signal.addEventListener("abort", fired, { once: true });
  try {
    return await Promise.race([work, late.promise]);
  } catch (error) {
    // A program that was ended because of the signal says "aborted"; the signal knows why.
    throw signal.aborted && errorCode(error) === "aborted" ? signal.reason : error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", fired);
    work.catch(() => undefined); // told already, or too late to be told to anybody
  }
}
