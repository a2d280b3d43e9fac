/**
 * All gates in the order in which they are asked, and what comes of them together. Pure: the same for a command that
 * is about to begin, for `--dry-run` and for a rehearsal. What needs a signature is decided before a command gets here.
 */
import type { Why } from "../../model/command.ts";
import type { Facts, GateVerdict, Subject } from "./gate.ts";
import * as leave from "./may-leave.ts";
import * as moment from "./right-moment.ts";
import { note, type Stop } from "./text.ts";
import type { GateOptions } from "./types.ts";

export { isRehearsal } from "./types.ts";

export interface Gate {
  readonly name: string;
  /** `force` passes it by. */
  readonly forced: boolean;
  check(subject: Subject, facts: Facts, options: GateOptions): Stop | null;
}

// biome-ignore format: a table is read by its columns
export const GATES: readonly Gate[] = [
  { name: "expiry",       forced: false, check: leave.expiry },
  { name: "policy",       forced: false, check: leave.policy },
  { name: "force",        forced: false, check: leave.force },
  { name: "hardware",     forced: false, check: leave.hardware },
  { name: "storage",      forced: false, check: leave.storage },
  { name: "journal",      forced: false, check: leave.journal },
  { name: "osds",         forced: false, check: leave.osds },
  { name: "hold",         forced: false, check: moment.hold },
  { name: "lost",         forced: false, check: moment.lost },
  { name: "one_at_a_time", forced: false, check: moment.oneAtATime },
  { name: "grace",        forced: false, check: moment.grace },
  { name: "window",       forced: true,  check: moment.window },
  { name: "uptime",       forced: true,  check: moment.justBooted },
  { name: "shutdown",     forced: false, check: moment.shutdown },
  { name: "inhibitors",   forced: true,  check: moment.inhibitors },
  { name: "packages",     forced: false, check: moment.packageLock },
  { name: "updates",      forced: false, check: moment.updates },
  { name: "sessions",     forced: true,  check: moment.sessions },
  { name: "limits",       forced: false, check: moment.limits },
  { name: "clock",        forced: false, check: leave.clock },
];

/** Every gate's verdict, in order. Touches nothing; a zone of ICU is opened only where there are windows. */
export function evaluateGates(subject: Subject, facts: Facts, options: GateOptions): GateVerdict[] {
  const force = subject.params.force === true && options.forceAllowed;
  return GATES.map(({ name, forced, check }) => {
    const found = check(subject, facts, options);
    const stop =
      found?.verdict === "wait" && forced && force
        ? note("forced", `Forced: ${found.why.text}`, `be forced, and not wait for ${found.would}`)
        : found;
    return {
      gate: name,
      verdict: stop?.verdict ?? "pass",
      why: stop?.why ?? null,
      would: stop?.would ?? null,
    };
  });
}

/** A refusal before any wait, and of each the first. */
export function decide(
  verdicts: readonly GateVerdict[],
): { readonly verdict: "pass" } | { readonly verdict: "wait" | "refuse"; readonly why: Why } {
  for (const verdict of ["refuse", "wait"] as const) {
    const why = verdicts.find((one) => one.verdict === verdict)?.why;
    if (why) return { verdict, why };
  }
  return { verdict: "pass" };
}
