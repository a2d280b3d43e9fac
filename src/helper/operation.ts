/** What one operation of the privileged helper is: a name, the shape of its arguments, and what it does. */
import type { GenericSchema } from "valibot";
import type { Clock } from "../system/clock.ts";
import type { Files } from "../system/files.ts";
import type { RunProgram } from "../system/program.ts";
import type { HelperRequest } from "./link/request.ts";
import type { Policy } from "./policy/policy.ts";

/**
 * Who shares what with whom: an operation waits until all its lanes have room. `drive /dev/sda` with 1 and
 * `smart` with 4 is "four at once, one a drive"; `bmc` with 1 is one BMC call at a time.
 */
export interface Lane {
  readonly name: string;
  readonly limit: number;
}

export interface OperationContext {
  readonly files: Files;
  readonly clock: Clock;
  /** Programs only through this: it knows the deadline of the call and what still lingers. */
  readonly run: RunProgram;
  /** What its sender signed, as it came along; not looked at. */
  readonly signed: HelperRequest["signed"];
  /** Fires at the deadline of the call and when its client hangs up. */
  readonly signal: AbortSignal;
  /**
   * Milliseconds until the signal fires by itself, never below 0. What an operation has others do (a transient unit)
   * gets no more than this, because no signal reaches it.
   */
  leftMs(): number;
  /**
   * Write into the record, fsynced, what is tried next or what came of it, with an audit line. Never throws: what was
   * begun is on disk already, so a step that can't be written takes nothing but detail. Nothing for what only reads.
   */
  step(text: string): void;
  /**
   * Of an operation with `acts`, right before it acts: on disk in the audit trail when it returns.
   * @throws AgentError `record_unusable`: then it is not to be done
   */
  begun(): void;
  /** Kept as long as the helper lives, by operation: a scan that later reads are checked against. */
  readonly kept: Map<string, unknown>;
}

/**
 * One operation. `perform` is given arguments that its schema accepted and nothing else; what an argument
 * names (a drive) it must have found itself before. Results are plain JSON.
 */
export interface Operation<A = unknown, R = unknown> {
  readonly name: string;
  /** Strict: an unknown key is refused. */
  readonly args: GenericSchema<unknown, A>;
  readonly timeoutMs: number;
  lanes(args: A): readonly Lane[];
  /** Null: reading, always allowed. Else the policy's word for it (`locate`, `smart_test`, `reboot`). */
  readonly policy: string | null;
  /**
   * Of what has no word in the policy and is no mere look all the same: what it is called in the audit trail, where it
   * stands once `begun` was called.
   */
  readonly acts?: string;
  /**
   * Of a change: what would make it pointless or unsafe on this host, looked at right before it is written down as
   * begun. What is refused here leaves no trace in the record and counts against no limit.
   * @throws AgentError why it is not done
   */
  admit?(args: A, policy: Policy, files: Files): void;
  /**
   * Of a change: whether a signed command with these params asks for what `args` say. Without it no signature covers
   * the operation, so it is never done where the policy wants its word signed.
   */
  covers?(args: A, params: Readonly<Record<string, unknown>>): boolean;
  /** @throws AgentError with a code of its own; anything else becomes `helper_failed`. */
  perform(args: A, context: OperationContext): Promise<R>;
}
