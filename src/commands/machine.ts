/**
 * The life of a command as a pure function: `advance(record, input, at)` gives the next record and what is to be
 * told. Nothing happens here; the executor (executor.ts) writes what comes out, fsynced, before it acts on it.
 *
 * What makes a reboot happen once: `rebooting` with boot id and deadline is on the disk before the helper is asked,
 * it is asked once, and from then on only the boot id decides. On the same boot there is no verdict before the
 * helper can't begin any more, has nothing in flight and no shutdown is under way.
 */
import { type CommandState, type FinalState, isFinal, type Why } from "../model/command.ts";
import { AgentError } from "../model/errors.ts";
import type { Looked } from "./after-boot/compare.ts";
import { resultOf, verdictText } from "./after-boot/words.ts";
import { type Plan, REBOOT_STEP } from "./command-type.ts";
import { type CommandRecord, type Progress, type RebootIntent, withoutPictures } from "./record.ts";

/** What can happen to a command. */
export type Input =
  /** `simulated`: what would have stopped it, were it no test; sentences. */
  | { readonly kind: "gates"; readonly verdict: "pass"; readonly simulated?: readonly string[] }
  | { readonly kind: "gates"; readonly verdict: "wait" | "refuse"; readonly why: Why }
  | { readonly kind: "rehearsed"; readonly why: Why; readonly result: Progress["result"] }
  /** The gates would let it through, as they would many others in this moment: its share of the splay is waited first. */
  | { readonly kind: "postponed"; readonly notBefore: NonNullable<Progress["notBefore"]>; readonly why: Why }
  | { readonly kind: "cancel"; readonly by: string }
  /** The journal it stands in is an older one: what was done since is not known. */
  | { readonly kind: "outdated"; readonly why: Why }
  /** The step under way is done. */
  | { readonly kind: "stepped"; readonly result: Progress["result"]; readonly simulated: boolean }
  | { readonly kind: "step_failed"; readonly why: Why }
  /** The agent was started while the step was under way, and nobody knows how far it came. */
  | { readonly kind: "interrupted" }
  /** All is ready for the reboot: the intent to be written before the helper is asked. */
  | { readonly kind: "intend"; readonly intent: RebootIntent }
  /** refused: certainly not begun. unknown: nobody can say. */
  | { readonly kind: "called"; readonly answer: "taken" }
  | { readonly kind: "called"; readonly answer: "refused" | "unknown"; readonly why: Why }
  /** On the boot it began on: a look at what is under way. */
  | { readonly kind: "same_boot"; readonly possible: boolean; readonly why: Why }
  /** Another boot id than the one it began on. */
  | {
      readonly kind: "new_boot";
      readonly bootId: string;
      readonly cause: "command" | "unverified";
      readonly how: readonly string[];
      /** How the kernel was started; null: not known. */
      readonly way: "firmware" | "kexec" | null;
      /** The node is looked at until this uptime of the new boot, milliseconds. */
      readonly lookUntilMs: number;
    }
  | { readonly kind: "simulated_boot" }
  /** Looked at after the boot, or null: nothing was noted before it. Whatever was seen, the reboot is done. */
  | { readonly kind: "verified"; readonly looked: Looked | null };

/** What becomes of it: fields that change, the sentence for the history, and what could not be done as asked. */
interface Change extends Partial<Omit<Progress, "since">> {
  readonly say: string;
  readonly error?: Why;
}

type Row<K extends Input["kind"]> = (
  now: Progress,
  input: Extract<Input, { kind: K }>,
  plan: Plan,
) => Change | null;
type Rows = { readonly [K in Input["kind"]]?: Row<K> };

