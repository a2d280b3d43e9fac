/** Registering this node, for the first time or again. */
import * as v from "valibot";
import { AgentError, errorCode, errorText } from "../../model/errors.ts";
import { clause } from "../../model/text/sentence.ts";
import { shellWord } from "../../model/text/shell-word.ts";
import { parseOpenCommands } from "../command-document.ts";
import type { ControlContext } from "../control-api.ts";
import { badAnswer } from "../http/errors.ts";
import { serverTime } from "./answer-errors.ts";
import { enrolBody } from "./body.ts";
import type { NodeFoundryConfig } from "./config-type.ts";
import { API, type Connection, judgeClock } from "./connection.ts";
import { readKeyFile, refuseForEnrolment } from "./key.ts";
import { keyKind } from "./key-kind.ts";
import type { Sequence } from "./round/sequence.ts";
import type { Session, Sessions } from "./session.ts";
import { EnrolAnswer } from "./wire.ts";

export interface Enrolment {
  /** @throws AgentError `key_read_only`, `node_cloned`, any of the connection */
  withKey(key: string, signal: AbortSignal): Promise<Session>;
  /** With `enrol_key_file`. @throws AgentError `not_enrolled` (and condition `enrol_key_needed`) without one, else as withKey */
  withFile(why: string, signal: AbortSignal): Promise<Session>;
}

export function openEnrolment(
  config: NodeFoundryConfig,
  context: ControlContext,
  connection: Connection,
  sessions: Sessions,
  sequence: Sequence,
): Enrolment {
  const { conditions } = context;

  async function register(key: string, signal: AbortSignal): Promise<Session> {
    const before = sessions.get();
    const knownAs = sessions.lastNode() ?? before?.nodeId ?? null;
    const answer = await connection.call({
      method: "POST",
      path: "/v1/nodes",
      body: enrolBody(context.identity(), sessions.name() ?? config.nodeName),
      bearer: key,
      // Each registration gives a fresh token and leaves the old one valid: twice does no harm.
      repeatable: true,
      signal,
    });
    const parsed = v.safeParse(EnrolAnswer, answer.body);
    if (!parsed.success) throw badAnswer(connection.host, "something else than a registration");
    const { data } = parsed.output;
    const same = before?.nodeId === data.id;
    const session: Session = {
      nodeId: data.id,
      token: data.node_token,
      previousToken: same ? before.token : null,
      // What a test key registered stays a test, whatever the server says.
      mode: data.mode === "live" && keyKind(key) !== "test" ? "live" : "test",
      waitS: data.sync.wait_s,
      fresh: true,
      openCommands: parseOpenCommands(data.open_commands),
    };
    sessions.put(session);
    sequence.restart();
    // Under another id the server has heard of nothing that the one before has acknowledged.
    if (knownAs !== null && knownAs !== data.id) conditions.tellAgain();
    for (const code of ["enrol_key_needed", "credential_refused", "node_cloned", "report_count_wrong"])
      conditions.clear(code, API);
    judgeClock(context, data.now ?? serverTime(answer));
    context.log.info(
      { node: session.nodeId, mode: session.mode, again: same },
      "registered with NodeFoundry",
    );
    return session;
  }

  /** @param key what `enrol_key_file` holds; null: there is none, or it can't be read */
  function judgeKeyFile(key: string | null): void {
    if (key === null || keyKind(key) !== "live") {
      conditions.clear("account_key_on_node", API);
      return;
    }
    conditions.raise({
      code: "account_key_on_node",
      subject: API,
      severity: "warning",
      text: `${config.enrolKeyFile} holds a live account key: whoever reads it on this node has the whole account.`,
      nextStep: `foundry-agent reload  # once an enrolment key (nf_en_…) stands in ${config.enrolKeyFile} instead`,
    });
  }

  // At each start and reload, registered or not: the key lies there all the same, and is gone when it was exchanged.
  judgeKeyFile(keyIn(config.enrolKeyFile));

  async function withKey(key: string, signal: AbortSignal): Promise<Session> {
    refuseForEnrolment(key);
    try {
      return await register(key, signal);
    } catch (error) {
      if (errorCode(error) === "credential_refused") throw refusedKey(error as AgentError, key);
      if (errorCode(error) !== "node_cloned") throw error;
      const before = context.identity().machineId;
      renewAsCopy(context, sessions, errorText(error));
      if (context.identity().machineId === before) throw error;
      return await register(key, signal);
    }
  }

  return {
    withKey,
    async withFile(why, signal) {
      if (config.enrolKeyFile === null) {
        conditions.raise({
          code: "enrol_key_needed",
          subject: API,
          severity: "warning",
          text: `${why}, and there is no key to register with; collecting goes on.`,
          nextStep: "foundry-agent enroll",
        });
        throw new AgentError("not_enrolled", `${why}.`, "foundry-agent enroll");
      }
      const key = readKeyFile(config.enrolKeyFile);
      judgeKeyFile(key);
      try {
        return await withKey(key, signal);
      } catch (error) {
        if (errorCode(error) !== "credential_refused") throw error;
        const next = `install -m 0640 -g foundry-agent /dev/stdin ${shellWord(config.enrolKeyFile)}  # another key; the next round takes it`;
        throw new AgentError("credential_refused", (error as AgentError).message, next, { cause: error });
      }
    },
  };
}

/** The same key again is refused again: which one would do is what is to be known. */
function refusedKey(error: AgentError, key: string): AgentError {
  const kind =
    keyKind(key) === "enrol"
      ? "it may be revoked, used up or of another server"
      : "it may be revoked or of another server";
  return new AgentError(
    "credential_refused",
    `${clause(error.message)}: the key was not accepted, ${kind}`,
    "foundry-agent enroll  # with a new enrolment key (nf_en_…), made in NodeFoundry; foundry-agent check shows which server is asked",
    { cause: error },
  );
}

/** null where it can't be read: whoever needs it says why. */
function keyIn(file: string | null): string | null {
  try {
    return file === null ? null : readKeyFile(file);
  } catch {
    return null;
  }
}

/** This node is a copy: nothing it was given counts any more. */
export function renewAsCopy(context: ControlContext, sessions: Sessions, reason: string): void {
  // Before anything is deleted or told: token and id are set aside with the rest, events are dropped.
  context.renewIdentity(reason);
  sessions.put(null);
  context.conditions.tellAgain();
  context.conditions.raise({
    code: "node_cloned",
    subject: API,
    severity: "warning",
    text: "NodeFoundry knows another machine under this node's identity, so this one takes a new identity and registers anew.",
    nextStep: "foundry-agent status  # on a changed mainboard have the node adopted in NodeFoundry",
  });
}
