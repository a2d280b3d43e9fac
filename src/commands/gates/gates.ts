/**
 * All gates in the order in which they are asked, and what comes of them together. Pure: the same for a command that
 * is about to begin, for `--dry-run` and for a rehearsal. What needs a signature is decided before a command gets here.
 */
import type { Why } from "../../model/command.ts";
import { ended } from "../../model/text/sentence.ts";
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
  /** It asks for the state of the host, which a test that leaves the host alone does not have to wait for. */
  readonly host: boolean;
  check(subject: Subject, facts: Facts, options: GateOptions): Stop | null;
}

// biome-ignore format: a table is read by its columns
export const GATES: readonly Gate[] = [
  { name: "expiry",       forced: false, host: false, check: leave.expiry },
  { name: "policy",       forced: false, host: false, check: leave.policy },
  { name: "force",        forced: false, host: false, check: leave.force },
  { name: "hardware",     forced: false, host: true,  check: leave.hardware },
  { name: "writable",     forced: false, host: false, check: leave.writable },
  { name: "storage",      forced: false, host: true,  check: leave.storage },
  { name: "journal",      forced: false, host: false, check: leave.journal },
  { name: "osds",         forced: false, host: true,  check: leave.osds },
  { name: "hold",         forced: false, host: false, check: moment.hold },
  { name: "lost",         forced: false, host: false, check: moment.lost },
  { name: "one_at_a_time", forced: false, host: false, check: moment.oneAtATime },
  { name: "grace",        forced: false, host: false, check: moment.grace },
  { name: "window",       forced: true,  host: false, check: moment.window },
  { name: "uptime",       forced: true,  host: true,  check: moment.justBooted },
  { name: "shutdown",     forced: false, host: true,  check: moment.shutdown },
  { name: "inhibitors",   forced: true,  host: true,  check: moment.inhibitors },
  { name: "packages",     forced: false, host: true,  check: moment.packageLock },
  { name: "updates",      forced: false, host: true,  check: moment.updates },
  { name: "sessions",     forced: true,  host: true,  check: moment.sessions },
  { name: "limits",       forced: false, host: true,  check: moment.limits },
  { name: "clock",        forced: false, host: false, check: leave.clock },
];

/** Every gate's verdict, in order. Touches nothing; a zone of ICU is opened only where there are windows. */
export function evaluateGates(subject: Subject, facts: Facts, options: GateOptions): GateVerdict[] {
  const force = subject.params.force === true && options.forceAllowed;
  const leavesHostAlone = subject.mode !== "live" && subject.needs.hardware;
  return GATES.map(({ name, forced, host, check }) => {
    const found = check(subject, facts, options);
    const stop =
      found?.verdict === "wait" && forced && force
        ? note("forced", `Forced: ${found.why.text}`, `be forced, and not wait for ${found.would}`)
        : host && leavesHostAlone
          ? told(found)
          : found;
    return {
      gate: name,
      verdict: stop?.verdict ?? "pass",
      why: stop?.why ?? null,
      would: stop?.would ?? null,
    };
  });
}

/** What a test says of the host instead of being stopped by it. */
function told(found: Stop | null): Stop | null {
  if (found === null || found.verdict === "pass") return found;
  const { verdict, why, would } = found;
  return note(
    "simulated",
    verdict === "wait" && would !== null
      ? ended(`Live it would wait for ${would}`)
      : `Live it would be refused: ${why.text}`,
  );
}

/** What `told` has said, in the order of the gates: sentences. */
export function simulatedStops(verdicts: readonly GateVerdict[]): string[] {
  return verdicts.flatMap(({ why }) => (why?.code === "simulated" ? [why.text] : []));
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