// biome-ignore format: a table is read by its columns
const pending: Rows = {
  gates:     (now, input, plan) => input.verdict === "pass" ? begin(now, plan, input.simulated) : input.verdict === "wait" ? wait(now, input.why) : refuse(input.why),
  postponed: (_now, { notBefore, why }) => ({ state: "waiting", notBefore, why, say: why.text }),
  rehearsed: (_now, { why, result }) => ({ ...end("rehearsed", why), result }),
  cancel:    (_now, { by }) => ({ state: "cancelled", why: cancelled(by), say: `Cancelled by ${by}.` }),
  outdated:  (_now, { why }) => end("failed", why),
};

/** The whole table: state → what can happen → what comes of it; null: nothing changes. A pair that is not here can't happen. */
// biome-ignore format: a table is read by its columns
const TABLE: Readonly<Record<Exclude<CommandState, "received" | FinalState>, Rows>> = {
  accepted: pending,
  waiting:  pending,
  running: {
    cancel:      (now, { by }) => now.cancelledBy === null ? { cancelledBy: by, say: `${by} wants it cancelled.` } : null,
    interrupted: (now, _input, plan) => again(now, plan),
    outdated:    (_now, { why }) => end("failed", why),
    stepped:     (now, { result, simulated }, plan) => next(now, { ...now.result, ...result, ...(simulated && { simulated: true }) }, plan),
    step_failed: (now, { why }) => now.cancelledBy !== null ? end("cancelled", cancelled(now.cancelledBy)) : end("failed", why),
    intend:      (now, { intent }) => now.cancelledBy !== null ? end("cancelled", cancelled(now.cancelledBy)) : { state: "rebooting", step: null, reboot: intent, say: `Rebooting (${intent.method}); the host runs boot ${intent.fromBootId}.` },
  },
  rebooting: {
    cancel:         (now, { by }) => tooLate(now, by, "the reboot is under way"),
    called:         (now, input) => input.answer === "refused" ? end("failed", input.why) : { reboot: { ...reboot(now), answer: input.answer }, say: input.answer === "taken" ? "The host is going down." : `Whether the reboot began is not known: ${input.why.text}` },
    // By the boot id, as ever: the helper is asked for no reboot here.
    outdated:       () => null,
    same_boot:      (_now, { possible, why }) => possible ? null : end("failed", why),
    new_boot:       (now, { bootId, cause, how, way, lookUntilMs }) => ({ state: "verifying", reboot: { ...reboot(now), lookUntil: { bootId, uptimeMs: lookUntilMs } }, result: { ...now.result, from_boot_id: reboot(now).fromBootId, boot_id: bootId, cause, ...(way !== null && { way }), ...(how.length > 0 && { how }) }, say: `The host came back with boot ${bootId}${way === "kexec" ? ", by kexec and not through its firmware" : ""}.` }),
    simulated_boot: (now) => ({ state: "verifying", result: { ...now.result, simulated: true, from_boot_id: reboot(now).fromBootId, boot_id: reboot(now).fromBootId }, say: "Test mode: the host was not asked to reboot." }),
  },
  verifying: {
    cancel:   (now, { by }) => tooLate(now, by, "it is done"),
    outdated: () => null,
    verified: (now, { looked }) => looked === null ? { state: "succeeded", say: now.result.simulated === true ? "Done, as far as a test goes: nothing was touched." : "Done." } : { state: "succeeded", reboot: withoutPictures(reboot(now), looked.after), result: { ...now.result, ...resultOf(looked.comparison) }, say: verdictText(looked.comparison) },
  },
};

export interface Advanced {
  readonly progress: Progress;
  /** One sentence for history and event. */
  readonly say: string;
  /** What could not be done as asked, though the command goes on: `too_late`. */
  readonly error: Why | null;
}

/**
 * What `input` makes of a command.
 * @param at wall clock, milliseconds
 * @returns null when nothing changes
 * @throws AgentError `no_transition`: that can't happen in this state, so somebody's idea of it is wrong
 */
