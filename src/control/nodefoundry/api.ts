/**
 * NodeFoundry as a control API: what is done in which order when the server says no. The parts are in the
 * files beside this one; the protocol's document is docs/agent-api.openapi.json.
 */

import { AgentError, errorCode, errorText } from "../../model/errors.ts";
import type { ControlApi, ControlContext, ControlStatus, SyncInput, SyncOutcome } from "../control-api.ts";
import { METERED_UPLOAD_BYTES } from "../metered.ts";
import { nodeName, syncBody } from "./body.ts";
import { type LastRound, runChecks } from "./check.ts";
import type { NodeFoundryConfig } from "./config-type.ts";
import { API, openConnection } from "./connection.ts";
import { uploadBundle } from "./diagnostics.ts";
import { openEnrolment, renewAsCopy } from "./enrolment.ts";
import { checkKey, refuseForEnrolment } from "./key.ts";
import { keyKind } from "./key-kind.ts";
import { openLooker, type ReadOnly } from "./read-only/round.ts";
import { openRegistration, REGISTRATION } from "./round/registration.ts";
import { syncRound } from "./round/round.ts";
import { openSequence } from "./round/sequence.ts";
import { openSessions, type Session } from "./session.ts";

/** 404s in a row that mean "no agent API" and not a moment of a deployment. */
const MISSING_TWICE = 2;
/** How often a server without an agent API is asked whether it has one now. */
const ASK_AGAIN_MS = 6 * 3_600_000;
const LEFT = "this node has left; foundry-agent enroll brings it back";

