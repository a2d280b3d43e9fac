/** The port where nobody is root: every call says so, with what to type. */
import { AgentError } from "../model/errors.ts";
import type { HelperPort } from "./port.ts";

/** @param sentence why there is none; @param nextStep what to type to have one */
export function noHelper(sentence: string, nextStep: string): HelperPort {
  return {
    how: { kind: "none", sentence, nextStep },
    async call() {
      throw new AgentError("helper_absent", sentence, nextStep);
    },
  };
}
