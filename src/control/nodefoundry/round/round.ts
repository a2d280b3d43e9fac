/** One sync with a session in hand: send, read the answer, keep what it gave. */
import * as v from "valibot";
import { AgentError } from "../../../model/errors.ts";
import { type ParsedCommands, parseCommands } from "../../command-document.ts";
import type { ControlContext, SyncInput, SyncOutcome } from "../../control-api.ts";
import { badAnswer } from "../../http/errors.ts";
import { RetryError } from "../../retry-error.ts";
import { serverTime } from "../answer-errors.ts";
import { syncBody } from "../body.ts";
import { API, type Connection, judgeClock } from "../connection.ts";
import type { Session, Sessions } from "../session.ts";
import { SyncAnswer, type SyncData } from "../wire.ts";
import { judgeAck } from "./ack.ts";
import type { Sequence } from "./sequence.ts";

/** What a long poll may take beyond its wait before it counts as lost. */
const BEYOND_WAIT_MS = 15_000;
const FIRST_BYTE_MS = 30_000;

export interface RoundParts {
  readonly context: ControlContext;
  readonly connection: Connection;
  readonly sessions: Sessions;
  readonly sequence: Sequence;
  /** Reports in a row that were not confirmed. */
  unconfirmed(): number;
  /** Never a long poll. */
  readonly metered: boolean;
}

/**
 * @param token of the session, or the one before it
 * @throws AgentError of the connection; a long poll that a gateway ends with its own error is `connection_lost`
 */
export async function syncRound(
  parts: RoundParts,
  session: Session,
  token: string,
  input: SyncInput,
  signal: AbortSignal,
): Promise<SyncOutcome> {
  const { context, connection, sequence } = parts;
  const seq = sequence.take();
  const body = syncBody(input, {
    identity: context.identity(),
    seq,
    sentAt: context.clock.now(),
    serverWaitS: parts.metered ? 0 : session.waitS,
  });
  const firstByteMs = Math.max(FIRST_BYTE_MS, body.waitS * 1000 + BEYOND_WAIT_MS);
  let answer: Awaited<ReturnType<Connection["call"]>>;
  try {
    answer = await connection.call({
      method: "POST",
      path: `/v1/nodes/${encodeURIComponent(session.nodeId)}/sync`,
      body: body.text,
      bearer: token,
      firstByteMs,
      // Ordered by seq, events by id: the server merges it once.
      repeatable: true,
      signal,
    });
  } catch (error) {
    // 502, 503, 504 without Retry-After into a poll: a gateway lost patience, the server said nothing.
    if (
      body.waitS > 0 &&
      error instanceof RetryError &&
      error.code === "unavailable" &&
      error.retryAfterMs === null
    ) {
      throw new AgentError(
        "connection_lost",
        `A gateway before ${connection.host} ended the long poll.`,
        null,
        { cause: error },
      );
    }
    throw error;
  }
  const parsed = v.safeParse(SyncAnswer, answer.body);
  if (!parsed.success) throw badAnswer(connection.host, "something else than the answer to a sync");
  const { data } = parsed.output;
  const confirmed = judgeAck(context, sequence, {
    ...{ api: API, sent: seq, acknowledged: data.ack_seq, before: parts.unconfirmed() },
  });
  const resync = session.fresh
    ? Object.keys(input.hashes).filter((name) => input.changed[name] === undefined)
    : [];
  keep(parts, session, token, data, confirmed);
  judgeClock(context, data.now ?? serverTime(answer));
  const found = parseCommands(data.commands, {
    nodeId: session.nodeId,
    mode: session.mode,
    source: API,
  });
  tell(context, found);
  return {
    confirmed,
    ackedEvents: data.acked_events,
    resync: [...new Set([...data.resync, ...resync])],
    commands: found.commands,
    cancel: data.cancel,
    serverNow: data.now,
    epoch: data.epoch,
    intervalS: data.interval_s,
    readOnly: false,
    openCommands: session.openCommands,
    registered: session.fresh,
    rejected: found.rejected,
  };
}

/** The token worked: the one before it is of no more use. One that came with the answer is kept beside it. */
function keep(parts: RoundParts, used: Session, token: string, data: SyncData, confirmed: boolean): void {
  const { sessions } = parts;
  const now = sessions.get();
  // Meanwhile somebody enrolled, reset or left: this answer belongs to the past.
  if (now === null || now.nodeId !== used.nodeId || now.token !== used.token) return;
  const next: Session = {
    ...now,
    fresh: now.fresh && !confirmed,
    token: data.node_token ?? token,
    previousToken: data.node_token ? token : null,
  };
  const changed = (Object.keys(next) as (keyof Session)[]).some((key) => next[key] !== now[key]);
  if (changed) sessions.put(next);
}

function tell({ conditions, log }: ControlContext, found: ParsedCommands): void {
  // What a server sends again and again is told once, by its condition; each answer is for whoever looks closer.
  if (found.foreign.length > 0) log.debug({ commands: found.foreign }, "commands for another node ignored");
  if (found.rejected.length === 0 && found.nameless === 0) {
    conditions.clear("command_malformed", API);
    return;
  }
  const ids = found.rejected.map(({ id, message }) => `${id} (${message})`);
  if (found.nameless > 0) ids.push(`${found.nameless} without an id`);
  log.debug({ commands: ids }, "commands that can't be read were not executed");
  conditions.raise({
    code: "command_malformed",
    subject: API,
    severity: "warning",
    text: `NodeFoundry sent commands that can't be read and were not executed: ${ids.join(", ").slice(0, 300)}.`,
    nextStep: "foundry-agent version  # a newer agent may know them",
  });
}
