/** Error answers as AgentErrors: the code says what the agent does about it, the sentence what the server said. */
import * as v from "valibot";
import { AgentError } from "../../model/errors.ts";
import { printable, scrubSecrets } from "../../model/text/scrub.ts";
import { clause } from "../../model/text/sentence.ts";
import type { HttpAnswer } from "../http/http.ts";
import { parseRetryAfter, RetryError } from "../retry-error.ts";
import { ErrorEnvelope } from "./wire.ts";

/**
 * Codes: `rate_limited`, `unavailable` (RetryError), `credential_refused` (401, 403), `node_not_found`,
 * `no_agent_api` (any other 404), `node_cloned`, `two_instances` (409), `request_refused` (all else).
 */
export function answerError(answer: HttpAnswer, host: string, now: number): AgentError {
  const { status } = answer;
  const { code, message } = saidIn(answer.body);
  const words = message === "" ? "" : `: ${message}`;
  if (status === 429 || status >= 500) {
    const after = parseRetryAfter(answer.headers["retry-after"], serverTime(answer) ?? now);
    const text =
      status === 429
        ? `${host} asks for fewer requests (429).`
        : `${host} is not able to answer (${status}).`;
    return new RetryError(status === 429 ? "rate_limited" : "unavailable", text, after);
  }
  if (status === 401 || status === 403) {
    return new AgentError(
      "credential_refused",
      `${host} refuses the credential (${status}${words}).`,
      "foundry-agent enroll",
    );
  }
  if (status === 404) {
    return code === "node_not_found"
      ? new AgentError("node_not_found", `${host} does not know this node any more.`, "foundry-agent enroll")
      : new AgentError(
          "no_agent_api",
          `${host} has no agent API (404).`,
          "foundry-agent config show  # is nodefoundry.url right?",
        );
  }
  if (status === 409) {
    return code === "node_cloned"
      ? new AgentError("node_cloned", `${host} says that this node is a copy of another${words}.`)
      : new AgentError(
          "two_instances",
          `${host} hears two machines under the id of this node (${code}${words}).`,
          "foundry-agent reset --identity  # on the copy; or switch one of the two off",
        );
  }
  return new AgentError(
    "request_refused",
    `${host} does not take the request (${status} ${code}${words}).`,
    "foundry-agent report --as nodefoundry  # shows what is sent; report this with both",
  );
}

/** The Date header, milliseconds; null when there is none. */
export function serverTime(answer: HttpAnswer): number | null {
  const at = Date.parse(answer.headers.date ?? "");
  return Number.isNaN(at) ? null : at;
}

/** The envelope's code and message, made harmless: they go to logs, conditions and terminals. */
export function saidIn(body: unknown): { code: string; message: string } {
  const parsed = v.safeParse(ErrorEnvelope, body);
  if (!parsed.success) return { code: "", message: "" };
  const clean = (text: string): string => printable(scrubSecrets(text));
  const { code, message } = parsed.output.error;
  return { code: clean(code), message: clause(clean(message)).slice(0, 200) };
}
