/** Doing one step of a command: within its time, until it is cancelled, and not at all in test mode. */
import * as v from "valibot";
import { AgentError } from "../../model/errors.ts";
import type { Acts, AnyCommandType } from "../command-type.ts";
import { whyOf } from "../journal/event.ts";
import type { Input } from "../machine.ts";
import type { CommandRecord } from "../record.ts";
import type { HandsPort } from "./ports.ts";
import type { Undoing } from "./undo.ts";

export interface Steps {
  /** The step the record stands at. @returns the record after it; unchanged when the agent stops meanwhile */
  run(record: CommandRecord, type: AnyCommandType, acts: Acts): Promise<CommandRecord>;
  /** End the step of this command, if it is under way. */
  cancel(id: string, by: string): void;
}

export function openSteps(
  hands: HandsPort,
  inside: {
    readonly apply: (record: CommandRecord, input: Input) => CommandRecord;
    readonly undoing: Undoing;
    readonly stopping: AbortSignal;
  },
): Steps {
  const { apply, undoing, stopping } = inside;
  let current: { readonly id: string; readonly abort: AbortController } | null = null;

  return {
    async run(record, type, acts) {
      const { asked, progress } = record;
      const step = type.steps.find(({ name }) => name === progress.step);
      if (step === undefined) return apply(record, { kind: "step_failed", why: unknownStep(progress.step) });
      if (step.hardware && asked.mode !== "live")
        return apply(record, { kind: "stepped", result: {}, simulated: true });
      const abort = new AbortController();
      current = { id: asked.id, abort };
      const late = new AgentError("timeout", `"${step.name}" was not done within its time`);
      const timer = setTimeout(() => abort.abort(late), type.timeoutMs);
      const signal = AbortSignal.any([abort.signal, stopping]);
      let input: Input;
      try {
        const work = step.run({
          id: asked.id,
          source: asked.source,
          // As it was asked it lacks the defaults: it is kept so, because that is what was signed.
          params: v.parse(type.params, asked.params),
          signal,
          acts,
          helper: (operation, args) =>
            hands.helper().call(operation, args, signal, { ...callAs(record), deadlineMs: type.timeoutMs }),
          undo: (kind, args, ttlMs) => undoing.add(asked.id, kind, args, ttlMs),
        });
        // What does not listen to the signal is not waited for: neither a cancel nor the end of the agent may hang on it.
        const result = await unlessOver(work, signal);
        input = { kind: "stepped", result, simulated: false };
      } catch (error) {
        input = { kind: "step_failed", why: whyOf(abort.signal.aborted ? abort.signal.reason : error) };
      } finally {
        clearTimeout(timer);
        current = null;
      }
      // A step that the end of the agent cut short stays "running": the next start decides.
      if (input.kind === "step_failed" && stopping.aborted) return record;
      return apply(record, input);
    },
    cancel(id, by) {
      if (current?.id === id) current.abort.abort(new AgentError("cancelled", `cancelled by ${by}`));
    },
  };
}

/** @throws the signal's reason as soon as it fires */
async function unlessOver<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const over = Promise.withResolvers<never>();
  const end = (): void => over.reject(signal.reason);
  if (signal.aborted) end();
  else signal.addEventListener("abort", end, { once: true });
  try {
    return await Promise.race([work, over.promise]);
  } finally {
    signal.removeEventListener("abort", end);
    work.catch(() => undefined);
    over.promise.catch(() => undefined);
  }
}

/** On whose behalf the helper is asked. */
export function callAs({ asked: { id, source, signature, signedText } }: CommandRecord) {
  const signed = signature === null || signedText === null ? {} : { signed: { text: signedText, signature } };
  return { id, source, ...signed };
}

function unknownStep(step: string | null) {
  return { code: "interrupted", text: `This version does not know the step "${step}".`, nextStep: null };
}