export function advance(record: CommandRecord, input: Input, plan: Plan, at: number): Advanced | null {
  const { progress } = record;
  if (isFinal(progress.state)) {
    if (input.kind === "cancel") return null;
    throw noTransition(record, input);
  }
  const rows = progress.state === "received" ? undefined : TABLE[progress.state as keyof typeof TABLE];
  const row = rows?.[input.kind] as Row<Input["kind"]> | undefined;
  if (row === undefined) throw noTransition(record, input);
  const change = row(progress, input as never, plan);
  if (change === null) return null;
  const { say, error = null, ...fields } = change;
  const state = fields.state ?? progress.state;
  const since = state === progress.state ? progress.since : at;
  const changed = { ...progress, ...fields, since };
  const { reboot: intent } = changed;
  const kept = intent !== null && isFinal(state) ? withoutPictures(intent, null) : intent;
  return { progress: { ...changed, reboot: kept }, say, error };
}

function begin(now: Progress, plan: Plan, simulated: readonly string[] = []): Change {
  return {
    state: "running",
    why: null,
    step: plan.steps[0] ?? null,
    say: [`Begun: ${plan.steps[0] ?? "nothing to do"}.`, ...simulated].join(" "),
    result: now.result,
  };
}

/** The same reason again is no news, though its sentence may count down. */
function wait(now: Progress, why: Why): Change | null {
  if (now.state === "waiting" && now.why?.code === why.code) return null;
  return { state: "waiting", why, say: why.text };
}

function refuse(why: Why): Change {
  return end(why.code === "expired" ? "expired" : "refused", why);
}

function end(state: FinalState, why: Why): Change {
  return { state, why, step: null, say: why.text };
}

function next(now: Progress, result: Progress["result"], plan: Plan): Change {
  const following = plan.steps[plan.steps.indexOf(now.step ?? "") + 1];
  if (following === undefined)
    return {
      state: "succeeded",
      step: null,
      result,
      say: result.simulated === true ? "Done, as far as a test goes: nothing was touched." : "Done.",
    };
  if (now.cancelledBy !== null) return { ...end("cancelled", cancelled(now.cancelledBy)), result };
  return { step: following, result, say: `Goes on with ${following}.` };
}

/** After a restart of the agent: what may be done twice is done again, what may not has failed. */
function again(now: Progress, plan: Plan): Change {
  const idempotent = plan.isIdempotent(now.step);
  // Before anything is done again, and with nothing done that may not be done twice: as it was wanted.
  if (idempotent && now.cancelledBy !== null) return end("cancelled", cancelled(now.cancelledBy));
  // Nothing has happened yet, and the reasons to go on may be gone: through the gates once more.
  if (now.step === REBOOT_STEP && plan.steps[0] === REBOOT_STEP)
    return {
      state: "accepted",
      step: null,
      say: "The agent was restarted before anything had happened: looked at anew.",
    };
  if (idempotent) return { say: `Begun again after a restart of the agent: ${now.step}.` };
  return end("failed", interrupted(now.step));
}

function reboot({ reboot: intent }: Progress): RebootIntent {
  if (intent === null) throw new AgentError("no_transition", "a reboot under way without its intent");
  return intent;
}

/** Said once: a server repeats its wish until the command is over. */
function tooLate(now: Progress, by: string, why: string): Change | null {
  if (now.cancelledBy !== null) return null;
  const say = `Too late to cancel (${by}): ${why}.`;
  return { cancelledBy: by, say, error: { code: "too_late", text: say, nextStep: null } };
}

function cancelled(by: string): Why {
  return { code: "cancelled", text: `Cancelled by ${by}.`, nextStep: null };
}

function interrupted(step: string | null): Why {
  return {
    code: "interrupted",
    text: `The agent ended during "${step}", which is not done twice on doubt.`,
    nextStep: "ask for it again if it is still wanted",
  };
}

function noTransition({ asked, progress }: CommandRecord, input: Input): AgentError {
  return new AgentError(
    "no_transition",
    `${asked.type} ${asked.id} is ${progress.state}, where "${input.kind}" can't happen`,
  );
}
