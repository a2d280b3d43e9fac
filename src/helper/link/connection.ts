/**
 * One connection of a client that is not trusted: its request within a time, whether it is still there, and the
 * answer within a time. Never throws into the event loop, whatever comes.
 */
import type { Socket } from "node:net";
import { AgentError } from "../../model/errors.ts";
import { encodeFrame, frameReader, MAX_ANSWER_BYTES, MAX_REQUEST_BYTES } from "./frame.ts";
import { type Answer, wireError } from "./request.ts";

export interface Client {
  /** The body of its frame. @throws AgentError `helper_protocol`, `helper_timeout` */
  readonly request: Promise<Buffer>;
  /** Fires when it hangs up, or says more than it may. */
  readonly gone: AbortSignal;
  answer(answer: Answer): void;
}

/** @param transferMs from the connection to the last byte of the request, and again for the answer to be taken */
export function openClient(socket: Socket, transferMs: number): Client {
  const request = Promise.withResolvers<Buffer>();
  const gone = new AbortController();
  const reader = frameReader(MAX_REQUEST_BYTES);
  const slow = setTimeout(() => {
    leave(new AgentError("helper_timeout", "the request was not whole in time"));
  }, transferMs);

  function leave(why: AgentError): void {
    clearTimeout(slow);
    gone.abort(why);
    request.reject(why);
  }

  request.promise.catch(() => undefined); // awaited later, or by nobody
  socket.on("data", (chunk: Buffer) => {
    if (gone.signal.aborted) return;
    try {
      const body = reader.push(chunk);
      if (body === null) return;
      clearTimeout(slow);
      request.resolve(body);
    } catch (error) {
      leave(error as AgentError); // frameReader throws nothing else
    }
  });
  // A half-closed connection counts as gone: nobody can say whether its other half still listens.
  for (const event of ["end", "close", "error"] as const)
    socket.on(event, () => leave(new AgentError("helper_refused", "the client hung up")));

  return {
    request: request.promise,
    gone: gone.signal,
    answer(answer) {
      clearTimeout(slow);
      if (socket.destroyed) return;
      const late = setTimeout(() => socket.destroy(), transferMs);
      socket.once("close", () => clearTimeout(late));
      socket.end(answerFrame(answer), () => socket.destroy());
    },
  };
}

function answerFrame(answer: Answer): Buffer {
  try {
    return encodeFrame(answer, MAX_ANSWER_BYTES);
  } catch {
    const error = new AgentError("helper_failed", "the answer is longer than may be sent");
    return encodeFrame({ ok: false, error: wireError(error) }, MAX_ANSWER_BYTES);
  }
}
