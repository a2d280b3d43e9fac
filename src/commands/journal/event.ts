/** What a control API is told of a command, and how an error becomes the reason for it. Pure. */
import { type CommandState, isFinal, type Why } from "../../model/command.ts";
import { errorCode, errorText } from "../../model/errors.ts";
import type { EventDraft } from "../../model/event.ts";
import { sentence } from "../../model/text/sentence.ts";
import type { Progress } from "../record.ts";

const EVENT_RESULT_CHARACTERS = 8_000;

/** The event that tells a control API where a command stands (protocol: `command.state`). */
export function commandEvent(
  { id, type, operationId }: { id: string; type: string; operationId: string | null },
  { state, why, step, result }: Pick<Progress, "state" | "why" | "step" | "result">,
  say: string,
  error: Why | null,
): EventDraft {
  const told = error ?? (endedBadly(state) ? why : null);
  const given = isFinal(state) && Object.keys(result).length > 0 ? result : null;
  return {
    type: "command.state",
    severity: state === "failed" ? "error" : told === null && !isWorse(result) ? "info" : "warning",
    data: {
      command_id: id,
      type,
      state,
      ...(operationId !== null && { operation_id: operationId }),
      ...(step !== null && { step }),
      message: say,
      ...(why !== null &&
        !endedBadly(state) && { reason: { code: why.code, text: why.text, next_step: why.nextStep } }),
      ...(told !== null && {
        error: {
          code: told.code,
          message: told.text,
          ...(told.nextStep !== null && { next_step: told.nextStep }),
        },
      }),
      ...(given !== null && { result: short(given) }),
    },
  };
}

/** A rehearsal has its reason, as what waits has; an error is something else. */
export function endedBadly(state: CommandState): boolean {
  return isFinal(state) && state !== "rehearsed";
}

/** An error as a reason. */
export function whyOf(error: unknown): Why {
  const nextStep = error !== null && typeof error === "object" && "nextStep" in error ? error.nextStep : null;
  return {
    code: errorCode(error),
    text: sentence(errorText(error) || "no reason was given"),
    nextStep: typeof nextStep === "string" ? nextStep : null,
  };
}

/** It was done, and something that worked before does not any more. */
function isWorse({ regressed }: Progress["result"]): boolean {
  return Array.isArray(regressed) && regressed.length > 0;
}

function short(result: Progress["result"]): unknown {
  return JSON.stringify(result).length > EVENT_RESULT_CHARACTERS ? { too_long_for_an_event: true } : result;
}
