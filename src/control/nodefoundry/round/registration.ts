/** With which session a round is made: the one there is, or another where there is none or the server will not have it. */
import { AgentError } from "../../../model/errors.ts";
import type { ControlContext } from "../../control-api.ts";
import type { NodeFoundryConfig } from "../config-type.ts";
import { API } from "../connection.ts";
import type { Enrolment } from "../enrolment.ts";
import type { Session, Sessions } from "../session.ts";

/** Reports in a row that a server does not confirm, after which the node registers anew. */
const UNCONFIRMED_TO_REGISTER = 3;
/** Conditions that a round which got through, or leaving, ends. */
export const REGISTRATION = [
  "credential_refused",
  "enrol_key_needed",
  "two_instances",
  "node_cloned",
  "left",
];

export interface Registration {
  /** The session for a round; made from the file of the key where there is none. @throws AgentError `not_enrolled`, those of enrolling */
  current(signal: AbortSignal): Promise<Session>;
  /** Another one after a refusal. The session is not dropped before there is another: the server may find it again. @throws `error`, those of enrolling */
  again(code: string, error: unknown, signal: AbortSignal): Promise<Session>;
  /** Whether a round's report was confirmed. */
  answered(confirmed: boolean): void;
  /** Rounds in a row whose report was not. */
  unconfirmed(): number;
  /** This node has left: all that was said of its registration is over. */
  left(): void;
}

export function openRegistration(
  config: NodeFoundryConfig,
  { conditions }: ControlContext,
  enrolment: Enrolment,
  sessions: Sessions,
): Registration {
  let unconfirmed = 0;

  /** The server counts otherwise than this node, which a new registration ends; tried once, not again and again. */
  async function recounted(signal: AbortSignal): Promise<Session | null> {
    if (unconfirmed !== UNCONFIRMED_TO_REGISTER || config.enrolKeyFile === null) return null;
    unconfirmed += 1;
    return await enrolment.withFile("NodeFoundry counts the reports of this node otherwise", signal);
  }

  async function firstSession(signal: AbortSignal): Promise<Session> {
    if (sessions.left()) {
      tellLeft();
      throw new AgentError("not_enrolled", "This node has left NodeFoundry.", "foundry-agent enroll");
    }
    // Of a session, or a leave, that a reset took away.
    for (const code of ["credential_refused", "two_instances", "left"]) conditions.clear(code, API);
    return await enrolment.withFile("This node is not registered with NodeFoundry", signal);
  }

  function tellLeft(): void {
    conditions.raise({
      code: "left",
      subject: API,
      severity: "info",
      text: "This node has left NodeFoundry: nothing is reported there until it is enrolled again; collecting goes on.",
      nextStep: "foundry-agent enroll",
    });
  }

  async function again(code: string, error: unknown, signal: AbortSignal): Promise<Session> {
    if (code === "credential_refused" && config.enrolKeyFile === null) {
      conditions.raise({
        code,
        subject: API,
        severity: "error",
        text: "NodeFoundry does not accept this node's token any more.",
        nextStep: "foundry-agent enroll",
      });
      throw error;
    }
    return await enrolment.withFile("NodeFoundry does not know this node any more", signal);
  }

  return {
    current: async (signal) => (await recounted(signal)) ?? sessions.get() ?? (await firstSession(signal)),
    again,
    answered(confirmed) {
      unconfirmed = confirmed ? 0 : unconfirmed + 1;
    },
    unconfirmed: () => unconfirmed,
    left() {
      unconfirmed = 0;
      for (const code of REGISTRATION) conditions.clear(code, API);
      tellLeft();
    },
  };
}
