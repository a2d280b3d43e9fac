/**
 * What comes in on the way to an answer, each part bounded as it comes: the head, what is said before it (1xx), the
 * body, and all bytes together with whatever lies around them (chunk sizes and their extensions, trailers), which
 * Node bounds one by one and never as a whole.
 */
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { AgentError } from "../../model/errors.ts";
import { boundsOf, isError, tooLarge } from "./answer.ts";
import { badAnswer } from "./errors.ts";

/** Of one head: status line and headers. Trailers are counted as another. */
export const MAX_HEAD_BYTES = 16 * 1024;
/** Informational answers (100, 103, …) to one request: more than two say nothing that anybody here reads. */
const MAX_INTERIM = 8;
/** Everything that comes for one request, inside of TLS: an answer of full size, and as much again around it. */
const MAX_WIRE_BYTES = 2 * 1024 * 1024;

/**
 * Watch what comes for one request until the returned function is called.
 * @param fail called at most once, with `bad_answer`
 */
export function boundWire(
  call: ClientRequest,
  socket: Socket,
  host: string,
  fail: (error: AgentError) => void,
): () => void {
  let bytes = 0;
  let interim = 0;
  const count = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > MAX_WIRE_BYTES)
      fail(badAnswer(host, `more than ${MAX_WIRE_BYTES / 1024 / 1024} MiB of which little is an answer`));
  };
  const before = (): void => {
    interim += 1;
    if (interim > MAX_INTERIM) fail(badAnswer(host, `more than ${MAX_INTERIM} announcements (1xx) and none`));
  };
  socket.on("data", count);
  call.on("information", before);
  return () => {
    socket.off("data", count);
    call.off("information", before);
  };
}

/**
 * The body as it was sent. Of an error answer what is too long is left away, and `done` is called without it.
 * @param fail `answer_too_large`, `connection_lost`, or what the connection ended with
 */
export function readBody(
  response: IncomingMessage,
  host: string,
  fail: (error: unknown) => void,
  done: (bytes: Buffer) => void,
): void {
  const status = response.statusCode ?? 0;
  const most = boundsOf(status).bytes;
  const chunks: Buffer[] = [];
  let size = 0;
  const tooMuch = (): void => (isError(status) ? done(Buffer.alloc(0)) : fail(tooLarge(host, status)));
  if (Number(response.headers["content-length"] ?? 0) > most) {
    tooMuch();
    return;
  }
  response.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > most) tooMuch();
    else chunks.push(chunk);
  });
  response.on("error", fail);
  // Without Content-Length a lost connection and an end look alike: `complete` tells them apart.
  response.on("end", () => {
    if (response.complete) done(Buffer.concat(chunks.splice(0)));
    else fail(cutShort(host));
  });
  response.on("close", () => fail(cutShort(host)));
}

export function cutShort(host: string): AgentError {
  return new AgentError("connection_lost", `${host} broke off in the middle of its answer.`);
}
