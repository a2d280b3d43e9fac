/** One request served, with or without a fault: the only place that knows how a fault looks on the wire. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { cannedAnswer, type Fault } from "./faults.ts";
import {
  type Answer,
  ApiError,
  errorAnswer,
  type Request,
  readBody,
  renderAnswer,
  writeAnswer,
} from "./http.ts";

export interface ServeOptions {
  /** The fault that hits this request, if any. */
  fault(method: string, path: string): Fault | null;
  answer(request: Request, host: string): Promise<Answer>;
  /** Fires when the sandbox stops. */
  stopping: AbortSignal;
}

/** Never rejects for what a client does. */
export async function serve(
  incoming: IncomingMessage,
  response: ServerResponse,
  options: ServeOptions,
): Promise<void> {
  const requestId = `req_${randomUUID()}`;
  const gone = new AbortController();
  const stop = (): void => gone.abort();
  response.on("close", stop);
  options.stopping.addEventListener("abort", stop);
  try {
    const url = new URL(incoming.url ?? "/", "http://sandbox.invalid");
    const method = incoming.method ?? "GET";
    const fault = options.fault(method, url.pathname);
    if (fault?.kind === "drop_before") return void incoming.socket.destroy();
    const body = await readBody(incoming);
    const { headers } = incoming;
    const request: Request = {
      method,
      path: url.pathname,
      query: url.searchParams,
      headers,
      body,
      requestId,
      gone: gone.signal,
    };
    const host = (headers.host ?? "").replace(/:\d+$/, "").toLowerCase();
    const answer = (): Promise<Answer> => options.answer(request, host);
    await (fault ? play(fault, request, response, answer) : writeAnswer(response, await answer(), requestId));
  } catch (error) {
    refuse(response, requestId, error);
  } finally {
    options.stopping.removeEventListener("abort", stop);
  }
}

function refuse(response: ServerResponse, requestId: string, error: unknown): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  const known =
    error instanceof ApiError ? error : new ApiError(400, "invalid_request", "The request cannot be read.");
  writeAnswer(response, { ...errorAnswer(known, requestId) }, requestId);
}

async function play(
  fault: Fault,
  request: Request,
  response: ServerResponse,
  answer: () => Promise<Answer>,
): Promise<void> {
  const { requestId, gone } = request;
  const canned = cannedAnswer(fault, requestId);
  if (canned) return writeAnswer(response, canned, requestId);
  switch (fault.kind) {
    case "slow":
      await pause(fault.delay_ms, gone);
      return writeAnswer(response, await answer(), requestId);
    case "slow_body":
      return await drip(fault.delay_ms, response, await answer(), request);
    case "truncated":
      return truncate(response, await answer(), requestId);
    case "endless":
      return await pourForEver(response, gone);
    default:
      await answer();
      response.destroy();
  }
}

async function drip(ms: number, response: ServerResponse, answer: Answer, request: Request): Promise<void> {
  const { headers, bytes } = renderAnswer(answer, request.requestId);
  response.writeHead(answer.status, headers);
  for (const byte of bytes) {
    if (request.gone.aborted) return void response.destroy();
    response.write(Buffer.from([byte]));
    await pause(ms, request.gone);
  }
  response.end();
}

function truncate(response: ServerResponse, answer: Answer, requestId: string): void {
  const { headers, bytes } = renderAnswer(answer, requestId);
  response.writeHead(answer.status, headers);
  response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => response.destroy());
}

async function pourForEver(response: ServerResponse, gone: AbortSignal): Promise<void> {
  response.writeHead(200, { "content-type": "application/json" });
  response.write('{"data":{"filler":"');
  const chunk = "x".repeat(16_384);
  while (!gone.aborted && !response.destroyed) {
    if (!response.write(chunk)) await once(response, "drain", { signal: gone }).catch(() => {});
    // Endless, but no faster than a test can bear.
    await pause(5, gone);
  }
  response.destroy();
}

/** Ends early, quietly, when the client has gone. */
async function pause(ms: number, gone: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal: gone }).catch(() => {});
}
