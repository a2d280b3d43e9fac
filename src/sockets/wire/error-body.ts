/** The envelope of an error, the same for what a route refuses and for what is no request at all. */
import type { AgentError } from "../../model/errors.ts";
import { scrubSecrets } from "../../model/text/scrub.ts";

/** JSON without a line break, and without secrets. */
export function errorBody(error: AgentError): string {
  return JSON.stringify({
    error: {
      code: error.code,
      message: scrubSecrets(error.message),
      next_step: error.nextStep === null ? null : scrubSecrets(error.nextStep),
    },
  });
}
