/** `PUT /v1/nodes/{id}/diagnostics/{command_id}`: a diagnostics bundle, for a command of this server. */
import { readFileSync } from "node:fs";
import { AgentError, errorCode } from "../../model/errors.ts";
import type { HttpAnswer } from "../http/http.ts";
import { answerError, saidIn } from "./answer-errors.ts";
import type { Connection } from "./connection.ts";
import type { Session } from "./session.ts";

/** Of docs/agent-api.openapi.json. */
const MAX_BYTES = 5 * 1024 * 1024;
/** Megabytes through a slow uplink; from connected to the answer's head. */
const FIRST_BYTE_MS = 180_000;
const NO_SUCH_ROUTE = new Set([404, 405, 501]);
/** The route is there, but what it is asked for is not: 404s and 409s that say nothing of the agent API. */
const ABOUT_THE_COMMAND = new Set(["command_not_found", "not_a_diagnostics_command"]);
/** 404s and 409s that are about the node: a round will find and settle them. */
const ABOUT_THE_NODE = new Set(["node_not_found", "node_cloned", "two_instances"]);

export interface Upload {
  readonly commandId: string;
  readonly path: string;
  readonly bytes: number;
  readonly signal: AbortSignal;
  /** Wall clock, milliseconds; for Retry-After. */
  readonly now: number;
}

/** @throws AgentError as `ControlApi.upload` */
export async function uploadBundle(connection: Connection, session: Session, wanted: Upload): Promise<void> {
  if (wanted.bytes > MAX_BYTES) throw tooLarge(connection.host);
  const data = read(wanted.path);
  let answer = await put(connection, session, session.token, data, wanted);
  // A round may have brought a new token that the server has not seen used yet, or lost the answer with it.
  if (answer.status === 401 && session.previousToken !== null)
    answer = await put(connection, session, session.previousToken, data, wanted);
  if (answer.status >= 300) throw refusal(answer, connection.host, wanted.now);
}

function put(
  connection: Connection,
  session: Session,
  token: string,
  data: Uint8Array,
  { commandId, signal }: Upload,
): Promise<HttpAnswer> {
  return connection.exchange({
    method: "PUT",
    path: `/v1/nodes/${encodeURIComponent(session.nodeId)}/diagnostics/${encodeURIComponent(commandId)}`,
    headers: { "content-type": "application/gzip" },
    body: data,
    bearer: token,
    firstByteMs: FIRST_BYTE_MS,
    // The same bundle under the same id.
    repeatable: true,
    signal,
  });
}

function refusal(answer: HttpAnswer, host: string, now: number): AgentError {
  const { code, message } = saidIn(answer.body);
  if (ABOUT_THE_COMMAND.has(code))
    return new AgentError("upload_refused", `${host} does not take the bundle: ${message || code}.`);
  if (answer.status === 413) return tooLarge(host);
  if (NO_SUCH_ROUTE.has(answer.status) && !ABOUT_THE_NODE.has(code))
    return new AgentError("upload_unsupported", `${host} takes no diagnostics bundles (${answer.status}).`);
  if (answer.status === 409 && !ABOUT_THE_NODE.has(code))
    return new AgentError("upload_refused", `${host} does not take the bundle: ${message || code || 409}.`);
  return answerError(answer, host, now);
}

function tooLarge(host: string): AgentError {
  return new AgentError(
    "upload_too_large",
    `The bundle is larger than ${host} takes; it stays on this node.`,
  );
}

function read(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new AgentError(
      "upload_unreadable",
      `The bundle ${path} can't be read (${errorCode(error)}).`,
      `ls -l ${path}`,
      { cause: error },
    );
  }
}
