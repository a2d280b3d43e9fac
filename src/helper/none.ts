/** The port where nobody is root: every call says so, with what to type. */
import { AgentError } from "../model/errors.ts";
import type { HelperPort } from "./port.ts";

/** @param sentence why there is none; @param nextStep what to type to have one */
export function noHelper(sentence: string, nextStep: string): HelperPort {
  return {
    how: { kind: "none", sentence, nextStep },
    async call() {
      // A section is what needs it; of a call it has to be said.
      throw new AgentError("helper_absent", sentence.replace(/^needs /, "this needs "), nextStep);
    },
  };
}