export function nodefoundryApi(config: NodeFoundryConfig, context: ControlContext): ControlApi {
  const { conditions, clock } = context;
  const sessions = openSessions(context.values, config.url);
  const sequence = openSequence(context.values);
  const connection = openConnection(config, context);
  const enrolment = openEnrolment(config, context, connection, sessions, sequence);
  const registration = openRegistration(config, context, enrolment, sessions);
  const looker = openLooker(config, context, connection);
  const metered = config.profile === "metered";
  const parts = { context, connection, sessions, sequence, metered, unconfirmed: registration.unconfirmed };
  let missing = 0;
  let readOnly: ReadOnly | null = null;
  let last: LastRound | null = null;
  let keyNote: string | null = null;
  /** Session whose open commands the agent has been given. */
  let handedOver: string | null = null;

  async function sync(input: SyncInput, signal: AbortSignal): Promise<SyncOutcome> {
    try {
      const outcome = await anyRound(input, signal);
      last = {
        ok: true,
        code: null,
        text: outcome.readOnly ? "may read" : "the last report was accepted",
        nextStep: null,
      };
      return outcome;
    } catch (error) {
      if (errorCode(error) !== "aborted") {
        last = {
          ok: false,
          code: errorCode(error),
          text: errorText(error),
          nextStep: error instanceof AgentError ? error.nextStep : null,
        };
      }
      throw error;
    }
  }

  async function anyRound(input: SyncInput, signal: AbortSignal): Promise<SyncOutcome> {
    readOnly ??= looker.byKey(sessions.get() !== null);
    if (readOnly && (readOnly.askAgainAt === null || clock.monotonic() < readOnly.askAgainAt)) {
      return await looker.round(readOnly.why, input, signal);
    }
    try {
      const outcome = await agentRound(input, signal);
      missing = 0;
      readOnly = null;
      for (const code of ["no_agent_api", ...REGISTRATION]) conditions.clear(code, API);
      return outcome;
    } catch (error) {
      if (errorCode(error) !== "no_agent_api") {
        missing = 0;
        throw error;
      }
      missing += 1;
      if (missing < MISSING_TWICE) throw error;
      readOnly = { why: `${connection.host} has no agent API`, askAgainAt: clock.monotonic() + ASK_AGAIN_MS };
      return await looker.round(readOnly.why, input, signal);
    }
  }

  async function agentRound(input: SyncInput, signal: AbortSignal): Promise<SyncOutcome> {
    dropHandedOver();
    const session = await registration.current(signal);
    try {
      return handOver(session, await syncRound(parts, session, session.token, input, signal));
    } catch (error) {
      return await afterRefusal(error, session, input, signal);
    }
  }

  async function afterRefusal(
    error: unknown,
    session: Session,
    input: SyncInput,
    signal: AbortSignal,
  ): Promise<SyncOutcome> {
    const code = errorCode(error);
    if (code === "credential_refused" && session.previousToken !== null) {
      try {
        return handOver(session, await syncRound(parts, session, session.previousToken, input, signal));
      } catch (second) {
        if (errorCode(second) !== "credential_refused") throw second;
      }
    }
    if (code === "node_not_found" || code === "credential_refused") {
      const fresh = await registration.again(code, error, signal);
      return handOver(fresh, await syncRound(parts, fresh, fresh.token, input, signal));
    }
    if (code === "node_cloned") renewAsCopy(context, sessions, errorText(error));
    if (code === "two_instances") {
      conditions.raise({
        code,
        subject: API,
        severity: "error",
        text: errorText(error),
        nextStep: error instanceof AgentError ? error.nextStep : null,
      });
    }
    throw error;
  }

  function handOver(session: Session, outcome: SyncOutcome): SyncOutcome {
    registration.answered(outcome.confirmed);
    if (session.openCommands.length > 0) handedOver = session.nodeId;
    return outcome;
  }

  /** The agent came back for another round, so it has taken what the last one gave. */
  function dropHandedOver(): void {
    const session = sessions.get();
    if (session && handedOver === session.nodeId) sessions.put({ ...session, openCommands: [] });
    handedOver = null;
  }

  function status(): ControlStatus {
    if (readOnly) {
      return {
        enrolled: false,
        nodeId: looker.node()?.id ?? null,
        mode: "read-only",
        note: looker.node()?.note ?? `${readOnly.why}: read-only`,
      };
    }
    const session = sessions.get();
    return {
      enrolled: session !== null,
      nodeId: session?.nodeId ?? null,
      mode: session?.mode ?? null,
      nodeName: session === null ? null : nodeName(context.identity(), sessions.name() ?? config.nodeName),
      note: session === null && sessions.left() ? LEFT : keyNote,
    };
  }

  return {
    name: API,
    status,
    sync,
    preview: (input) =>
      syncBody(input, {
        identity: context.identity(),
        seq: sequence.peek(),
        sentAt: clock.now(),
        serverWaitS: parts.metered ? 0 : (sessions.get()?.waitS ?? null),
      }).text,
    async enroll(given, options, signal) {
      const key = checkKey(given, "What was given");
      refuseForEnrolment(key);
      const before = sessions.name();
      if (options.name !== undefined) sessions.setName(options.name);
      try {
        await enrolment.withKey(key, signal);
      } catch (error) {
        if (options.name !== undefined) sessions.setName(before);
        throw error;
      }
      if (sessions.left()) sessions.setLeft(false);
      readOnly = null;
      missing = 0;
      keyNote =
        keyKind(key) === "live"
          ? "registered with a live account key (not kept): an enrolment key (nf_en_…) is enough"
          : null;
    },
    async upload(commandId, path, bytes, signal) {
      const session = sessions.get();
      if (session === null || readOnly !== null)
        throw new AgentError("upload_unsupported", "This node has no session to upload a bundle in.");
      if (parts.metered && bytes > METERED_UPLOAD_BYTES)
        throw new AgentError(
          "upload_metered",
          `The bundle has ${bytes} bytes, and on a metered network none above ${METERED_UPLOAD_BYTES / 2 ** 20} MiB is uploaded; it stays on this node.`,
        );
      await uploadBundle(connection, session, { commandId, path, bytes, signal, now: clock.now() });
    },
    check: (signal) => runChecks(config, context, connection, sessions.get(), last, signal),
    async leave() {
      // The API has no call for it: the node stays listed until an operator removes it.
      // First: a crash in between must not register it again.
      sessions.setLeft(true);
      sessions.put(null);
      sessions.setName(null);
      handedOver = null;
      conditions.clear("report_count_wrong", API);
      registration.left();
    },
  };
}
